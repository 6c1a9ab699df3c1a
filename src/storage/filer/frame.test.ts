import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../../base/errors.ts';
import { FieldReader, FieldWriter } from './fields.ts';
import { FrameSeal } from './frame-seal.ts';
import { encodeFrame, FrameDecoder, FRAME_HEADER_BYTES, type Frame } from './frame.ts';

const LIMITS = { fieldsBytesMax: 1024, dataBytesMax: 1024 ** 2 };
const KEY = Buffer.alloc(32, 3);

function bytesOf(frames: readonly { type: number; data: Buffer[] }[], seal?: FrameSeal): Buffer {
  return Buffer.concat(frames.flatMap(({ type, data }, id) =>
    encodeFrame({ type, id, fields: Buffer.from(`fields of ${id}`), data }, seal)));
}

function decode(decoder: FrameDecoder, chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  return frames;
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)];
  return places.map((from, at) => bytes.subarray(from, places[at + 1] ?? bytes.length));
}

function isBadFrame(error: unknown): boolean {
  return isKind(error, 'invalid') && error.code === 'bad-frame';
}

const anyFrame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  data: fc.array(fc.uint8Array({ maxLength: 400 }).map((piece) => Buffer.from(piece)), {
    maxLength: 5,
  }),
});

describe('frames', () => {
  it('come out as they went in, wherever the stream is cut into chunks', () => {
    fc.assert(fc.property(
      fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(9000), { maxLength: 20 }), fc.boolean(),
      (frames, cuts, sealed) => {
        const bytes = bytesOf(frames, sealed ? new FrameSeal(KEY) : undefined);
        const decoder = new FrameDecoder(LIMITS);
        if (sealed) decoder.seal = new FrameSeal(KEY);
        const got = decode(decoder, cutAt(bytes, cuts));
        assert.equal(decoder.isPartial, false);
        assert.deepEqual(
          got.map(({ type, id, fields, data }) => [type, id, String(fields), data.toString('hex')]),
          frames.map(({ type, data }, id) => {
            return [type, id, `fields of ${id}`, Buffer.concat(data).toString('hex')];
          }),
        );
      },
    ));
  });

  it('come out right when pieces are many and large', () => {
    const sizes = [1, 300_000, 5, 6, 7, 20_000, 3, 200_000, 0];
    const data = sizes.map((size, at) => Buffer.alloc(size, at + 1));
    const decoder = new FrameDecoder(LIMITS);
    decoder.seal = new FrameSeal(KEY);
    const [frame] = decode(decoder, [bytesOf([{ type: 1, data }], new FrameSeal(KEY))]);
    assert.ok(frame?.data.equals(Buffer.concat(data)));
  });

  it('notice any single bit that has changed', () => {
    for (const sealed of [true, false]) {
      const seal = sealed ? new FrameSeal(KEY) : undefined;
      const bytes = bytesOf([{ type: 7, data: [Buffer.from('some data')] }], seal);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        if (!sealed && bit >> 7 === 2) continue; // Bytes 32 to 47: the seal that is not there.
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        const decoder = new FrameDecoder(LIMITS);
        if (sealed) decoder.seal = new FrameSeal(KEY);
        assert.throws(() => decode(decoder, [changed]), isBadFrame, `bit ${bit}`);
      }
    }
  });

  it('are refused when one was left out, repeated, moved, or sealed with another key', () => {
    const seal = new FrameSeal(KEY);
    const [a, b, c] = ['a', 'b', 'c'].map((text) =>
      Buffer.concat(encodeFrame({ type: 1, id: 0, fields: Buffer.from(text) }, seal)));
    assert.ok(a && b && c);
    const wrong = [[b], [a, c], [a, a], [a, b, a], [a, b, b], [b, a, c]];
    for (const order of wrong) {
      const decoder = new FrameDecoder(LIMITS);
      decoder.seal = new FrameSeal(KEY);
      assert.throws(() => decode(decoder, order), isBadFrame);
    }
    const decoder = new FrameDecoder(LIMITS);
    decoder.seal = new FrameSeal(Buffer.alloc(32, 4));
    assert.throws(() => decode(decoder, [a]), isBadFrame);
  });

  it('above the limits are refused by their header, before memory is taken for them', () => {
    for (const data of [[Buffer.alloc(LIMITS.dataBytesMax + 1)], []]) {
      const fields = Buffer.alloc(data.length === 0 ? LIMITS.fieldsBytesMax + 1 : 0);
      const [head] = encodeFrame({ type: 1, id: 1, fields, data }, undefined);
      const header = Buffer.from((head as Buffer).subarray(0, FRAME_HEADER_BYTES));
      assert.throws(() => decode(new FrameDecoder(LIMITS), [header]), isBadFrame);
    }
  });

  it('that are noise end in a typed error or wait for more, whatever the bytes', () => {
    const start = bytesOf([{ type: 1, data: [Buffer.alloc(50, 1)] }]);
    fc.assert(fc.property(
      fc.uint8Array({ maxLength: 300 }), fc.nat(start.length), fc.array(fc.nat(400)),
      (noise, kept, cuts) => {
        const bytes = Buffer.concat([start.subarray(0, kept), noise]);
        const decoder = new FrameDecoder(LIMITS);
        try {
          const frames = decode(decoder, cutAt(bytes, cuts));
          assert.ok(frames.length <= 1, 'noise became a frame');
        } catch (error) {
          assert.ok(isBadFrame(error), String(error));
        }
      },
    ), { numRuns: 2000 });
  });
});

describe('fields', () => {
  it('come out as they went in', () => {
    const numbers = fc.tuple(
      fc.nat(255), fc.nat(0xffff_ffff), fc.nat(Number.MAX_SAFE_INTEGER),
    );
    const texts = fc.string({ unit: 'grapheme', maxLength: 100 });
    fc.assert(fc.property(numbers, texts, fc.uint8Array({ maxLength: 200 }), (all, text, raw) => {
      const [u8, u32, u64] = all;
      const bytes = new FieldWriter().u8(u8).u32(u32).u64(u64).text(text).raw(raw).done();
      const fields = new FieldReader(bytes);
      assert.deepEqual([fields.u8(), fields.u32(), fields.u64()], all);
      assert.equal(fields.text(1000), text);
      assert.ok(fields.raw(raw.length).equals(raw));
      fields.end();
    }));
  });

  it('that are missing, too many, or impossible are refused', () => {
    assert.throws(() => new FieldReader(Buffer.alloc(3)).u32(), isBadFrame);
    assert.throws(() => new FieldReader(Buffer.alloc(8, 0xff)).u64(), isBadFrame);
    assert.throws(() => new FieldReader(Buffer.from([9, 0, 1])).text(20), isBadFrame);
    const long = new FieldWriter().text('longer than allowed').done();
    assert.throws(() => new FieldReader(long).text(4), isBadFrame);
    assert.throws(() => new FieldReader(long).text(18), isBadFrame);
    assert.throws(() => new FieldReader(Buffer.alloc(1)).end(), isBadFrame);
  });
});
