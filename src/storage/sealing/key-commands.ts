/**
 * What an operator does with keys. Each of these needs the lock of the data directory: a running
 * server keeps the keys it has started with, and would go on with them.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { BlockSealer, DEFAULT_TENANT, type CompressionMode } from './block-sealer.ts';
import { KeyRing, masterId } from './key-ring.ts';
import { createMasterKey, readMasterKey } from './master-key.ts';
import { RingFiles } from './ring-files.ts';
import type { RingContent } from './ring-format.ts';

const OP = 'storage/keys';

export interface KeyPlaces {
  /** The server's data directory. */
  readonly dataDirectory: string;
  /** The file with the master key, outside of it. */
  readonly masterKeyFile: string;
  /** A directory around it, outside of which the master key must lie as well. */
  readonly around?: string;
  /** Whose data keys these are; DEFAULT_TENANT unless said. */
  readonly tenantId?: string;
}

export interface KeyStatus {
  /** Tells master keys apart; shows nothing of them. */
  readonly masterId: string;
  /** How often the ring was changed. */
  readonly sequence: number;
  /** One of the two files of the ring is missing or damaged; the next start repairs it. */
  readonly isLame: boolean;
  readonly tenants: readonly TenantKeys[];
}

export interface TenantKeys {
  readonly tenantId: string;
  /** With it new blocks are encrypted; undefined after shredding. */
  readonly currentKeyId: number | undefined;
  /** When that key was made, ms since 1970. */
  readonly currentSinceMs: number | undefined;
  /** Kept for reading. */
  readonly oldKeyCount: number;
  readonly shreddedKeyCount: number;
}

/** Whether blocks are stored that are encrypted, in whichever volumes. A sample is enough. */
export type HoldEncrypted = () => Promise<boolean>;

/**
 * Makes a ring, and the master key unless its file is there already. Durable once resolved.
 * @throws exists: there is a ring; it is left as it is; conflict, code `ring-lost`: there was one.
 *   Others as `readMasterKey`, and what `holdEncrypted` throws. Nothing was changed then.
 */
export async function initKeys(
  places: KeyPlaces, clock: Clock, holdEncrypted: HoldEncrypted,
): Promise<KeyStatus> {
  const files = new RingFiles(places.dataDirectory);
  if (await files.load() !== undefined) {
    const message = 'There is a key ring already. Nothing was changed.';
    throw new HoldfastError('exists', `${OP}.init`, message);
  }
  if (await holdEncrypted()) throw ringLost('init');
  const master = await makeOrReadMaster(places);
  const ring = KeyRing.create(master, tenantOf(places), clock.now());
  await files.save(ring.content);
  return statusOf(ring.content, false);
}

/** A new key for what the tenant writes from now on. What is stored stays as it is, and readable.
 *  Durable once resolved. */
export async function rotateDataKey(
  places: KeyPlaces, clock: Clock, tenantId: string = tenantOf(places),
): Promise<KeyStatus> {
  const { files, ring } = await unlockRing(places);
  const next = ring.withNewDataKey(tenantId, clock.now());
  await files.save(next.content);
  return statusOf(next.content, false);
}

/**
 * Wraps all data keys with the master key in another file, which is made unless it is there. No
 * block is touched. Once resolved only the new key fits, and the settings must name its file.
 * After a rejection either may fit: try the new one first.
 * @throws conflict, code `same-master-key`.
 */
export async function rotateMasterKey(places: KeyPlaces, newFile: string): Promise<KeyStatus> {
  const { files, ring } = await unlockRing(places);
  const master = await makeOrReadMaster({ ...places, masterKeyFile: newFile });
  if (masterId(master) === ring.content.masterId) {
    const message = 'This is the master key that is in use already. Nothing was changed.';
    throw new HoldfastError('conflict', `${OP}.rotateMaster`, message, { code: 'same-master-key' });
  }
  const next = ring.withMasterKey(master);
  await files.save(next.content);
  return statusOf(next.content, false);
}

/** What has to be typed before a tenant's keys are destroyed. */
export function shredConfirmation(tenantId: string): string {
  return `destroy everything of ${tenantId} for ever`;
}

/**
 * Destroys a tenant's keys, and with them all that was stored under them, in every copy of the
 * volumes. It cannot be undone from this data directory; a backup of keys.json together with its
 * master key could. So rotate the master key afterwards and destroy the old one.
 * @throws precondition, code `not-confirmed`: nothing was changed; not-found: no such keys.
 */
export async function shredTenant(
  places: KeyPlaces, clock: Clock, { tenantId, typed }: { tenantId: string; typed: string },
): Promise<KeyStatus> {
  if (typed !== shredConfirmation(tenantId)) {
    const message = `To destroy all content of this tenant, type: ${shredConfirmation(tenantId)}`;
    throw new HoldfastError('precondition', `${OP}.shred`, message, { code: 'not-confirmed' });
  }
  const { files, ring } = await unlockRing(places);
  const next = ring.withoutTenant(tenantId, clock.now());
  await files.save(next.content);
  return statusOf(next.content, false);
}

/** Needs no master key. Undefined when there is no ring. */
export async function keyStatus(dataDirectory: string): Promise<KeyStatus | undefined> {
  const loaded = await new RingFiles(dataDirectory).load();
  return loaded === undefined ? undefined : statusOf(loaded.content, loaded.isLame);
}

export interface SealerSettings {
  readonly dataDirectory: string;
  /** Undefined: nothing is encrypted. */
  readonly masterKeyFile: string | undefined;
  readonly compression: CompressionMode;
  /** Asked when there is no ring. */
  readonly holdEncrypted: HoldEncrypted;
  /** As in KeyPlaces. */
  readonly around?: string;
  readonly tenantId?: string;
  /** One of the ring's two files was missing or damaged, and has been written again. */
  readonly onRingRepaired?: () => void;
  /** For whoever looks on while a server may run: the ring is left as it is. */
  readonly readsOnly?: boolean;
}

/**
 * What a start does. Undefined when blocks are stored as they are.
 * @throws conflict, code `ring-missing`: encryption is asked for and there is no ring; `ring-lost`:
 *   what is stored is encrypted, and there is no ring; `master-key-missing`: there is a ring and no
 *   master key is named; and what reading the master key, the ring and the volumes throws. Then the
 *   server must not start; nothing was changed.
 */
export async function openSealer(settings: SealerSettings): Promise<BlockSealer | undefined> {
  const { dataDirectory, masterKeyFile, compression, around } = settings;
  const tenantId = tenantOf(settings);
  const hasRing = await new RingFiles(dataDirectory).load() !== undefined;
  if (!hasRing && await settings.holdEncrypted()) throw ringLost('open');
  if (masterKeyFile !== undefined) {
    const { files, ring, isLame } = await unlockRing({
      dataDirectory, masterKeyFile, ...(around !== undefined && { around }),
    });
    if (isLame && settings.readsOnly !== true) {
      await files.save(ring.content);
      settings.onRingRepaired?.();
    }
    return new BlockSealer({ compression, keys: ring, tenantId });
  }
  if (hasRing) {
    const message = 'What this server stores is encrypted. Name the file with the master key in '
      + 'the setting storage.encryption_key_file. Nothing was changed.';
    throw new HoldfastError('conflict', `${OP}.open`, message, { code: 'master-key-missing' });
  }
  return compression === 'off' ? undefined : new BlockSealer({ compression });
}

async function unlockRing(
  { dataDirectory, masterKeyFile, around = dataDirectory }: KeyPlaces,
): Promise<{ files: RingFiles; ring: KeyRing; isLame: boolean }> {
  const files = new RingFiles(dataDirectory);
  const master = await readMasterKey({ path: masterKeyFile, dataDirectory: around });
  const loaded = await files.load();
  if (loaded === undefined) {
    const message = 'There is no key ring. If files were encrypted before, restore keys.json from '
      + 'a backup; else make one: holdfast keys init. Nothing was changed.';
    throw new HoldfastError('conflict', `${OP}.open`, message, { code: 'ring-missing' });
  }
  return { files, ring: KeyRing.unlock(loaded.content, master), isLame: loaded.isLame };
}

function ringLost(method: string): HoldfastError {
  const message = 'Encrypted files are stored here, and the key ring that opens them is missing. '
    + 'Put keys.json or keys-copy.json back into the data directory, from a backup; a new ring '
    + 'could not open them. Nothing was changed.';
  return new HoldfastError('conflict', `${OP}.${method}`, message, { code: 'ring-lost' });
}

/** A file that cannot be read is never replaced. */
async function makeOrReadMaster(
  { masterKeyFile, dataDirectory, around = dataDirectory }: KeyPlaces,
): Promise<Buffer> {
  const place = { path: masterKeyFile, dataDirectory: around };
  try {
    return await createMasterKey(place);
  } catch (error) {
    if (error instanceof HoldfastError && error.kind === 'exists') return readMasterKey(place);
    throw error;
  }
}

function tenantOf({ tenantId = DEFAULT_TENANT }: { tenantId?: string }): string {
  return tenantId;
}

function statusOf({ masterId: id, sequence, keys }: RingContent, isLame: boolean): KeyStatus {
  const tenantIds = [...new Set(keys.map(({ tenant }) => tenant))].sort();
  const tenants = tenantIds.map((tenantId): TenantKeys => {
    const own = keys.filter(({ tenant }) => tenant === tenantId);
    const current = own.find(({ state }) => state === 'current');
    return {
      tenantId,
      currentKeyId: current?.id,
      currentSinceMs: current?.createdMs,
      oldKeyCount: own.filter(({ state }) => state === 'old').length,
      shreddedKeyCount: own.filter(({ state }) => state === 'shredded').length,
    };
  });
  return { masterId: id, sequence, isLame, tenants };
}
