/**
 * The marker object says whose store lies in a prefix and in which format:
 * docs/formats/object-store.md.
 *
 * Nothing is written before the marker was read and is right. Later it is the witness that an
 * object that is not there is really absent: when bucket, prefix or store are gone as well, the
 * answer is "unavailable", never "there is no such block".
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Dialect } from './dialect.ts';
import type { ObjectClient } from './object-client.ts';
import type { Call } from './s3-client.ts';

export const MARKER_NAME = 'holdfast-store.json';
export const BLOCKS_FOLDER = 'blocks/';
export const TRASH_FOLDER = 'trash/';

const FORMAT = 'holdfast-object-store';
const VERSION = 1;
const MARKER_BYTES_MAX = 4096;
const READS_MAX = 3;

export interface MarkerOptions {
  client: ObjectClient;
  dialect: Dialect;
  prefix: string;
  storeId: string;
}

type Reading = 'ours' | 'absent' | { code: string; message: string };

export class StoreMarker {
  readonly #options: MarkerOptions;

  constructor(options: MarkerOptions) {
    this.#options = options;
  }

  get key(): string {
    return this.#options.prefix + MARKER_NAME;
  }

  /** The marker as it must be, byte by byte. */
  get right(): Buffer {
    const fields = { format: FORMAT, version: VERSION, storeId: this.#options.storeId };
    return Buffer.from(`${JSON.stringify({ ...fields, check: checkOf(fields) })}\n`);
  }

  /** Resolves when the prefix holds this store, founding it if that is wanted and the prefix is
   *  empty. @throws conflict: another's, a newer one, not empty, or nothing where one must be. */
  async open(whenEmpty: 'create' | 'refuse', call: Call): Promise<void> {
    const reading = await this.#read(call);
    if (reading === 'ours') return;
    if (reading !== 'absent') throw this.#conflict(reading, call);
    await this.#checkEmpty(call);
    if (whenEmpty === 'refuse') throw this.#conflict(MISSING, call);
    const body = this.right;
    const sha256 = createHash('sha256').update(body).digest('hex') as BlockId;
    const { client } = this.#options;
    const object = { key: this.key, pieces: [body], sizeBytes: body.length, sha256, create: true };
    await client.put(object, call);
    // Two may have founded a store at once, where the service cannot keep them apart.
    const after = await this.#read(call);
    if (after === 'ours') return;
    throw this.#conflict(after === 'absent' ? NOT_KEPT : after, call);
  }

  /** Resolves when the marker is still there and this store's.
   *  @throws unavailable: the service says that it is not; or cannot be asked. */
  async confirm(call: Call): Promise<void> {
    const reading = await this.#read(call);
    if (reading === 'ours') return;
    const { code, message } = reading === 'absent' ? GONE : reading;
    throw new HoldfastError('unavailable', call.op, message, { code });
  }

  async #read(call: Call): Promise<Reading> {
    const { client, storeId } = this.#options;
    for (let count = 1; ; count++) {
      const found = await client.get(this.key, undefined, call);
      if (found === 'absent') return 'absent';
      const reading = found === 'outside' ? DAMAGED : judge(found.bytes, storeId);
      // A bit that fell over on the way is another one the next time.
      const doubtful = reading === DAMAGED || reading === NEWER;
      if (!doubtful || count >= READS_MAX) return reading;
    }
  }

  /** Blocks without a marker are somebody's, whose marker was lost: nothing is put between them. */
  async #checkEmpty(call: Call): Promise<void> {
    const { client, prefix } = this.#options;
    const page = await client.list(prefix, undefined, call);
    if (page.objects.length > 0) throw this.#conflict(NOT_EMPTY, call);
  }

  #conflict({ code, message }: { code: string; message: string }, { op }: Call): HoldfastError {
    return new HoldfastError('conflict', op, message, { code });
  }
}

function judge(bytes: Buffer, storeId: string): Reading {
  const marker = bytes.length <= MARKER_BYTES_MAX ? parse(bytes) : undefined;
  if (marker === undefined || marker['format'] !== FORMAT) return DAMAGED;
  const { version } = marker;
  if (typeof version !== 'number') return DAMAGED;
  // The check of a later version may be another one.
  if (version > VERSION) return NEWER;
  const { format, storeId: found, check } = marker;
  if (check !== checkOf({ format, version, storeId: found })) return DAMAGED;
  return found === storeId ? 'ours' : FOREIGN;
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function checkOf(fields: { format: unknown; version: unknown; storeId: unknown }): string {
  const text = JSON.stringify([fields.format, fields.version, fields.storeId]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

const MISSING = {
  code: 'store-missing',
  message: 'There is no store in this bucket and prefix, though there must be one. Correct the '
    + 'settings, or restore the bucket. Nothing was written.',
};
const GONE = {
  code: 'store-gone',
  message: 'The store in the bucket is gone: its marker object is not there. Find out who deleted '
    + 'it before anything is written.',
};
const NOT_KEPT = {
  code: 'marker-not-kept',
  message: 'The object store acknowledged the marker object and does not have it. Do not use it.',
};
const NOT_EMPTY = {
  code: 'prefix-not-empty',
  message: 'There are objects in this bucket and prefix, but no marker of a store. Choose an empty '
    + 'prefix, or restore the marker. Nothing was written.',
};
const FOREIGN = {
  code: 'foreign-store',
  message: 'This bucket and prefix hold the store of another installation. Choose another prefix. '
    + 'Nothing was written.',
};
const NEWER = {
  code: 'newer-format',
  message: 'The store in this bucket was written by a newer version of Holdfast. Start that one or '
    + 'a later one. Nothing was written.',
};
const DAMAGED = {
  code: 'marker-damaged',
  message: 'The marker object of the store is damaged, or somebody else\'s. Restore it, or choose '
    + 'another prefix. Nothing was written.',
};
