import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Block } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { readLabel, segmentsAreRight, writeLabel } from './block-label.ts';
import { crc32c, portableCrc32c } from './crc32c.ts';

const BYTES = Buffer.alloc(2 * SEGMENT_BYTES + 99, 'labelled ');
const BLOCK = Block.of([BYTES.subarray(0, 5), BYTES.subarray(5, 300_000), BYTES.subarray(300_000)]);

describe('a block label', () => {
  it('is the same text for ever, however the block is cut', () => {
    const golden = '1 524387 f80a24c7,8b81ceca,3d35205d - bd1c9884';
    const text = writeLabel(BLOCK, 'sha256');
    assert.equal(writeLabel(Block.of([BYTES]), 'sha256'), text);
    assert.equal(text, golden);
  });

  it('says which checksum the service must tell', () => {
    const md5 = createHash('md5').update(BYTES).digest('hex');
    const expected = (checksum: 'md5' | 'crc32c' | 'none') => {
      return readLabel(BLOCK.id, writeLabel(BLOCK, checksum))?.expected;
    };
    assert.deepEqual(expected('md5'), { checksum: 'md5', hex: md5 });
    const hex = portableCrc32c(BYTES).toString(16).padStart(8, '0');
    assert.deepEqual(expected('crc32c'), { checksum: 'crc32c', hex });
    assert.equal(expected('none'), undefined);
  });

  it('stays short for the greatest block', () => {
    const text = writeLabel(Block.of([Buffer.alloc(4 * 1024 * 1024)]), 'md5');
    assert.ok(text.length <= 220, `${text.length}`);
    assert.match(text, /^[\x20-\x7e]+$/);
  });

  it('checks every segment, and only the whole ones that it is shown', () => {
    const label = readLabel(BLOCK.id, writeLabel(BLOCK, 'none'));
    assert.ok(label !== undefined);
    const second = Buffer.from(BYTES.subarray(SEGMENT_BYTES, 2 * SEGMENT_BYTES));
    assert.equal(segmentsAreRight(label, second, SEGMENT_BYTES), true);
    assert.equal(segmentsAreRight(label, BYTES.subarray(SEGMENT_BYTES), SEGMENT_BYTES), true);
    assert.equal(segmentsAreRight(label, second, 0), false);
    second[77] = (second[77] as number) ^ 1;
    assert.equal(segmentsAreRight(label, second, SEGMENT_BYTES), false);
  });

  it('is recognized as damaged when one character is another, and as another block\'s', () => {
    const text = writeLabel(BLOCK, 'md5');
    assert.equal(readLabel(Block.of([Buffer.from('other')]).id, text), undefined);
    fc.assert(fc.property(
      fc.nat(text.length - 1), fc.integer({ min: 0x20, max: 0x7e }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        fc.pre(changed !== text);
        assert.equal(readLabel(BLOCK.id, changed), undefined);
      },
    ));
  });
});

it('CRC-32C is the one of RFC 3720, in pieces too', () => {
  // RFC 3720, appendix B.4: 32 bytes of zeroes, of ones, and ascending.
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  const ascending = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
  assert.equal(crc32c(ascending), 0x46dd794e);
  assert.equal(portableCrc32c(ascending), 0x46dd794e);
  assert.equal(crc32c(ascending.subarray(9), crc32c(ascending.subarray(0, 9))), 0x46dd794e);
});
