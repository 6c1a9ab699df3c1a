import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import { decodeManifest, encodeEntries, encodeManifest, readEntries, sumOf } from './manifest.ts';
import type { BlockRef } from './manifest.ts';

const blockRef: fc.Arbitrary<BlockRef> = fc.record({
  id: fc.uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex') as BlockId),
  sizeBytes: fc.integer({ min: 1, max: 4 * 1024 * 1024 }),
}, { noNullPrototype: true });

describe('a manifest', () => {
  it('reads back what was written', () => {
    fc.assert(fc.property(fc.array(blockRef), (blocks) => {
      const manifest = {
        chunker: 'fixed-4m' as const, sizeBytes: sumOf(blocks), indirect: false, blocks,
      };
      assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest);
      assert.deepEqual(readEntries(encodeEntries(blocks)), blocks);
    }));
  });

  it('has the bytes that docs/formats/manifest.md says', () => {
    const id = 'ab'.repeat(32) as BlockId;
    const blocks = [{ id, sizeBytes: 5 }];
    const bytes = encodeManifest({ chunker: 'fixed-4m', sizeBytes: 5, indirect: false, blocks });
    const header = '01010000' + '01000000' + '0500000000000000';
    assert.equal(bytes.toString('hex'), `${header}${id}05000000`);
  });

  it('is refused as corrupt, and never guessed, when any byte of its header is another', () => {
    const blocks = [{ id: '00'.repeat(32) as BlockId, sizeBytes: 7 }];
    const good = encodeManifest({ chunker: 'fixed-4m', sizeBytes: 7, indirect: false, blocks });
    for (let at = 0; at < 16; at += 1) {
      if (at === 3) continue; // Reserved: written as zero, not read.
      const bad = Buffer.from(good);
      bad.writeUInt8((bad.readUInt8(at) + 2) % 256, at);
      assert.throws(() => decodeManifest(bad), (error) => isKind(error, 'corrupt'), `byte ${at}`);
    }
  });

  it('throws nothing but its own error, whatever it is fed', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const { blocks, sizeBytes, indirect } = decodeManifest(bytes);
        assert.ok(indirect || sumOf(blocks) === sizeBytes);
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.kind === 'corrupt');
      }
    }));
  });
});
