import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError, isKind } from '../../base/errors.ts';
import {
  boundaryOf, HEAD_BYTES_MAX, MultipartReader, PART_BYTES_MAX, PARTS_MAX,
} from './multipart.ts';

interface Sent {
  path: string;
  content: Uint8Array;
}

function bodyFor(boundary: string, files: readonly Sent[]): Buffer {
  const pieces = files.flatMap(({ path, content }) => [
    Buffer.from(`--${boundary}\r\nContent-Length: ${content.length}\r\n`
      + `X-File-Path: ${path}\r\n\r\n`),
    Buffer.from(content), Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

/** Hands the body over cut at the given places. */
function readAll(boundary: string, body: Buffer, cuts: readonly number[] = []): Sent[] {
  const reader = new MultipartReader(boundary);
  const places = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])]
    .sort((a, b) => a - b);
  const seen: Sent[] = [];
  places.slice(1).forEach((end, at) => {
    // A copy, as the network's buffers are: nothing may still point into the piece before.
    const piece = Buffer.from(body.subarray(places[at], end));
    for (const { headers, content } of reader.take(piece)) {
      assert.ok(content !== undefined);
      seen.push({ path: headers.get('x-file-path') ?? '', content: Buffer.from(content) });
    }
    piece.fill(0);
  });
  reader.finish();
  return seen;
}

const BOUNDARY = 'b/o+u._nd=';
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  // What a boundary search would trip over.
  fc.constantFrom(`\r\n--${BOUNDARY}\r\n`, `\r\n--${BOUNDARY}--\r\n`, '\r\n\r\n', '')
    .map((text) => Buffer.from(text)),
);
const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((name) => `/${name.replace(/[\r\n]/g, '').trim()}`);
const files = fc.array(fc.record({ path, content }), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe('MultipartReader', () => {
  it('reads what was sent, wherever the network cuts it', () => {
    fc.assert(fc.property(files, cuts, (sent, at) => {
      const seen = readAll(BOUNDARY, bodyFor(BOUNDARY, sent), at);
      assert.deepEqual(seen.map((one) => one.path), sent.map((one) => one.path));
      seen.forEach((one, index) => {
        assert.equal(Buffer.compare(one.content, sent[index]?.content ?? Buffer.of(1)), 0);
      });
    }));
  });

  it('reads it byte by byte', () => {
    const sent = [
      { path: '/a', content: Buffer.from('one') }, { path: '/b', content: Buffer.of() },
    ];
    const body = bodyFor(BOUNDARY, sent);
    const everywhere = Array.from(body, (_byte, at) => at);
    assert.deepEqual(readAll(BOUNDARY, body, everywhere).map((one) => one.path), ['/a', '/b']);
  });

  it('hands over no part of a body that ends too early, and says that it did', () => {
    fc.assert(fc.property(files, fc.nat(), (sent, at) => {
      const body = bodyFor(BOUNDARY, sent);
      const cut = body.subarray(0, at % (body.length - 4 - BOUNDARY.length));
      const reader = new MultipartReader(BOUNDARY);
      const seen = [...reader.take(cut)];
      seen.forEach((part, index) => {
        assert.equal(Buffer.compare(part.content ?? Buffer.of(1),
          sent[index]?.content ?? Buffer.of(1)), 0);
      });
      assert.throws(() => reader.finish(), (error) => isKind(error, 'invalid'));
    }));
  });

  it('refuses garbage in its own words, and never runs on', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.array(fc.constantFrom('\r\n', '--', BOUNDARY, 'Content-Length: 3', ':', 'abc', ' '))
        .map((words) => Buffer.from(words.join(''))),
    );
    fc.assert(fc.property(garbage, cuts, (bytes, at) => {
      try {
        readAll(BOUNDARY, Buffer.from(bytes), at);
      } catch (error) {
        assert.ok(error instanceof HoldfastError, String(error));
      }
    }), { numRuns: 500 });
  });

  it('takes a body whose first or last line break is missing', () => {
    const body = bodyFor(BOUNDARY, [{ path: '/a', content: Buffer.from('x') }]);
    assert.equal(readAll(BOUNDARY, body.subarray(0, body.length - 2)).length, 1);
    assert.equal(readAll(BOUNDARY, Buffer.concat([Buffer.from('\r\n'), body])).length, 1);
  });

  it('passes over a part that is too large, and reads the next one', () => {
    const reader = new MultipartReader('x');
    const head = `--x\r\nContent-Length: ${PART_BYTES_MAX + 1}\r\nX-File-Path: /big\r\n\r\n`;
    const first = [...reader.take(Buffer.from(head))];
    const big = [...reader.take(Buffer.alloc(PART_BYTES_MAX + 1))];
    const rest = '\r\n--x\r\nContent-Length: 1\r\nX-File-Path: /small\r\n\r\na\r\n--x--';
    const small = [...reader.take(Buffer.from(rest))];
    reader.finish();
    assert.equal(first.length, 0);
    assert.deepEqual(big.map((part) => part.content), [undefined]);
    assert.deepEqual(small.map((part) => part.content?.toString()), ['a']);
  });

  it('bounds headers and the number of parts', () => {
    const long = Buffer.from(`--x\r\nX: ${'a'.repeat(HEAD_BYTES_MAX)}`);
    const isLarge = (error: unknown): boolean => isKind(error, 'too-large');
    assert.throws(() => [...new MultipartReader('x').take(long)], isLarge);
    const many = Buffer.from('--x\r\nContent-Length: 0\r\n\r\n\r\n'.repeat(PARTS_MAX + 1));
    assert.throws(() => [...new MultipartReader('x').take(many)], isLarge);
  });

  it('refuses parts without a length, twice the same header, and names that are no UTF-8', () => {
    const heads = [
      'X-File-Path: /a', 'Content-Length: -1', 'Content-Length: 1e3', 'Content-Length:',
      'Content-Length: 1\r\nContent-Length: 1', 'no header', ': 3',
    ];
    const refused = heads.map((head) => Buffer.from(`--x\r\n${head}\r\n\r\nabc`));
    const latin1 = Buffer.from('--x\r\nContent-Length: 0\r\nX-File-Path: /\xe9\r\n\r\n', 'latin1');
    for (const body of [...refused, latin1]) {
      assert.throws(() => [...new MultipartReader('x').take(body)],
        (error) => isKind(error, 'invalid'), body.toString());
    }
  });
});

describe('boundaryOf', () => {
  it('reads quoted and bare boundaries, and refuses everything else', () => {
    assert.equal(boundaryOf('multipart/related; boundary="a/b+c._d e"'), 'a/b+c._d e');
    assert.equal(boundaryOf('Multipart/Related;type=x; BOUNDARY=abc; z=1'), 'abc');
    const refused = [undefined, '', 'multipart/form-data; boundary=a', 'multipart/related',
      'multipart/related; boundary=', 'multipart/related; boundary=""', 'text/plain;boundary=a',
      `multipart/related; boundary="${'a'.repeat(201)}"`];
    for (const raw of refused) {
      assert.throws(() => boundaryOf(raw), (error) => isKind(error, 'invalid'), raw);
    }
  });
});
