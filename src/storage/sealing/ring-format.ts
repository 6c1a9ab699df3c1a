/** The bytes of a key ring: docs/formats/key-ring.md. Reading them needs no key. */
import { hash } from 'node:crypto';

export const RING_FORMAT = 1;
/** Far above what KEYS_MAX keys take. */
export const RING_BYTES_MAX: number = 4 * 1024 ** 2;

export type KeyEntry =
  | {
    readonly id: number;
    readonly tenant: string;
    readonly state: 'current' | 'old';
    readonly createdMs: number;
    /** Base64: nonce, encrypted key, tag. */
    readonly wrapped: string;
  }
  | {
    readonly id: number;
    readonly tenant: string;
    readonly state: 'shredded';
    readonly createdMs: number;
    readonly shreddedMs: number;
  };

export interface RingContent {
  readonly ringId: string;
  /** One more with every change: of two sound files the higher one counts. */
  readonly sequence: number;
  readonly masterId: string;
  readonly keys: readonly KeyEntry[];
  /** Keyed with the master key; over the text of this with an empty `mac`. */
  readonly mac: string;
}

export function encodeRing(content: RingContent): Buffer {
  const ring = ordered(content);
  const file = { format: RING_FORMAT, sha256: sumOf(RING_FORMAT, ring), ring };
  return Buffer.from(`${JSON.stringify(file, undefined, 2)}\n`);
}

export type RingFault = 'damaged' | 'newer';

export function decodeRing(bytes: Buffer): RingContent | RingFault {
  let file: unknown;
  try {
    file = JSON.parse(bytes.toString());
  } catch {
    return 'damaged';
  }
  if (!isTable(file) || typeof file['format'] !== 'number') return 'damaged';
  const { format, sha256, ring } = file;
  if (!isTable(ring) || sha256 !== sumOf(format, ring)) return 'damaged';
  if (format !== RING_FORMAT) return format > RING_FORMAT ? 'newer' : 'damaged';
  return isContent(ring) ? ring : 'damaged';
}

/** What the checksum and the mac are taken of. */
export function ringText(content: RingContent): string {
  return JSON.stringify(ordered(content));
}

/** Of JSON without spaces, the ring's members in the order of the file. All formats keep to this,
 *  so that a newer one is told from a damaged one. */
function sumOf(format: number, ring: object): string {
  return hash('sha256', JSON.stringify({ format, ring }));
}

function ordered({ ringId, sequence, masterId, keys, mac }: RingContent): RingContent {
  return {
    ringId, sequence, masterId,
    keys: keys.map((entry): KeyEntry => {
      const { id, tenant, createdMs } = entry;
      return entry.state === 'shredded'
        ? { id, tenant, state: entry.state, createdMs, shreddedMs: entry.shreddedMs }
        : { id, tenant, state: entry.state, createdMs, wrapped: entry.wrapped };
    }),
    mac,
  };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isContent(ring: Record<string, unknown>): ring is Record<string, unknown> & RingContent {
  const { ringId, sequence, masterId, keys, mac } = ring;
  if (!isHex(ringId, 32) || !isHex(masterId, 16) || !isHex(mac, 64)) return false;
  if (!isCount(sequence) || sequence === 0 || !Array.isArray(keys)) return false;
  if (!keys.every(isEntry)) return false;
  const ids = new Set(keys.map(({ id }) => id));
  const current = keys.filter(({ state }) => state === 'current').map(({ tenant }) => tenant);
  return ids.size === keys.length && new Set(current).size === current.length;
}

function isEntry(entry: unknown): entry is KeyEntry {
  if (!isTable(entry)) return false;
  const { id, tenant, state, createdMs, wrapped, shreddedMs } = entry;
  if (!isCount(id) || id === 0 || id > 0xffff_ffff) return false;
  if (typeof tenant !== 'string' || !isCount(createdMs)) return false;
  if (state === 'shredded') return isCount(shreddedMs) && wrapped === undefined;
  const isWrapped = typeof wrapped === 'string' && /^[A-Za-z0-9+/]{80}$/.test(wrapped);
  return (state === 'current' || state === 'old') && isWrapped;
}

function isHex(value: unknown, digits: number): value is string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
