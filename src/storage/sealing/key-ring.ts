/**
 * Envelope keys. A master key, which lives outside the data directory, wraps data keys, which
 * encrypt blocks. So the master key is changed without touching a block, and a tenant's blocks are
 * destroyed by destroying a few bytes.
 *
 * A ring is a value: every change makes a new one, which counts once it was saved. Data keys are
 * never let go but by shredding: somewhere a block may need them.
 */
import {
  createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes,
  type KeyObject,
} from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { HoldfastError } from '../../base/errors.ts';
import { ringText, type KeyEntry, type RingContent } from './ring-format.ts';

const OP = 'storage/KeyRing';
export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
/** Above it somebody rotates by mistake: each rotation leaves a key for ever. */
export const KEYS_MAX = 4096;
const TENANT_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export interface UsableKey {
  readonly state: 'usable';
  readonly id: number;
  readonly tenantId: string;
  readonly key: KeyObject;
}

export interface ShreddedKey {
  readonly state: 'shredded';
  readonly id: number;
  readonly tenantId: string;
  readonly shreddedMs: number;
}

export class KeyRing {
  readonly content: RingContent;
  readonly #master: Buffer;
  readonly #keys = new Map<number, UsableKey | ShreddedKey>();
  readonly #current = new Map<string, UsableKey>();

  private constructor(content: RingContent, master: Buffer) {
    this.content = content;
    this.#master = Buffer.from(master);
    for (const entry of content.keys) this.#take(entry);
  }

  /** A ring with one key, for one tenant. */
  static create(master: Buffer, tenantId: string, nowMs: number): KeyRing {
    const content: RingContent = {
      ringId: randomBytes(16).toString('hex'), sequence: 1, masterId: masterId(master), keys: [],
      mac: '',
    };
    return new KeyRing(signed(withNewKey(content, master, { tenantId, nowMs }), master), master);
  }

  /** @throws conflict, code `master-key-wrong`; corrupt, code `ring-forged`: changed by somebody
   *   who does not have the master key. */
  static unlock(content: RingContent, master: Buffer): KeyRing {
    if (content.masterId !== masterId(master)) {
      const message = 'The master key does not fit the key ring. Name the file with the right one; '
        + 'after a rotation that is the new one. Nothing was changed.';
      throw new HoldfastError('conflict', `${OP}.unlock`, message, { code: 'master-key-wrong' });
    }
    if (content.mac !== macOf(content, master)) throw forged();
    return new KeyRing(content, master);
  }

  get hasShredded(): boolean {
    return this.content.keys.some(({ state }) => state === 'shredded');
  }

  /** The key with which the tenant's blocks are encrypted now.
   *  @throws conflict, code `tenant-shredded` or `tenant-unknown`. */
  current(tenantId: string): UsableKey {
    const key = this.#current.get(tenantId);
    if (key !== undefined) return key;
    const known = this.content.keys.some((entry) => entry.tenant === tenantId);
    const message = known
      ? 'The keys of this tenant were destroyed. New content needs a new key: holdfast keys rotate.'
      : 'This tenant has no key yet. Make one: holdfast keys rotate.';
    const code = known ? 'tenant-shredded' : 'tenant-unknown';
    throw new HoldfastError('conflict', `${OP}.current`, message, { code });
  }

  /** Undefined when this ring never had such a key. */
  find(keyId: number): UsableKey | ShreddedKey | undefined {
    return this.#keys.get(keyId);
  }

  /** A new key for what the tenant writes from now on; for a tenant without one, its first.
   *  @throws invalid: no tenant's id; too-large: there are KEYS_MAX keys. */
  withNewDataKey(tenantId: string, nowMs: number): KeyRing {
    const next = withNewKey(nextOf(this.content), this.#master, { tenantId, nowMs });
    return new KeyRing(signed(next, this.#master), this.#master);
  }

  /** The same data keys, wrapped with another master key. */
  withMasterKey(master: Buffer): KeyRing {
    const keys = this.content.keys.map((entry): KeyEntry => {
      if (entry.state === 'shredded') return entry;
      const plain = unwrap(entry, this.content.ringId, this.#master);
      const wrapped = wrap(plain, { ...entry, ringId: this.content.ringId }, master);
      plain.fill(0);
      return { ...entry, wrapped };
    });
    const next = { ...nextOf(this.content), masterId: masterId(master), keys };
    return new KeyRing(signed(next, master), master);
  }

  /** Without the tenant's keys; each leaves a tombstone, so that reads can say what happened.
   *  @throws not-found: the tenant has no keys. */
  withoutTenant(tenantId: string, nowMs: number): KeyRing {
    let destroyed = 0;
    const keys = this.content.keys.map((entry): KeyEntry => {
      if (entry.tenant !== tenantId || entry.state === 'shredded') return entry;
      destroyed++;
      const { id, tenant, createdMs } = entry;
      return { id, tenant, state: 'shredded', createdMs, shreddedMs: nowMs };
    });
    if (destroyed === 0) {
      const message = 'This tenant has no keys that could be destroyed.';
      throw new HoldfastError('not-found', `${OP}.withoutTenant`, message);
    }
    const next = { ...nextOf(this.content), keys };
    return new KeyRing(signed(next, this.#master), this.#master);
  }

  #take(entry: KeyEntry): void {
    const { id, tenant: tenantId } = entry;
    if (entry.state === 'shredded') {
      const { shreddedMs } = entry;
      this.#keys.set(id, { state: 'shredded', id, tenantId, shreddedMs });
      return;
    }
    const plain = unwrap(entry, this.content.ringId, this.#master);
    const usable: UsableKey = { state: 'usable', id, tenantId, key: createSecretKey(plain) };
    plain.fill(0);
    this.#keys.set(id, usable);
    if (entry.state === 'current') this.#current.set(tenantId, usable);
  }
}

function nextOf(content: RingContent): RingContent {
  return { ...content, sequence: content.sequence + 1 };
}

/** The tenant's present key becomes an old one. */
function withNewKey(
  content: RingContent, master: Buffer, { tenantId, nowMs }: { tenantId: string; nowMs: number },
): RingContent {
  if (!TENANT_ID.test(tenantId)) {
    const message = 'A tenant is named by 1 to 64 of a-z, 0-9, dot, underscore and hyphen.';
    throw new HoldfastError('invalid', `${OP}.withNewDataKey`, message);
  }
  if (content.keys.length >= KEYS_MAX) {
    const message = 'The key ring is full. Keys are rotated far too often.';
    throw new HoldfastError('too-large', `${OP}.withNewDataKey`, message);
  }
  const others = content.keys.map((entry): KeyEntry =>
    entry.tenant === tenantId && entry.state === 'current' ? { ...entry, state: 'old' } : entry);
  const id = freshId(content);
  const plain = randomBytes(KEY_BYTES);
  const wrapped = wrap(plain, { id, tenant: tenantId, ringId: content.ringId }, master);
  plain.fill(0);
  const entry: KeyEntry = { id, tenant: tenantId, state: 'current', createdMs: nowMs, wrapped };
  return { ...content, keys: [...others, entry] };
}

/** Random, so that the blocks of a lost ring are never taken for those of a new one. */
function freshId({ keys }: RingContent): number {
  for (let tries = 0; tries < 100; tries++) {
    const id = randomBytes(4).readUInt32LE();
    if (id !== 0 && keys.every((entry) => entry.id !== id)) return id;
  }
  throw new Error('random numbers repeat');
}

interface WrapPlace {
  readonly id: number;
  readonly tenant: string;
  readonly ringId: string;
}

function wrap(plain: Buffer, place: WrapPlace, master: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const key = derived(master, 'wrap', KEY_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(wrapData(place));
  const wrapped = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  key.fill(0);
  return wrapped.toString('base64');
}

function unwrap(
  entry: Exclude<KeyEntry, { state: 'shredded' }>, ringId: string, master: Buffer,
): Buffer {
  const wrapped = Buffer.from(entry.wrapped, 'base64');
  assert(wrapped.length === IV_BYTES + KEY_BYTES + TAG_BYTES, 'a wrapped key has 60 bytes');
  const key = derived(master, 'wrap', KEY_BYTES);
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv(ALGORITHM, key, wrapped.subarray(0, IV_BYTES), options);
  key.fill(0);
  decipher.setAAD(wrapData({ ...entry, ringId }));
  decipher.setAuthTag(wrapped.subarray(IV_BYTES + KEY_BYTES));
  const plain = decipher.update(wrapped.subarray(IV_BYTES, IV_BYTES + KEY_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw forged(cause);
  }
  return plain;
}

/** A wrapped key is worth something only in its own place of its own ring. */
function wrapData({ ringId, tenant, id }: WrapPlace): Buffer {
  return Buffer.from(`holdfast data key 1 ${ringId} ${tenant} ${id}`);
}

/** The master key itself encrypts nothing: each use has a key of its own (RFC 5869). */
function derived(master: Buffer, use: string, lengthBytes: number): Buffer {
  const info = `holdfast key ring 1 ${use}`;
  return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), info, lengthBytes));
}

/** Tells master keys apart and says nothing about them. */
export function masterId(master: Buffer): string {
  return derived(master, 'id', 8).toString('hex');
}

function signed(content: RingContent, master: Buffer): RingContent {
  return { ...content, mac: macOf(content, master) };
}

function macOf(content: RingContent, master: Buffer): string {
  const key = derived(master, 'mac', KEY_BYTES);
  return createHmac('sha256', key).update(ringText({ ...content, mac: '' })).digest('hex');
}

function forged(cause?: unknown): HoldfastError {
  const message = 'The key ring was changed by somebody without the master key. '
    + 'Restore it from a copy; nothing was changed.';
  const options = { code: 'ring-forged', ...(cause !== undefined && { cause }) };
  return new HoldfastError('corrupt', `${OP}.unlock`, message, options);
}
