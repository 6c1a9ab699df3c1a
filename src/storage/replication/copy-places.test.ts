import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '../backends/local/testing/random.ts';
import {
  SimulatedVolumeFiles,
} from '../backends/local/testing/simulated-volume-files.ts';
import { replaceSmall } from './checked-json.ts';
import { encodeCopyList } from './copy-list.ts';
import { readCopyPlaces } from './copy-places.ts';
import { copyListName, volumeName } from './file-names.ts';

describe('readCopyPlaces', () => {
  it('believes the newest sound list of each volume', async () => {
    const disks = [1, 2].map((seed) => new SimulatedVolumeFiles(new SeededRandom(seed)));
    const [first, second] = disks;
    assert.ok(first && second);
    const note = async (
      files: SimulatedVolumeFiles, volumeId: number, generation: number, diskIds: string[],
    ) => {
      const file = await files.open(volumeName(volumeId), 'create');
      await file.close();
      const list = { volumeId, generation, copies: 2, acksMin: 1, diskIds };
      await replaceSmall(files, copyListName(volumeId), encodeCopyList(list));
    };
    await note(first, 1, 1, ['a', 'b']);
    await note(second, 1, 2, ['b']);
    await note(first, 2, 7, ['a']);
    await replaceSmall(first, copyListName(2), Buffer.from('no list'));
    const places = await readCopyPlaces(disks.map((files) => ({ files })));
    assert.deepEqual([...places], [[volumeName(1), ['b']]]);
  });
});
