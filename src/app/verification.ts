/** The verifiers of one data directory: for a server, and for one command beside it. */
import { availableParallelism, userInfo } from 'node:os';
import { join } from 'node:path';
import { isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import type { OpenVerifiers, VerifyParts } from '../cli/index.ts';
import {
  LocalFolder, makeObjectVerifiers, makeVerifiers, noteAbsent, RepairDispatch, VerifierSchedule,
  WriteSampler,
} from '../durability/index.ts';
import type {
  RepairDispatchParts, SealedRecord, StoredObjects, VerifiedDisk, VerifierSetParts, VerifyStore,
} from '../durability/index.ts';
import { SqliteVerifyStore } from '../durability/verify/stores/sqlite/sqlite-verify-store.ts';
import { silentLog } from '../platform/index.ts';
import type { Clock, Logger, Metrics, Random, Slice } from '../platform/index.ts';
import { openSealer } from '../storage/index.ts';
import { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { canariesOf } from './canary-places.ts';
import { idleProcessors } from './idle-processors.ts';
import type { HomeSettings } from './block-home.ts';
import { findHome, ownMarks } from './home-list.ts';
import type { HomePlace, KnownHome } from './home-list.ts';
import { IN_OBJECTS, IN_VOLUMES, openOnlookerObjects } from './object-verification.ts';
import { openOnlookerDisks } from './onlooker.ts';
import { settingsOfHome, storageSettings } from './storage-policies.ts';
import { findShardPlaces } from './shard-places.ts';
import type { ShardPlaces } from './shard-places.ts';
import { VerifiedMetadata } from './verified-metadata.ts';

const NOTES = 'verify.db';
const LEDGER = 'volume-ledger.log';
const VOLUMES = 'volumes';

/** For `holdfast verify`. */
export function verifyParts(slices: readonly Slice[], clock: Clock): VerifyParts {
  return {
    slices, clock, who: accountName, events: process,
    openNotesReadonly: (root) => SqliteVerifyStore.openReadonly(join(root, NOTES)),
    openNotes: (root) => SqliteVerifyStore.open(join(root, NOTES)),
    findHome: async (path, tenant) => (await findHome(path, tenant)).root,
    openVerifiers: async (path, { store, config, tenant }) => {
      const home = await findHome(path, tenant);
      const { places } = await findShardPlaces(home.dataPath, { config, clock });
      const { settings, backend } = settingsOfHome(storageSettings(config), home);
      const stored = await openOnlookerObjects(home, { settings, backend }, clock);
      if (stored !== undefined) {
        const { objects, readBlock } = stored;
        const opened = openVerifiers(home, {
          store, clock, log: silentLog, places, objects, readBlock,
        });
        return {
          verifiers: opened.verifiers,
          close: async () => {
            await opened.close();
            await stored.close();
          },
        };
      }
      const onlooker = await openOnlookerDisks(home, { clock, settings });
      const { disks, goneIds, placement, close } = onlooker;
      const threads = await idleProcessors(clock);
      const opened = openVerifiers(home, {
        store, clock, log: silentLog, places, placement, disks: () => disks,
        goneIds: () => goneIds,
        threadCount: () => threads, unseal: unsealBy(home, settings),
      });
      return {
        verifiers: opened.verifiers,
        close: async () => {
          await opened.close();
          close();
        },
      };
    },
    canaries: {
      findMetadata: (path, { config, onFiles }) => canariesOf(path, { config, clock, onFiles }),
      openBlocks: (folder, { volumeBytesMax, witness }) => LocalVolumeStore.open({
        root: folder, witness, clock, onFinding: () => undefined,
        config: { volumeBytesMax, reserveBytes: 0 },
      }),
      openNotes: (file) => SqliteVerifyStore.open(file),
      openFolder: (folder) => new NodeVolumeFiles(folder),
    },
  };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`; // Some containers have no name for it.
  }
}

/** With the keys of the server, read when the first encrypted list of blocks is met. */
function unsealBy(
  { root, dataPath, tenant }: KnownHome, { encryptionKeyPath }: HomeSettings['settings'],
) {
  let opening: ReturnType<typeof openSealer> | undefined;
  return async ({ id, ...record }: SealedRecord): Promise<Buffer | undefined> => {
    opening ??= openSealer({
      dataDirectory: root, around: dataPath, tenantId: tenant, readsOnly: true,
      masterKeyFile: encryptionKeyPath, compression: 'off',
      holdEncrypted: () => Promise.resolve(true), // Else nobody would ask.
    });
    try {
      return await (await opening)?.unpack({ ...record, id: id as BlockId });
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined; // Its keys were destroyed on purpose.
      throw error;
    }
  };
}

interface OfDatabase {
  /** Where the metadata is. */
  places: ShardPlaces;
}

type OpenOptions = Pick<VerifierSetParts, 'store' | 'clock' | 'log'> & OfDatabase & Partial<Pick<
  VerifierSetParts, 'metrics' | 'read' | 'readBlock' | 'unseal' | 'disks' | 'goneIds'
    | 'placement' | 'threadCount'
>> & OfObjects;

interface OfObjects {
  /** The blocks lie there, not in volumes. */
  objects?: StoredObjects;
}

/** Which home's blocks, and where the metadata is that refers to them. */
export type VerifiedHome = Pick<HomePlace, 'root' | 'tenant' | 'number'> & {
  readonly dataPath: string;
};

/** Of a home that has no other. */
export function onlyDisk(root: string): VerifiedDisk {
  return { id: 'local', files: new LocalFolder(join(root, VOLUMES)) };
}

function openVerifiers(
  home: VerifiedHome, { objects, places, ...options }: OpenOptions,
): OpenVerifiers {
  const { root, tenant, number } = home;
  const metadata = new VerifiedMetadata(places, {
    tenant, ownMarks: (all) => ownMarks(number, all),
  }, options.clock);
  const { source, journal } = metadata;
  const verifiers = objects !== undefined
    ? makeObjectVerifiers({ ...options, objects, source, journal, ledgerPath: join(root, LEDGER) })
    : makeVerifiers({
      source, journal, ledgerPath: join(root, LEDGER), disks: () => [onlyDisk(root)], ...options,
    });
  const reason = objects === undefined ? IN_VOLUMES : IN_OBJECTS;
  noteAbsent(verifiers, { store: options.store, clock: options.clock, reason });
  return {
    verifiers,
    close: () => metadata.close(),
  };
}

/** `read` is how users read, for samples of writes; `disks` and `placement` are all places with
 *  volumes, and where copies belong, if there is more than the one folder. */
export interface VerificationOptions
  extends Partial<Pick<
    VerifierSetParts, 'read' | 'readBlock' | 'disks' | 'goneIds' | 'placement'
  >>, OfObjects, OfDatabase {
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: Metrics;
  /** True while users are waiting. */
  isLoaded: () => boolean;
  /** Left out: there is one disk, and nothing to repair from. */
  propose?: RepairDispatchParts['propose'];
}

/** Beside the thread that serves users one may compute, if there is a processor for it. */
const SERVER_THREADS = availableParallelism() > 1 ? 1 : 0;

/** Verifies in the background until it is stopped. What keeps it from verifying is told, and never
 *  keeps the server from serving. */
export class Verification {
  readonly #store: VerifyStore;
  readonly #opened: OpenVerifiers;
  readonly #schedule: VerifierSchedule;
  readonly #makeDispatch: (propose: RepairDispatchParts['propose']) => RepairDispatch;
  #dispatch: RepairDispatch | undefined;
  /** Takes samples of what users write. */
  readonly sampler: WriteSampler;

  private constructor(
    store: VerifyStore, opened: OpenVerifiers,
    { schedule, sampler, makeDispatch }: {
      schedule: VerifierSchedule; sampler: WriteSampler;
      makeDispatch: (propose: RepairDispatchParts['propose']) => RepairDispatch;
    },
  ) {
    this.#makeDispatch = makeDispatch;
    this.sampler = sampler;
    this.#store = store;
    this.#opened = opened;
    this.#schedule = schedule;
  }

  static start(home: VerifiedHome, options: VerificationOptions): Verification | undefined {
    const { clock, random, log, metrics, isLoaded, propose, ...rest } = options;
    let store: SqliteVerifyStore | undefined;
    try {
      store = SqliteVerifyStore.open(join(home.root, NOTES));
      if (store.wasDamaged) log.error({}, 'the notes of the verifiers were damaged: begun anew');
      const opened = openVerifiers(home, {
        store, clock, log, metrics, threadCount: () => SERVER_THREADS, ...rest,
      });
      const { verifiers } = opened;
      const schedule = new VerifierSchedule({ verifiers, store, clock, log, metrics, isLoaded });
      schedule.start();
      const sampler = new WriteSampler({ store, clock, random });
      const notes = store;
      const verification = new Verification(store, opened, {
        schedule, sampler,
        makeDispatch: (by) => new RepairDispatch({ store: notes, clock, log, propose: by }),
      });
      if (propose !== undefined) verification.repairBy(propose);
      return verification;
    } catch (err) {
      store?.close();
      log.error({ err }, 'nothing is verified; files are served all the same');
      return undefined;
    }
  }

  /** There is something to repair from, now or from now on. To be said once. */
  repairBy(propose: RepairDispatchParts['propose']): void {
    this.#dispatch = this.#makeDispatch(propose);
    this.#dispatch.start();
  }

  async stop(): Promise<void> {
    await this.#schedule.stop();
    await this.#dispatch?.stop();
    this.sampler.flush();
    await this.#opened.close();
    this.#store.close();
  }
}
