/**
 * A reader of `multipart/related` bodies (RFC 2046, section 5.1) as bulk uploads send them: every
 * part says its length, and is read by it, so the content is never searched for the boundary.
 *
 * It is pushed: `take` is given the body in pieces of any size and hands over whole parts. Memory
 * is bounded by HEAD_BYTES_MAX and PART_BYTES_MAX; a part that is larger is passed over.
 */
import { HoldfastError } from '../../base/errors.ts';

/** Header lines of one part, boundary included. */
export const HEAD_BYTES_MAX = 16 * 1024;
/** Clients cut files above 10,000,000 bytes into chunks and send those one by one. */
export const PART_BYTES_MAX = 16 * 1024 * 1024;
export const PARTS_MAX = 1_000;

export interface Part {
  /** Names in lower case; values as they came, without blanks around them. */
  headers: ReadonlyMap<string, string>;
  /** undefined: more than PART_BYTES_MAX, and passed over. */
  content: Buffer | undefined;
}

type State = 'head' | 'content' | 'skip' | 'end';

export class MultipartReader {
  readonly #opening: string;
  readonly #closing: string;
  #state: State = 'head';
  #head: Buffer = Buffer.alloc(0);
  #headers: ReadonlyMap<string, string> = new Map();
  #content: Buffer = Buffer.alloc(0);
  #filledBytes = 0;
  #missingBytes = 0;
  #partCount = 0;

  constructor(boundary: string) {
    this.#opening = `--${boundary}`;
    this.#closing = `--${boundary}--`;
  }

  /** Yields the parts that this piece completes. After an error the reader is of no more use.
   *  @throws invalid: not the form described above; too-large: too many or too long headers. */
  *take(piece: Uint8Array): Generator<Part> {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    while (rest.length > 0 && this.#state !== 'end') {
      if (this.#state === 'head') {
        rest = this.#takeHead(rest);
        // A part without content is complete as soon as its headers are.
        if (this.#isComplete()) yield this.#finishPart();
        continue;
      }
      const usedBytes = Math.min(rest.length, this.#missingBytes);
      if (this.#state === 'content') {
        rest.copy(this.#content, this.#filledBytes, 0, usedBytes);
        this.#filledBytes += usedBytes;
      }
      this.#missingBytes -= usedBytes;
      rest = rest.subarray(usedBytes);
      if (this.#isComplete()) yield this.#finishPart();
    }
  }

  /** To be called at the end of the body. @throws invalid: it ended before its closing boundary. */
  finish(): void {
    if (this.#state === 'end') return;
    const closes = this.#state === 'head' && this.#head.toString('latin1').trim() === this.#closing;
    if (!closes) refuse('The list of files ended early. Please send it again.');
  }

  #isComplete(): boolean {
    return (this.#state === 'content' || this.#state === 'skip') && this.#missingBytes === 0;
  }

  #finishPart(): Part {
    const content = this.#state === 'skip' ? undefined : this.#content;
    const part = { headers: this.#headers, content };
    this.#state = 'head';
    this.#head = Buffer.alloc(0);
    this.#content = Buffer.alloc(0);
    return part;
  }

  /** Collects header lines up to the blank one; answers what lies behind it. */
  #takeHead(piece: Buffer): Buffer {
    const searchFrom = Math.max(this.#head.length - 3, 0);
    const oldBytes = this.#head.length;
    const limited = piece.subarray(0, HEAD_BYTES_MAX + 4 - oldBytes);
    this.#head = Buffer.concat([this.#head, limited]);
    const end = this.#headEnd(searchFrom);
    if (end === undefined) {
      if (this.#head.length > HEAD_BYTES_MAX) refuseLarge('The headers of a file are too long.');
      return piece.subarray(limited.length);
    }
    if (end === 'closed') {
      this.#state = 'end';
      return Buffer.alloc(0);
    }
    this.#openPart(this.#head.subarray(0, end));
    return piece.subarray(end + 4 - oldBytes);
  }

  /** Where the blank line begins, or that the closing boundary is there. */
  #headEnd(searchFrom: number): number | 'closed' | undefined {
    const end = this.#head.indexOf('\r\n\r\n', searchFrom, 'latin1');
    // A CRLF ends the content before; it stands before the boundary and is no blank line.
    const start = this.#head.toString('latin1', 0, this.#closing.length + 4);
    if (start.replace(/^(\r\n)+/, '').startsWith(this.#closing)) return 'closed';
    if (end !== 0) return end < 0 ? undefined : end;
    const next = this.#head.indexOf('\r\n\r\n', 4, 'latin1');
    return next < 0 ? undefined : next;
  }

  #openPart(head: Buffer): void {
    this.#partCount += 1;
    if (this.#partCount > PARTS_MAX) refuseLarge(`At most ${PARTS_MAX} files in one request.`);
    // Names of files arrive as raw UTF-8.
    const lines = decodeUtf8(head).replace(/^(\r\n)+/, '').split('\r\n');
    if (lines.shift()?.trimEnd() !== this.#opening) {
      refuse('A file of the list does not begin where the one before ended.');
    }
    this.#headers = parseHeaders(lines);
    const length = this.#headers.get('content-length') ?? '';
    if (!/^[0-9]{1,15}$/.test(length)) refuse('A file of the list does not say how long it is.');
    const sizeBytes = Number(length);
    this.#missingBytes = sizeBytes;
    this.#filledBytes = 0;
    this.#state = sizeBytes > PART_BYTES_MAX ? 'skip' : 'content';
    // Not before its bytes arrive in full is this seen by anybody, so it need not be zeroed.
    if (this.#state === 'content') this.#content = Buffer.allocUnsafeSlow(sizeBytes);
  }
}

/** The boundary that a Content-Type names, quoted or bare.
 *  @throws invalid: another kind of body, or no boundary. */
export function boundaryOf(contentType: string | undefined): string {
  if (contentType === undefined || !/^\s*multipart\/related\s*;/i.test(contentType)) {
    refuse('A list of files is sent as multipart/related.');
  }
  const match = /;\s*boundary\s*=\s*(?:"([^"\\\r\n]{1,200})"|([^\s";,]{1,200}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) refuse('The Content-Type does not name a boundary.');
  return boundary;
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) refuse('A header of a file has no name.');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (headers.has(name)) refuse('A header of a file stands there twice.');
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const message = 'The name of a file is not well-formed UTF-8.';
    throw new HoldfastError('invalid', 'protocols/MultipartReader', message, { cause });
  }
}

function refuse(message: string): never {
  throw new HoldfastError('invalid', 'protocols/MultipartReader', message, {
    code: 'multipart-syntax',
  });
}

function refuseLarge(message: string): never {
  throw new HoldfastError('too-large', 'protocols/MultipartReader', message);
}
