import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { ResponseParser } from './response-parser.ts';

interface Parsed {
  readonly status: number;
  readonly body: string;
  readonly isKeepAlive: boolean;
  readonly isDone: boolean;
}

function parse(text: string, pieceBytes: number, isHead = false): Parsed {
  const parser = new ResponseParser();
  let body = '';
  parser.reset({ isHead, onBody: (piece) => (body += piece.toString('latin1')) });
  const bytes = Buffer.from(text, 'latin1');
  let isDone = false;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    assert.equal(isDone, false, 'the answer must not end before its last byte');
    // One reused buffer per piece, as a connection does it: the parser must not keep views.
    const piece = Buffer.from(bytes.subarray(at, at + pieceBytes));
    isDone = parser.push(piece);
    piece.fill(0);
  }
  assert.equal(parser.bodyBytes, body.length);
  return { status: parser.status, body, isKeepAlive: parser.isKeepAlive, isDone };
}

const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'HTTP/1.1 207 Multi\r\nTransfer-Encoding: chunked\r\n\r\n' +
  '3\r\nhel\r\nA;note=x\r\nlo, world!\r\n0\r\nX-Trailer: y\r\n\r\n';

describe('the response parser', () => {
  for (const pieceBytes of [1, 2, 3, 7, 1000]) {
    it(`reads a body of known length in pieces of ${pieceBytes}`, () => {
      assert.deepEqual(parse(LENGTH, pieceBytes), {
        status: 200, body: 'hello', isKeepAlive: true, isDone: true,
      });
    });

    it(`reads a chunked body with a trailer in pieces of ${pieceBytes}`, () => {
      assert.deepEqual(parse(CHUNKED, pieceBytes), {
        status: 207, body: 'hello, world!', isKeepAlive: true, isDone: true,
      });
    });

    it(`skips 100 Continue in pieces of ${pieceBytes}`, () => {
      const text = `HTTP/1.1 100 Continue\r\n\r\n${LENGTH}`;
      assert.equal(parse(text, pieceBytes).body, 'hello');
    });
  }

  it('ends answers without a body at the end of their head', () => {
    assert.ok(parse('HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n', 1000).isDone);
    assert.ok(parse('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n', 1000).isDone);
    assert.ok(parse('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', 1000, true).isDone);
  });

  it('sees that the server closes the connection', () => {
    const closing = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
    assert.equal(parse(closing, 1000).isKeepAlive, false);
    assert.equal(parse('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 1000).isKeepAlive, false);
    assert.equal(parse('HTTP/1.1 204 No Content\r\n\r\n', 1000).isKeepAlive, true);
  });

  it('takes the end of the connection as the end only of a body without length', () => {
    const parser = new ResponseParser();
    parser.reset();
    assert.equal(parser.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nabc')), false);
    assert.ok(parser.end());
    assert.equal(parser.bodyBytes, 3);
    parser.reset();
    parser.push(Buffer.from(LENGTH.slice(0, -1)));
    assert.equal(parser.end(), false);
  });

  it('refuses bytes after the end, and what is no HTTP', () => {
    const parser = new ResponseParser();
    parser.reset();
    assert.throws(() => parser.push(Buffer.from(`${LENGTH}!`)), /after the end/);
    parser.reset();
    assert.throws(() => parser.push(Buffer.from('SSH-2.0-x\r\n\r\n')), /not an HTTP/);
    parser.reset();
    assert.throws(() => parser.push(Buffer.from(CHUNKED.replace('3\r\n', '2\r\n'))), /longer/);
  });
});
