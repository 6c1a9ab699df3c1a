import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { Witness } from '../../../base/witness.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { testBlockReclaim } from '../../block-reclaim.conformance.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import type { VolumeFinding } from './findings.ts';
import { LocalVolumeStore } from './local-volume-store.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-volumes-'));
after(() => rm(base, { recursive: true }));
let count = 0;

function makeEmpty(): Promise<LocalVolumeStore> {
  const root = join(base, String(count++), 'volumes');
  const clock = new ManualClock(1_700_000_000_000);
  return LocalVolumeStore.open({ root, witness: [], clock, onFinding: () => undefined });
}

testBlockStore('LocalVolumeStore', makeEmpty);

testBlockReclaim('LocalVolumeStore', async () => {
  const store = await makeEmpty();
  return { store, reclaim: store.reclaim };
});

it('LocalVolumeStore finds everything again in a folder of this machine', async () => {
  const root = join(base, 'again');
  const findings: VolumeFinding[] = [];
  const open = (witness: Witness): Promise<LocalVolumeStore> =>
    LocalVolumeStore.open({
      root, witness, clock: new ManualClock(0), config: { volumeBytesMax: 1_000_000 },
      onFinding: (finding) => findings.push(finding),
    });
  let store = await open([]);
  const contents = Array.from({ length: 300 }, (_, at) => Buffer.alloc(1 + at * 50, `${at}`));
  const blocks = contents.map((bytes) => Block.of([bytes]));
  blocks.push(Block.of([Buffer.alloc(700_000, 'big')]));
  await Promise.all(blocks.map((block) => store.put(block)));
  for (let starts = 0; starts < 2; starts++) {
    const witness = store.witness();
    await store.close();
    store = await open(witness);
    for (const { id, pieces } of blocks) {
      assert.ok((await store.get(id)).equals(Buffer.concat(pieces)));
    }
    assert.equal(store.state().blockCount, blocks.length);
  }
  await store.close();
  assert.deepEqual(findings, []);
  assert.ok((await readdir(root)).filter((name) => name.endsWith('.hv')).length > 1);
});
