/**
 * Bulk upload: many small files in one POST. Each file succeeds or fails by itself, and the answer
 * says so by name.
 *
 * A file is stored only after it has arrived in full and matches its checksum, so a connection
 * that breaks leaves whole files or none. Several are stored at once, so that they share the
 * waiting for the disk; while too much waits, the sender is held back.
 */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import { parsePath } from '../../base/names.ts';
import { bodyOf, etagOf, parseChecksum } from '../../files/index.ts';
import type { Checksum, FileService, UploadOptions, Written } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import type { Authenticator } from '../authenticate.ts';
import { sendDavError } from '../dav-error.ts';
import { bodySource } from '../request-body.ts';
import { fileIdOf } from '../webdav/dav-request.ts';
import { parseUnixSeconds } from '../webdav/http-date.ts';
import { lettersOf } from '../webdav/sharing-properties.ts';
import { answerOptions } from '../webdav/options.ts';
import { boundaryOf, MultipartReader } from './multipart.ts';
import type { Part } from './multipart.ts';

/** Files of one request that are being stored at the same time, and their bytes. */
const AT_ONCE_MAX = 16;
const AT_ONCE_BYTES_MAX = 32 * 1024 * 1024;

export interface BulkParts {
  files: FileService;
  authenticator: Authenticator;
  instanceId: string;
}

/** What a client reads about one file. */
type FileAnswer =
  | { error: false; etag: string; fileid: string; permissions: string }
  | { error: true; message: string };

export function bulkUploadHandler(parts: BulkParts): HttpHandler {
  return async (exchange) => {
    try {
      if (exchange.req.method === 'OPTIONS') return answerOptions(exchange);
      const caller = await parts.authenticator.authenticate(exchange);
      if (exchange.req.method !== 'POST') {
        const message = 'Files are sent here by POST.';
        throw new HoldfastError('invalid', 'nextcloud/bulk', message, { code: 'method-unknown' });
      }
      const boundary = boundaryOf(exchange.req.headers['content-type']);
      sendAnswers(exchange, await new Batch(parts, caller, boundary).receive(exchange));
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

function sendAnswers({ res }: Exchange, answers: ReadonlyMap<string, FileAnswer>): void {
  const body = JSON.stringify(Object.fromEntries(answers));
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}

class Batch {
  readonly #parts: BulkParts;
  readonly #caller: Caller;
  readonly #reader: MultipartReader;
  readonly #answers = new Map<string, FileAnswer>();
  /** By path, so that two contents for one file are stored in the order in which they came. */
  readonly #underWay = new Map<string, Promise<void>>();
  #underWayBytes = 0;
  /** The parts of the last piece: a body may end while they still wait for others. */
  #starting: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  constructor(parts: BulkParts, caller: Caller, boundary: string) {
    this.#parts = parts;
    this.#caller = caller;
    this.#reader = new MultipartReader(boundary);
  }

  /** @throws invalid: a body of another form; `body-cut`. Files that had arrived before stay. */
  async receive({ req, signal }: Exchange): Promise<ReadonlyMap<string, FileAnswer>> {
    try {
      await bodySource(req).pour((piece) => this.#take(piece), signal);
      await this.#starting;
      this.#reader.finish();
    } finally {
      await Promise.allSettled([this.#starting]);
      await Promise.all(this.#underWay.values());
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#answers;
  }

  #take(piece: Uint8Array): Promise<void> | undefined {
    const arrived = this.#reader.take(piece);
    // Most pieces complete nothing: those should cost no promise.
    const first = arrived.next();
    if (first.done === true) return undefined;
    this.#starting = this.#startAll(first.value, arrived);
    return this.#starting;
  }

  async #startAll(first: Part, others: Iterable<Part>): Promise<void> {
    await this.#start(first);
    for (const part of others) await this.#start(part);
  }

  async #start(part: Part): Promise<void> {
    const key = part.headers.get('x-file-path');
    if (key === undefined) {
      throw new HoldfastError('invalid', 'nextcloud/bulk', 'A file of the list has no path.');
    }
    await this.#underWay.get(key);
    const sizeBytes = part.content?.length ?? 0;
    this.#underWayBytes += sizeBytes;
    const storing = this.#store(key, part).finally(() => {
      this.#underWayBytes -= sizeBytes;
      this.#underWay.delete(key);
    });
    this.#underWay.set(key, storing);
    while (this.#underWay.size >= AT_ONCE_MAX || this.#underWayBytes > AT_ONCE_BYTES_MAX) {
      await Promise.race(this.#underWay.values());
    }
  }

  /** Never rejects: a refusal is the file's answer, and a fault fails the request at its end. */
  async #store(key: string, part: Part): Promise<void> {
    try {
      const written = await this.#upload(key, part);
      this.#answers.set(key, this.#answerOf(written));
    } catch (error) {
      const fault = error instanceof HoldfastError ? error : undefined;
      if (fault === undefined || fault.kind === 'internal') this.#failure ??= { error };
      this.#answers.set(key, { error: true, message: fault?.message ?? 'Something went wrong.' });
    }
  }

  async #upload(key: string, { headers, content }: Part): Promise<Written> {
    if (content === undefined) {
      const message = 'This file is too large to be sent in a list. Send it by itself.';
      throw new HoldfastError('too-large', 'nextcloud/bulk', message);
    }
    const path = parsePath(key.split('/').filter((name) => name !== ''));
    const [checksum, ...others] = checksumsOf(headers);
    for (const other of others) checkNow(other, content);
    const options: UploadOptions = { checksum, modifiedAt: modifiedAtOf(headers) };
    return this.#parts.files.upload(this.#caller, path, bodyOf(content), options);
  }

  #answerOf({ node }: Written): FileAnswer {
    return {
      error: false,
      etag: etagOf(node).replaceAll('"', ''),
      fileid: fileIdOf(node, this.#parts.instanceId),
      permissions: lettersOf(node),
    };
  }
}

/** The first one is verified, and kept, by the file service. @throws invalid. */
function checksumsOf(headers: ReadonlyMap<string, string>): Checksum[] {
  const stated = headers.get('oc-checksum');
  const md5 = headers.get('x-file-md5');
  return [stated, md5 && `MD5:${md5}`].flatMap((raw) => {
    const checksum = raw ? parseChecksum(raw) : undefined;
    return checksum === undefined ? [] : [checksum];
  });
}

/** @throws invalid `checksum-mismatch`. */
function checkNow({ algorithm, hex }: Checksum, content: Uint8Array): void {
  if (hash(algorithm.toLowerCase(), content, 'hex') === hex) return;
  const message = 'The bytes that arrived do not match their checksum. Please send them again.';
  throw new HoldfastError('invalid', 'nextcloud/bulk', message, { code: 'checksum-mismatch' });
}

/** @throws invalid: to take the file under a wrong time would look like success. */
function modifiedAtOf(headers: ReadonlyMap<string, string>): number | undefined {
  const raw = headers.get('x-oc-mtime') ?? headers.get('x-file-mtime');
  if (raw === undefined || raw === '') return undefined;
  const at = parseUnixSeconds(raw);
  if (at !== undefined) return at;
  const message = 'The time of a file is given in seconds since 1970.';
  throw new HoldfastError('invalid', 'nextcloud/bulk', message, { code: 'time-syntax' });
}
