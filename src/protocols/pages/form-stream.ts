/**
 * Forms with files in them (multipart/form-data, RFC 7578), read as they come: a file of any size
 * goes through in pieces, and what is held is one piece and the length of a boundary.
 */
import { HoldfastError } from '../../base/errors.ts';
import { bodyCut } from '../../files/index.ts';
import type { BodySource } from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { bodyOf } from '../../platform/index.ts';

const HEADER_BYTES_MAX = 8 * 1024;
const FIELD_BYTES_MAX = 16 * 1024;
/** Fields and files of one form. */
const PARTS_MAX = 1000;
const LINE = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');

export interface FormPart {
  /** Of the field. */
  name: string;
  /** undefined: a plain field. '' when no file was chosen. */
  fileName: string | undefined;
  body: BodySource;
}

/** The parts of a form, in order. Each one's body is to be poured, or skipped by going on.
 *  @throws invalid: no such form, or `body-cut`; too-large. */
export async function* formParts(exchange: Exchange): AsyncGenerator<FormPart> {
  const type = exchange.req.headers['content-type'] ?? '';
  const [, quoted, plain] = /^multipart\/form-data;.*boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i
    .exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw noForm();
  const reader = new PartReader(bodyOf(exchange)[Symbol.asyncIterator](), boundary);
  await reader.begin();
  for (let count = 0; count < PARTS_MAX; count += 1) {
    const headers = await reader.nextHeaders();
    if (headers === undefined) return;
    const { name, fileName } = dispositionOf(headers);
    let isAtEnd = false;
    yield {
      name, fileName,
      body: {
        lengthBytes: undefined,
        async pour(take, signal) {
          for await (const piece of reader.pieces()) {
            signal?.throwIfAborted();
            await take(piece);
          }
          isAtEnd = true;
        },
      },
    };
    // Also what is left of a file that was refused on the way.
    if (!isAtEnd) for await (const piece of reader.pieces()) void piece;
  }
  throw tooLarge();
}

/** The text of a plain field. @throws too-large. */
export async function textOf({ body }: FormPart): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  await body.pour((piece) => {
    bytes += piece.length;
    if (bytes > FIELD_BYTES_MAX) throw tooLarge();
    pieces.push(piece);
    return undefined;
  });
  return Buffer.concat(pieces).toString('utf8');
}

class PartReader {
  readonly #source: AsyncIterator<Buffer>;
  /** With the line break before it, which is not part of the content. */
  readonly #mark: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterator<Buffer>, boundary: string) {
    this.#source = source;
    this.#mark = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** What stands before the first boundary is nothing (RFC 2046, section 5.1.1). */
  async begin(): Promise<void> {
    this.#held = LINE; // The first boundary needs no line break before it.
    for await (const piece of this.pieces()) void piece;
  }

  /** After a boundary: the headers of the next part; undefined at the end of the form. */
  async nextHeaders(): Promise<string | undefined> {
    while (this.#held.length < 2) await this.#more();
    if (this.#held.subarray(0, 2).toString('latin1') === '--') {
      await this.#drain();
      return undefined;
    }
    for (;;) {
      const end = this.#held.indexOf(HEADERS_END);
      if (end >= 0) {
        const headers = this.#held.subarray(0, end).toString('utf8');
        this.#held = this.#held.subarray(end + HEADERS_END.length);
        return headers;
      }
      if (this.#held.length > HEADER_BYTES_MAX) throw noForm();
      await this.#more();
    }
  }

  /** Up to the next boundary. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(this.#mark);
      if (at >= 0) {
        const piece = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + this.#mark.length);
        if (piece.length > 0) yield piece;
        return;
      }
      // The end of what is held may be the beginning of a boundary.
      const sure = this.#held.length - this.#mark.length;
      if (sure > 0) {
        const piece = this.#held.subarray(0, sure);
        this.#held = this.#held.subarray(sure);
        yield piece;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const next: IteratorResult<Buffer, unknown> = await this.#source.next();
    if (next.done === true) throw bodyCut();
    const { value } = next;
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }

  /** Browsers send a line break behind the end; anything long is not worth waiting for. */
  async #drain(): Promise<void> {
    const { done } = await this.#source.next();
    if (done !== true) await this.#source.return?.();
  }
}

function dispositionOf(headers: string): { name: string; fileName: string | undefined } {
  const line = headers.split('\r\n').find((one) => /^content-disposition:/i.test(one)) ?? '';
  return { name: valueIn(line, 'name') ?? '', fileName: valueIn(line, 'filename') };
}

/** Browsers write quotes and line breaks in names as %22, %0D and %0A (RFC 7578, section 2). */
function valueIn(line: string, key: string): string | undefined {
  const value = new RegExp(`;\\s*${key}="([^"]*)"`, 'i').exec(line)?.[1];
  return value?.replace(/%(22|0D|0A)/gi, (_, code: string) =>
    String.fromCharCode(parseInt(code, 16)));
}

function noForm(): HoldfastError {
  const message = 'This page only understands its own forms.';
  return new HoldfastError('invalid', 'pages/formParts', message);
}

function tooLarge(): HoldfastError {
  return new HoldfastError('too-large', 'pages/formParts', 'This form holds too much.');
}
