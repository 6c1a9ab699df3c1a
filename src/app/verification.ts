/** The verifiers of one data directory: for a server, and for one command beside it. */
import { join } from 'node:path';
import type { OpenVerifiers, VerifyParts } from '../cli/index.ts';
import { makeVerifiers, VerifierSchedule, WriteSampler } from '../durability/index.ts';
import type { VerifiedDisk, VerifierSetParts, VerifyStore } from '../durability/index.ts';
import {
  SqliteJournalSource,
} from '../durability/verify/stores/sqlite/sqlite-journal-source.ts';
import {
  editSqliteMetadata,
} from '../durability/verify/stores/sqlite/sqlite-metadata-edits.ts';
import {
  SqliteManifestSource,
} from '../durability/verify/stores/sqlite/sqlite-manifest-source.ts';
import { SqliteVerifyStore } from '../durability/verify/stores/sqlite/sqlite-verify-store.ts';
import {
  SqliteMetadataStore,
} from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { silentLog } from '../platform/index.ts';
import type { Clock, Logger, Metrics, Random, Slice } from '../platform/index.ts';
import { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { openOnlookerDisks } from './onlooker.ts';

const NOTES = 'verify.db';
const METADATA = 'metadata.db';
const LEDGER = 'volume-ledger.log';
const VOLUMES = 'volumes';

/** For `holdfast verify`. */
export function verifyParts(slices: readonly Slice[], clock: Clock): VerifyParts {
  return {
    slices, clock,
    openNotesReadonly: (root) => SqliteVerifyStore.openReadonly(join(root, NOTES)),
    openNotes: (root) => SqliteVerifyStore.open(join(root, NOTES)),
    openVerifiers: async (root, store) => {
      const { disks, close } = await openOnlookerDisks(root, clock);
      const opened = openVerifiers(root, { store, clock, log: silentLog, disks: () => disks });
      return {
        verifiers: opened.verifiers,
        close: async () => {
          await opened.close();
          close();
        },
      };
    },
    backends: {
      openBlocks: (folder, { volumeBytesMax, witness }) => LocalVolumeStore.open({
        root: folder, witness, clock, onFinding: () => undefined,
        config: { volumeBytesMax, reserveBytes: 0 },
      }),
      openMetadata: (file) => SqliteMetadataStore.open({ file, create: true }),
      openSource: (file) => SqliteManifestSource.open(file),
      openJournal: (file) => SqliteJournalSource.open(file),
      openNotes: (file) => SqliteVerifyStore.open(file),
      openFolder: (folder) => new NodeVolumeFiles(folder),
      editMetadata: editSqliteMetadata,
    },
  };
}

type OpenOptions = Pick<VerifierSetParts, 'store' | 'clock' | 'log'>
  & Partial<Pick<VerifierSetParts, 'metrics' | 'read' | 'readBlock' | 'disks' | 'placement'>>;

function openVerifiers(root: string, options: OpenOptions): OpenVerifiers {
  const local: VerifiedDisk = { id: 'local', files: new NodeVolumeFiles(join(root, VOLUMES)) };
  const source = SqliteManifestSource.open(join(root, METADATA));
  const journal = SqliteJournalSource.open(join(root, METADATA));
  const verifiers = makeVerifiers({
    source, journal, ledgerPath: join(root, LEDGER), disks: () => [local], ...options,
  });
  return {
    verifiers,
    close: async () => {
      source.close();
      journal.close();
    },
  };
}

/** `read` is how users read, for samples of writes; `disks` and `placement` are all places with
 *  volumes, and where copies belong, if there is more than the one folder. */
export interface VerificationOptions
  extends Partial<Pick<VerifierSetParts, 'read' | 'readBlock' | 'disks' | 'placement'>> {
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: Metrics;
  /** True while users are waiting. */
  isLoaded: () => boolean;
}

/** Verifies in the background until it is stopped. What keeps it from verifying is told, and never
 *  keeps the server from serving. */
export class Verification {
  readonly #store: VerifyStore;
  readonly #opened: OpenVerifiers;
  readonly #schedule: VerifierSchedule;
  /** Takes samples of what users write. */
  readonly sampler: WriteSampler;

  private constructor(
    store: VerifyStore, opened: OpenVerifiers,
    { schedule, sampler }: { schedule: VerifierSchedule; sampler: WriteSampler },
  ) {
    this.sampler = sampler;
    this.#store = store;
    this.#opened = opened;
    this.#schedule = schedule;
  }

  static start(root: string, options: VerificationOptions): Verification | undefined {
    const { clock, random, log, metrics, isLoaded, ...rest } = options;
    let store: SqliteVerifyStore | undefined;
    try {
      store = SqliteVerifyStore.open(join(root, NOTES));
      if (store.wasDamaged) log.error({}, 'the notes of the verifiers were damaged: begun anew');
      const opened = openVerifiers(root, { store, clock, log, metrics, ...rest });
      const { verifiers } = opened;
      const schedule = new VerifierSchedule({ verifiers, store, clock, log, metrics, isLoaded });
      schedule.start();
      const sampler = new WriteSampler({ store, clock, random });
      return new Verification(store, opened, { schedule, sampler });
    } catch (err) {
      store?.close();
      log.error({ err }, 'nothing is verified; files are served all the same');
      return undefined;
    }
  }

  async stop(): Promise<void> {
    await this.#schedule.stop();
    this.sampler.flush();
    await this.#opened.close();
    this.#store.close();
  }
}
