import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { ContentCheck, UNIT_BYTES, fillContent, stampContent } from './content.ts';

function content(sizeBytes: number, salt: number, index: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  fillContent(bytes);
  stampContent(bytes, { salt, index });
  return bytes;
}

function isRight(bytes: Buffer, salt: number, index: number, pieceBytes: number): boolean {
  const check = new ContentCheck({ salt, index });
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    check.push(bytes.subarray(at, at + pieceBytes));
  }
  return check.isRight;
}

describe('the content of the files', () => {
  for (const sizeBytes of [1, 11, 1024, 102_400, 5_000_000]) {
    it(`of ${sizeBytes} bytes is recognised in any pieces`, () => {
      const bytes = content(sizeBytes, 7, 42);
      for (const pieceBytes of [4099, 65_536, 1 << 20]) {
        assert.ok(isRight(bytes, 7, 42, pieceBytes));
      }
    });
  }

  it('is told from that of another file or another run', () => {
    const bytes = content(1024, 7, 42);
    assert.equal(isRight(bytes, 7, 43, 1024), false);
    assert.equal(isRight(bytes, 8, 42, 1024), false);
  });

  it('is found wrong when one byte has changed, wherever it lies', () => {
    for (const at of [0, 11, 12, UNIT_BYTES - 1, UNIT_BYTES, 150_000, 199_999]) {
      const bytes = content(200_000, 7, 42);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      assert.equal(isRight(bytes, 7, 42, 10_000), false, `byte ${at}`);
    }
  });

  it('never repeats a unit within a file, though the fixed bytes do', () => {
    const bytes = content(9 * 1024 * 1024, 1, 1);
    const units = new Set<string>();
    for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
      units.add(bytes.subarray(at, at + UNIT_BYTES).toString('base64'));
    }
    assert.equal(units.size, bytes.length / UNIT_BYTES);
  });
});
