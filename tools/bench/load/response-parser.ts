/**
 * A parser for the answers of one HTTP/1.1 connection, as small as a load client may have it.
 *
 * A general client spends more on a request than the servers measured here; this one reads the
 * status, the framing and the connection header, and counts the body. It expects one answer at a
 * time (no pipelining), so a byte after the end of an answer is a protocol error.
 */
const HEAD_BYTES_MAX = 64 * 1024;
const LINE_BYTES_MAX = 1024;
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');

type State = 'head' | 'body' | 'chunk-line' | 'chunk-body' | 'chunk-end' | 'trailer' | 'to-close';

export interface ResponseParserOptions {
  /** Sees each piece of the body in order. The piece is only valid during the call. */
  readonly onBody?: (piece: Buffer) => void;
  /** The answer to HEAD has a length and no body. */
  readonly isHead?: boolean;
}

export class ResponseParser {
  status = 0;
  bodyBytes = 0;
  isKeepAlive = true;
  /** The status line and headers, as received. */
  head = '';
  #state: State = 'head';
  #leftBytes = 0;
  #pending: Buffer | undefined;
  #line = '';
  #options: ResponseParserOptions = {};

  /** Must be called before every answer. */
  reset(options: ResponseParserOptions = {}): void {
    this.status = 0;
    this.bodyBytes = 0;
    this.isKeepAlive = true;
    this.head = '';
    this.#state = 'head';
    this.#leftBytes = 0;
    this.#pending = undefined;
    this.#line = '';
    this.#options = options;
  }

  /** Takes the next bytes of the connection; true when the answer is complete.
   *  @throws Error: what arrived is not an HTTP/1.1 answer. */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      at = this.#state === 'head' ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
      if (at < 0) {
        if (-at - 1 < bytes.length) throw new Error('bytes after the end of the answer');
        return true;
      }
    }
    return false;
  }

  /** The peer has closed the connection; true when that is the proper end of the answer. */
  end(): boolean {
    return this.#state === 'to-close';
  }

  /** Returns the next position, or -(position + 1) when the answer ended there. */
  #readHead(bytes: Buffer, from: number): number {
    let buffer = from === 0 ? bytes : bytes.subarray(from);
    const before = this.#pending;
    if (before !== undefined) buffer = Buffer.concat([before, buffer]);
    const end = buffer.indexOf(HEAD_END);
    if (end < 0) {
      if (buffer.length > HEAD_BYTES_MAX) throw new Error('the head of the answer is too long');
      this.#pending = Buffer.from(buffer); // The caller reuses its read buffer.
      return bytes.length;
    }
    this.#pending = undefined;
    const next = from + end + HEAD_END.length - (before?.length ?? 0);
    this.#parseHead(buffer.toString('latin1', 0, end));
    if (this.status < 200) return next; // 100 Continue and the like: the real answer follows.
    if (this.#isEmpty || (this.#state === 'body' && this.#leftBytes === 0)) return -next - 1;
    return next;
  }

  /** It ends with its head, whether it names a length or not. */
  get #isEmpty(): boolean {
    return this.#options.isHead === true || this.status === 204 || this.status === 304;
  }

  #parseHead(head: string): void {
    if (!head.startsWith('HTTP/1.')) throw new Error('not an HTTP/1.x answer');
    this.head = head;
    this.status = Number(head.slice(9, 12));
    if (!(this.status >= 100 && this.status <= 599)) throw new Error('no status in the answer');
    if (this.status < 200) return;
    this.isKeepAlive = head.charCodeAt(7) === 0x31 && !/\r\nconnection: *close/i.test(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (length !== null) {
      this.#leftBytes = Number(length[1]);
      this.#state = 'body';
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = 'chunk-line';
    } else if (!this.#isEmpty) {
      this.#state = 'to-close';
      this.isKeepAlive = false;
    }
  }

  #readBody(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'body':
      case 'chunk-body': {
        const next = this.#takeBody(bytes, at, Math.min(bytes.length, at + this.#leftBytes));
        this.#leftBytes -= next - at;
        if (this.#leftBytes > 0) return next;
        if (this.#state === 'body') return -next - 1;
        this.#state = 'chunk-end';
        return next;
      }
      case 'to-close':
        return this.#takeBody(bytes, at, bytes.length);
      default:
        return this.#readLine(bytes, at);
    }
  }

  #takeBody(bytes: Buffer, from: number, to: number): number {
    this.bodyBytes += to - from;
    this.#options.onBody?.(bytes.subarray(from, to));
    return to;
  }

  /** The lines around chunks: the size before, the empty one after, and the trailer. */
  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(0x0a, at);
    this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
    if (this.#line.length > LINE_BYTES_MAX) throw new Error('a chunk line is too long');
    if (end < 0) return bytes.length;
    const line = this.#line.trimEnd();
    this.#line = '';
    if (this.#state === 'trailer') return line === '' ? -(end + 1) - 1 : end + 1;
    if (this.#state === 'chunk-end') {
      if (line !== '') throw new Error('a chunk is longer than it said');
      this.#state = 'chunk-line';
      return end + 1;
    }
    if (!/^[0-9a-f]+/i.test(line)) throw new Error('a chunk has no size');
    this.#leftBytes = Number.parseInt(line, 16);
    this.#state = this.#leftBytes === 0 ? 'trailer' : 'chunk-body';
    return end + 1;
  }
}
