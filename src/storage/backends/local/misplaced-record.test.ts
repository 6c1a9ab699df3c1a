// A sound record in the place of another: written there by mistake, or found by an index that is
// wrong. Every checksum is right, and only its id tells that it is not what was asked for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import type { Block } from '../../block.ts';
import {
  HEADER_BYTES, isRecordHeader, readBlockHeader, storedRecordBytes,
} from './record-codec.ts';
import { StoreTrial } from './testing/store-trial.ts';

const VOLUME = 'v00000001.1.hv';

/** Two blocks of that size; the record of the second also lies where the first was. */
async function misplaced(
  sizeBytes: number, { warm }: { warm: boolean },
): Promise<{ trial: StoreTrial; wanted: Block }> {
  const trial = new StoreTrial(sizeBytes);
  trial.config = {
    reserveBytes: 0, recentBytesMax: 0, pageBytes: 8, queueBytesMax: 64 * 1024 ** 2,
  };
  await trial.open();
  const [wanted, other] = [trial.block(sizeBytes), trial.block(sizeBytes)];
  for (const block of [wanted, other]) await trial.store.put(block);
  if (warm) await trial.store.read(wanted.id, 0, 1);
  const bytes = Buffer.from(trial.files.content(VOLUME));
  const firstAt = 4096;
  assert.ok(isRecordHeader(bytes, firstAt));
  const lengthBytes = storedRecordBytes(readBlockHeader(bytes, firstAt));
  const secondAt = firstAt + lengthBytes + HEADER_BYTES;
  assert.ok(isRecordHeader(bytes, secondAt));
  bytes.copy(bytes, firstAt, secondAt, secondAt + lengthBytes);
  trial.files.setContent(VOLUME, bytes);
  return { trial, wanted };
}

describe('LocalVolumeStore gives out no part of a block that lies in the place of another', () => {
  for (const sizeBytes of [1000, 262_144, 262_145, 600_000, 1024 ** 2]) {
    for (const warm of [false, true]) {
      it(`of ${sizeBytes} bytes, ${warm ? 'read before' : 'never read before'}`, async () => {
        const { trial, wanted } = await misplaced(sizeBytes, { warm });
        for (const offset of [0, Math.floor(sizeBytes / 2), sizeBytes - 1]) {
          const part = trial.store.read(wanted.id, offset, 1);
          await assert.rejects(part, (error) => isKind(error, 'corrupt'), `byte ${offset}`);
        }
        await assert.rejects(trial.store.get(wanted.id), (error) => isKind(error, 'corrupt'));
        assert.ok(trial.findings.some(({ kind }) => kind === 'damaged-block'));
      });
    }
  }
});
