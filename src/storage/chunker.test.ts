import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Block, BLOCK_BYTES_MAX } from './block.ts';
import { BlockCutter } from './chunker.ts';

describe('BlockCutter', () => {
  it('cuts any pieces into full blocks and a shorter last one, with the right ids', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 17 }), (parts, blockBytes) => {
        const cutter = new BlockCutter(blockBytes);
        const blocks = parts.flatMap((part) => cutter.push(part));
        assert.equal(cutter.pendingBytes, Buffer.concat(parts).length % blockBytes);
        const last = cutter.finish();
        if (last !== undefined) blocks.push(last);
        const whole = Buffer.concat(parts);
        const joined = Buffer.concat(blocks.flatMap((block) => block.pieces));
        assert.ok(joined.equals(whole));
        for (const [at, block] of blocks.entries()) {
          const wanted = whole.subarray(at * blockBytes, (at + 1) * blockBytes);
          assert.equal(block.id, Block.of([wanted]).id);
          assert.equal(block.sizeBytes, wanted.length);
        }
        assert.equal(cutter.finish(), undefined);
      }),
    );
  });

  it('gives out blocks of 4 MiB and does not copy', () => {
    const piece = Buffer.alloc(BLOCK_BYTES_MAX + 5, 'x');
    const cutter = new BlockCutter();
    const [full] = cutter.push(piece);
    assert.equal(full?.sizeBytes, BLOCK_BYTES_MAX);
    assert.equal(full.pieces[0]?.buffer, piece.buffer);
    assert.equal(cutter.finish()?.sizeBytes, 5);
  });
});
