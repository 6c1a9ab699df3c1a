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
/** Of a store in which every object is its block, byte for byte. */
const VERSION = 1;
/** Of one that may hold sealed blocks: who does not know them would take them for damage. */
const SEALED_VERSION = 2;
const MARKER_BYTES_MAX = 4096;
const READS_MAX = 3;

export interface MarkerOptions {
  client: ObjectClient;
  dialect: Dialect;
  prefix: string;
  storeId: string;
}

/** What may lie in a store, least to most: blocks as they are, also compressed, also encrypted. */
const LEVELS = ['plain', 'compressed', 'encrypted'] as const;
export type SealingLevel = (typeof LEVELS)[number];

type Fault = { code: string; message: string };
type Reading = { level: SealingLevel } | 'absent' | Fault;

export class StoreMarker {
  readonly #options: MarkerOptions;
  #level: SealingLevel = 'plain';

  constructor(options: MarkerOptions) {
    this.#options = options;
  }

  /** Are there encrypted blocks, or may there be? */
  get mayEncrypt(): boolean {
    return this.#level === 'encrypted';
  }

  /** May a block be another than its object's bytes? */
  get maySeal(): boolean {
    return this.#level !== 'plain';
  }

  get key(): string {
    return this.#options.prefix + MARKER_NAME;
  }

  /** The marker as it must be, byte by byte. */
  get right(): Buffer {
    return bytesOf(this.#options.storeId, this.#level);
  }

  /** Resolves when the prefix holds this store, founding it if that is wanted and the prefix is
   *  empty. @throws conflict: another's, a newer one, not empty, or nothing where one must be. */
  async open(whenEmpty: 'create' | 'refuse', call: Call): Promise<void> {
    const reading = await this.#read(call);
    if (isOurs(reading)) return;
    if (reading !== 'absent') throw this.#conflict(reading, call);
    await this.#checkEmpty(call);
    if (whenEmpty === 'refuse') throw this.#conflict(MISSING, call);
    await this.#write('plain', { create: true }, call);
    // Two may have founded a store at once, where the service cannot keep them apart.
    const after = await this.#read(call);
    if (isOurs(after)) return;
    throw this.#conflict(after === 'absent' ? NOT_KEPT : after, call);
  }

  /** Resolves when the marker says that so much may be found here: before the first such block is
   *  written. It never says less again. @throws as `open`. */
  async raise(level: SealingLevel, call: Call): Promise<void> {
    if (LEVELS.indexOf(level) <= LEVELS.indexOf(this.#level)) return;
    await this.#write(level, {}, call);
    const after = await this.#read(call);
    if (isOurs(after) && after.level === level) return;
    throw this.#conflict(after === 'absent' || isOurs(after) ? NOT_KEPT : after, call);
  }

  /** Resolves when the marker is still there and this store's.
   *  @throws unavailable: the service says that it is not; or cannot be asked. */
  async confirm(call: Call): Promise<void> {
    const reading = await this.#read(call);
    if (isOurs(reading)) return;
    const { code, message } = reading === 'absent' ? GONE : reading;
    throw new HoldfastError('unavailable', call.op, message, { code });
  }

  async #write(level: SealingLevel, { create = false }, call: Call): Promise<void> {
    const { client, storeId } = this.#options;
    const body = bytesOf(storeId, level);
    const sha256 = createHash('sha256').update(body).digest('hex') as BlockId;
    const object = { key: this.key, pieces: [body], sizeBytes: body.length, sha256, create };
    await client.put(object, call);
  }

  async #read(call: Call): Promise<Reading> {
    const { client, storeId } = this.#options;
    for (let count = 1; ; count++) {
      const found = await client.get(this.key, undefined, call);
      if (found === 'absent') return 'absent';
      const reading = found === 'outside' ? DAMAGED : judge(found.bytes, storeId);
      if (isOurs(reading)) this.#level = higher(this.#level, reading.level);
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

function isOurs(reading: Reading): reading is { level: SealingLevel } {
  return typeof reading === 'object' && 'level' in reading;
}

function higher(a: SealingLevel, b: SealingLevel): SealingLevel {
  return LEVELS.indexOf(a) > LEVELS.indexOf(b) ? a : b;
}

function bytesOf(storeId: string, level: SealingLevel): Buffer {
  const fields = level === 'plain' ? { format: FORMAT, version: VERSION, storeId }
    : { format: FORMAT, version: SEALED_VERSION, storeId, blocks: level };
  return Buffer.from(`${JSON.stringify({ ...fields, check: checkOf(fields) })}\n`);
}

function judge(bytes: Buffer, storeId: string): Reading {
  const marker = bytes.length <= MARKER_BYTES_MAX ? parse(bytes) : undefined;
  if (marker === undefined || marker['format'] !== FORMAT) return DAMAGED;
  const { version } = marker;
  if (typeof version !== 'number') return DAMAGED;
  // The check of a later version may be another one.
  if (version > SEALED_VERSION) return NEWER;
  const { format, storeId: found, blocks, check } = marker;
  const fields = { format, version, storeId: found };
  const isSealed = version === SEALED_VERSION;
  if (check !== checkOf(isSealed ? { ...fields, blocks } : fields)) return DAMAGED;
  const level = isSealed ? LEVELS.find((one) => one === blocks) : 'plain';
  if (level === undefined) return DAMAGED;
  return found === storeId ? { level } : FOREIGN;
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

function checkOf(
  { format, version, storeId, blocks }:
  { format: unknown; version: unknown; storeId: unknown; blocks?: unknown },
): string {
  const fields = [format, version, storeId, ...(blocks === undefined ? [] : [blocks])];
  const text = JSON.stringify(fields);
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
