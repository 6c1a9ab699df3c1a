/** Garbage collection of one data directory: opened for a server or for one command. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import {
  GarbageCollector, paceOf, readGcStatus, VolumeLedger, type CollectorReport,
  type CollectorTrouble, type GcStatus,
} from '../durability/index.ts';
import { SqliteGcStore } from '../durability/gc/stores/sqlite/sqlite-gc-store.ts';
import { findDataDirectory, lockData } from '../platform/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';
import type { BlockHome } from './block-home.ts';
import { findHome } from './home-list.ts';
import { manifestHomes } from './home-references.ts';
import { MirrorCollection } from './mirror-collection.ts';
import { MIRROR_LEDGER, MIRROR_NOTES } from './mirror-place.ts';
import { openStores } from './stores.ts';
import { COLLECTING } from './web-node.ts';
import type { Stores, StoresOptions } from './stores.ts';

const NOTES = 'gc.db';
const LEDGER = 'volume-ledger.log';
const HOUR_MS = 60 * 60 * 1000;
/** After a start there is more urgent work. */
const FIRST_RUN_MS = 10 * 60 * 1000;

export interface CollectionOptions {
  clock: Clock;
  bytesPerSecond: number;
  onTrouble: (trouble: CollectorTrouble) => void;
  signal?: AbortSignal;
}

export interface Collection {
  collector: GarbageCollector;
  /** Of the second place, if there is a mirror. */
  mirror: MirrorCollection | undefined;
  close(): Promise<void>;
}

/** @throws corrupt: the ledger is damaged; unavailable, full, invalid. */
export async function openCollection(
  home: BlockHome, { metadata, homes }: Pick<Stores, 'metadata' | 'homes'>,
  { clock, bytesPerSecond, onTrouble, signal }: CollectionOptions,
): Promise<Collection> {
  const { blocks, backend, place: { root } } = home;
  const notes = SqliteGcStore.open(join(root, NOTES));
  try {
    const opened = await VolumeLedger.open(join(root, LEDGER), notes);
    const common = {
      metadata, clock, onTrouble, pace: paceOf(clock, bytesPerSecond, signal),
      homes: manifestHomes(home, { metadata, homes }),
    };
    const collector = new GarbageCollector({
      ...common, blocks, reclaim: backend.reclaim, volumes: backend.volumes, notes,
      get replaced() {
        return home.opened?.replaced; // Disks may be added while the server runs.
      },
    }, opened);
    const { mirror: places, mirrored } = backend;
    const mirror = places && new MirrorCollection({
      ...common, root, mirror: places, mirrored, collector,
    });
    const close = async (): Promise<void> => {
      await mirror?.close();
      await opened.ledger.close();
      notes.close();
    };
    return { collector, mirror, close };
  } catch (error) {
    notes.close();
    throw error;
  }
}

/** For one command, while no server runs. @throws conflict, code `data-locked`; and as openStores
 *  and openCollection. */
export async function openCollectionAlone(
  path: string,
  options: StoresOptions & { tenant: TenantId; complain: (line: string) => void },
): Promise<Collection> {
  const { clock, complain, tenant } = options;
  const { path: root } = await findDataDirectory(path);
  const lock = lockData(root);
  let stores: Stores | undefined;
  try {
    stores = await openStores(root, options);
    const opened = stores;
    await collectAlone(opened);
    const home = await opened.homes.knownHome(tenant);
    const collection = await openCollection(home, opened, {
      clock, bytesPerSecond: Infinity, onTrouble: (trouble) => complain(textOf(trouble)),
    });
    const close = async (): Promise<void> => {
      await collection.close();
      await opened.close();
      lock.release();
    };
    return { ...collection, close };
  } catch (error) {
    await stores?.close();
    lock.release();
    throw error;
  }
}

/** Of several servers one collects. */
async function collectAlone({ webNode }: Pick<Stores, 'webNode'>): Promise<void> {
  if (webNode === undefined || webNode.isAlone) return;
  const nothing = { stop: () => Promise.resolve() };
  const { isHeld } = await webNode.leased(COLLECTING, () => Promise.resolve(nothing));
  if (isHeld) return;
  const message = 'Another server collects garbage. See "holdfast node list", and call this where '
    + 'that one runs, once it has ended.';
  throw new HoldfastError('conflict', 'app/openCollection', message, { code: 'not-collecting' });
}

/** Whether or not a server runs. `mirror`: of the second place, once it was collected. */
export async function readCollectionStatus(
  path: string, tenant: TenantId, clock: Clock,
): Promise<GcStatus & { mirror?: GcStatus }> {
  const { root } = await findHome(path, tenant);
  const own = await readNotes(root, [NOTES, LEDGER], clock);
  if (!existsSync(join(root, MIRROR_NOTES))) return own;
  return { ...own, mirror: await readNotes(root, [MIRROR_NOTES, MIRROR_LEDGER], clock) };
}

async function readNotes(
  root: string, [notesName, ledgerName]: readonly [string, string], clock: Clock,
): Promise<GcStatus> {
  const file = join(root, notesName);
  const notes = existsSync(file) ? SqliteGcStore.openReadonly(file) : undefined;
  const empty = SqliteGcStore.open(':memory:');
  try {
    const ledgerPath = join(root, ledgerName);
    return await readGcStatus(notes ?? empty, { ledgerPath, now: clock.now() });
  } finally {
    notes?.close();
    empty.close();
  }
}

export interface ScheduleOptions {
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  everyHours: number;
  bytesPerSecond: number;
  /** Runs one piece of work after the other; left out: at once. */
  inTurn?: <T>(act: () => Promise<T>) => Promise<T>;
}

/** Collects now and then until it is stopped. A collection that cannot be opened or fails is told,
 *  and never keeps the server from serving. */
export class CollectionSchedule {
  readonly #options: ScheduleOptions;
  readonly #abort = new AbortController();
  readonly #troubles: MetricCounter;
  readonly #freed: MetricCounter;
  #collection: Collection | undefined;
  #cancel: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #isRunning = false;
  #last: CollectorReport | undefined;
  #lastEndedAt = 0;

  private constructor(options: ScheduleOptions) {
    const { metrics } = options;
    this.#options = options;
    this.#troubles = metrics.counter({
      name: 'gc_troubles_total', labels: ['what'],
      help: 'What kept garbage collection from dealing with something.',
    });
    this.#freed = metrics.counter({
      name: 'gc_freed_bytes_total', help: 'Bytes of volumes that were unlinked.',
    });
    metrics.gaugeOf({
      name: 'gc_last_run_timestamp_seconds', help: 'When garbage was last collected with success.',
    }, () => this.#lastEndedAt / 1000);
    metrics.gaugeOf({
      name: 'gc_unneeded_bytes', help: 'Stored blocks that the last census did not meet.',
    }, () => this.#last?.census.unmetBytes ?? 0);
    metrics.gaugeOf({
      name: 'gc_missing_blocks', help: 'Blocks that something refers to and that are not there.',
    }, () => this.#last?.census.absentCount ?? 0);
    metrics.gaugeOf({
      name: 'uploads_pending_bytes', help: 'In parts of uploads that are not finished.',
    }, () => this.#last?.census.pendingBytes ?? 0);
    metrics.gaugeOf({
      name: 'gc_trash_bytes', help: 'Of volumes that wait in the trash.',
    }, () => this.#trashBytes());
  }

  static async start(
    home: BlockHome, stores: Pick<Stores, 'metadata' | 'homes'>, options: ScheduleOptions,
  ): Promise<CollectionSchedule> {
    const schedule = new CollectionSchedule(options);
    try {
      const { clock, bytesPerSecond } = options;
      schedule.#collection = await openCollection(home, stores, {
        clock, bytesPerSecond, signal: schedule.#abort.signal,
        onTrouble: (trouble) => schedule.#tell(trouble),
      });
      schedule.#next(FIRST_RUN_MS);
    } catch (err) {
      options.log.error({ err }, 'garbage is not collected; files are served all the same');
    }
    return schedule;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#cancel();
    this.#abort.abort(new Error('the server is stopping'));
    await this.#running;
    await this.#collection?.close();
    this.#collection = undefined;
  }

  /** A run is under way, or waits for its turn. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Begins a run now; the next one comes a whole period later. False: one is under way, or nothing
   *  can be collected. */
  begin(): boolean {
    const isIdle = this.#collection !== undefined && !this.#isRunning;
    if (!isIdle || this.#abort.signal.aborted) return false;
    this.#cancel();
    this.#runInTurn();
    return true;
  }

  #next(delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    this.#cancel = this.#options.clock.after(delayMs, () => this.#runInTurn());
  }

  #runInTurn(): void {
    const { inTurn = (act) => act(), everyHours } = this.#options;
    this.#isRunning = true;
    this.#running = inTurn(() => this.#run()).finally(() => {
      this.#isRunning = false;
      this.#next(everyHours * HOUR_MS);
    });
  }

  async #run(): Promise<void> {
    const { log, clock } = this.#options;
    const { signal } = this.#abort;
    try {
      const report = await this.#collection?.collector.run({ signal });
      if (report === undefined) return;
      this.#last = report;
      this.#lastEndedAt = clock.now();
      this.#freed.inc({}, report.freedBytes);
      const { census, compacted, unlinked, freedBytes } = report;
      log.info({
        unmetBytes: census.unmetBytes, condemnedBytes: census.condemnedBytes,
        compacted: compacted.length, unlinked: unlinked.length, freedBytes,
      }, 'garbage collected');
      if (report.held === undefined) await this.#runMirror(signal);
    } catch (err) {
      if (signal.aborted) return;
      const isCalm = isKind(err, 'busy') || isKind(err, 'unavailable');
      log[isCalm ? 'warn' : 'error']({ err }, 'garbage could not be collected; trying again later');
    }
  }

  async #runMirror(signal: AbortSignal): Promise<void> {
    const report = await this.#collection?.mirror?.run(signal);
    if (report === undefined) return;
    const { census: { unmetBytes, condemnedBytes }, compacted, unlinked, freedBytes } = report;
    this.#options.log.info({
      unmetBytes, condemnedBytes, compacted: compacted.length, unlinked: unlinked.length,
      freedBytes,
    }, 'garbage collected in the mirror');
  }

  #tell(trouble: CollectorTrouble): void {
    const { what, volumeId, count, error: err } = trouble;
    this.#troubles.inc({ what });
    this.#options.log.error({
      what, ...(volumeId !== undefined && { volumeId }), ...(count !== undefined && { count }),
      ...(err !== undefined && { err }),
    }, 'garbage collection has met something that somebody should look at');
  }

  #trashBytes(): number {
    const trash = this.#collection?.collector.listTrash() ?? [];
    return trash.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}

function textOf({ what, volumeId, count, error }: CollectorTrouble): string {
  const words = [what, volumeId === undefined ? '' : `volume ${volumeId}`,
    count === undefined ? '' : `${count} blocks`, error instanceof Error ? error.message : ''];
  return words.filter((word) => word !== '').join(': ');
}
