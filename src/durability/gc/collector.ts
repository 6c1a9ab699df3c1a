/**
 * Gives room back: takes a census, compacts volumes with much garbage, and lets go of what has lain
 * in the trash long enough. Each step can be cut short anywhere and is done again the next time.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type {
  Compaction, ReplacedCopies, VolumeReclaim, VolumeUse,
} from '../../storage/index.ts';
import { takeCensus, type CensusParts, type CensusResult } from './census.ts';
import type { VolumeLedger } from './ledger/volume-ledger.ts';
import type { LedgerEntry, NewEntry } from './ledger/ledger-entry.ts';
import { listReferences } from './references.ts';
import { justification, stageOf, VolumeTrash, type TrashRecord } from './volume-trash.ts';

const OP = 'durability/GarbageCollector';
const HOUR_MS = 60 * 60 * 1000;
/** The clock of the day and the one that only counts may drift apart this far between two runs. */
const CLOCK_JUMP_MS = HOUR_MS;
/** Of one run. */
const COMPACTED_MAX = 256;
const INSPECTED_MAX = 16;
/** Copies of volumes, of one run. */
const ERASED_MAX = 256;

export interface CollectorLimits {
  /** A volume with this share of garbage is compacted. */
  garbageShare: number;
  /** So is one that has stayed smaller than this… */
  smallBytes: number;
  /** …for this long. */
  smallAfterMs: number;
  /** Condemning a larger share of all that is stored looks like a mistake, such as an old database
   *  in place of the right one… */
  condemnedShareMax: number;
  /** …unless it is less than this. */
  condemnedFreeBytes: number;
}

export const COLLECTOR_LIMITS: Readonly<CollectorLimits> = {
  garbageShare: 0.35,
  smallBytes: 64 * 1024 ** 2,
  smallAfterMs: 24 * HOUR_MS,
  condemnedShareMax: 0.5,
  condemnedFreeBytes: 4 * 1024 ** 3,
};

export interface CollectorParts extends Omit<CensusParts, 'now'> {
  volumes: VolumeReclaim;
  /** Where volumes have several copies: what repair has put into the trash. */
  replaced?: Pick<ReplacedCopies, 'listDue' | 'justify' | 'erase'> | undefined;
  clock: Clock;
  /** Asked last before a volume is unlinked for ever, which its inspections have justified. */
  mayUnlink?: (record: TrashRecord) => boolean;
  /** Asked before each piece of work with the bytes that it reads. */
  pace?: (bytes: number) => Promise<void>;
  /** Hears of each volume that could not be dealt with; the others go on. */
  onTrouble: (trouble: CollectorTrouble) => void;
  limits?: Partial<CollectorLimits>;
}

export interface CollectorTrouble {
  what: 'compaction' | 'inspection' | 'rescue' | HeldReason;
  volumeId: number | undefined;
  count?: number;
  error?: unknown;
}

/** Why a run has not dropped or removed anything. `absent-blocks`: something refers to blocks that
 *  the store does not have, and what is missing may lie in the trash. `much-garbage`: suddenly most
 *  of what is stored is needed by nobody. */
export type HeldReason = 'absent-blocks' | 'much-garbage';

export interface RunOptions {
  signal?: AbortSignal;
  /** Somebody has looked, and lets it go on all the same. */
  despite?: HeldReason;
}

/** What a run has done. */
export interface CollectorReport {
  census: CensusResult;
  held: HeldReason | undefined;
  compacted: Compaction[];
  inspectedCount: number;
  unlinked: { volumeId: number; sizeBytes: number }[];
  freedBytes: number;
  /** Single copies of volumes that were erased from the trash. */
  erasedCount: number;
}

/** What a run would do. */
export interface CollectorPlan {
  census: CensusResult;
  held: HeldReason | undefined;
  /** Volumes to be compacted: what would be copied, and what would be free in the end. */
  toCompact: VolumeUse[];
  copyBytes: number;
  /** Sizes of the files that would go to the trash, less what is copied. */
  reclaimedBytes: number;
  toInspect: TrashRecord[];
  toUnlink: TrashRecord[];
  trashBytes: number;
}

export class GarbageCollector {
  readonly #parts: CollectorParts;
  readonly #limits: CollectorLimits;
  readonly #ledger: VolumeLedger;
  readonly #trash: VolumeTrash;
  #clockOffsetMs: number;
  #running = false;

  constructor(parts: CollectorParts, opened: { ledger: VolumeLedger; entries: LedgerEntry[] }) {
    this.#parts = parts;
    this.#limits = { ...COLLECTOR_LIMITS, ...parts.limits };
    this.#ledger = opened.ledger;
    this.#trash = new VolumeTrash(opened.entries);
    this.#clockOffsetMs = this.#offset();
  }

  /** One run. @throws busy: one is under way; unavailable: the clock has jumped, nothing was done;
   *  and whatever kept the census from knowing everything. */
  async run({ signal, despite }: RunOptions = {}): Promise<CollectorReport> {
    return this.#alone(async () => {
      this.#checkClock();
      const census = await this.#census(signal);
      const reason = this.#reasonToHold(census);
      const held = reason === despite ? undefined : reason;
      if (held !== undefined) this.#parts.onTrouble({ what: held, volumeId: undefined });
      const compacted = held === undefined ? await this.#compact(signal) : [];
      await this.#adoptStrangers();
      // Also when it holds: that is how blocks are found that are missing and lie in the trash.
      const { inspectedCount, unlinked } = await this.#inspect(signal, held !== undefined);
      const freedBytes = unlinked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const erasedCount = held === undefined ? await this.#eraseReplaced(signal) : 0;
      return { census, held, compacted, inspectedCount, unlinked, freedBytes, erasedCount };
    });
  }

  #reasonToHold({ absentCount, condemnedBytes }: CensusResult): HeldReason | undefined {
    if (absentCount > 0) return 'absent-blocks';
    const { condemnedShareMax, condemnedFreeBytes } = this.#limits;
    const { storedBytes } = this.#parts.blocks.state();
    const isMuch = condemnedBytes > Math.max(condemnedFreeBytes, storedBytes * condemnedShareMax);
    return isMuch ? 'much-garbage' : undefined;
  }

  /** Takes a census and says what a run would do after it. Moves and removes nothing. */
  async plan(signal?: AbortSignal): Promise<CollectorPlan> {
    return this.#alone(async () => {
      this.#checkClock();
      const now = this.#parts.clock.now();
      const census = await this.#census(signal);
      const open = await this.#parts.volumes.useOfOpen();
      const toCompact = await this.#chooseSealed(signal, open);
      if (open !== undefined && this.#isToBeEnded(open)) toCompact.push(open);
      const copyBytes = toCompact.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
      const sizes = toCompact.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const trashed = this.#trash.list();
      const trashBytes = trashed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      return {
        census, held: this.#reasonToHold(census), toCompact, copyBytes, trashBytes,
        reclaimedBytes: sizes - copyBytes,
        toInspect: trashed.filter((record) => stageOf(record, now) === 'inspect'),
        toUnlink: trashed.filter((record) => stageOf(record, now) === 'unlink'),
      };
    });
  }

  listTrash(): TrashRecord[] {
    return this.#trash.list();
  }

  /** Takes a volume back from the trash. All suspicions begin anew, so that there is a day to make
   *  use of it. @throws not-found; busy: a run is under way. */
  async restore(volumeId: number): Promise<void> {
    await this.#alone(async () => {
      const trashed = await this.#parts.volumes.listTrash();
      if (!trashed.some((one) => one.volumeId === volumeId)) {
        const message = 'There is no such volume in the trash.';
        throw new HoldfastError('not-found', `${OP}.restore`, message, { facts: { volumeId } });
      }
      await this.#note({ act: 'restore', volume: volumeId, at: this.#parts.clock.now() });
      await this.#parts.volumes.restore(volumeId);
      // Else the next census would find them guilty at once.
      this.#parts.notes.forgetSuspects();
    });
  }

  async #census(signal: AbortSignal | undefined): Promise<CensusResult> {
    const { clock, ...parts } = this.#parts;
    return takeCensus({ ...parts, now: () => clock.now() }, signal);
  }

  async #compact(signal: AbortSignal | undefined): Promise<Compaction[]> {
    const { volumes, pace } = this.#parts;
    const open = await volumes.useOfOpen();
    if (open !== undefined && this.#isToBeEnded(open)) {
      await this.#attempt('compaction', open.volumeId, signal, () =>
        volumes.sealOpen(open.volumeId));
    }
    const wanted = await this.#chooseSealed(signal, await volumes.useOfOpen());
    // The least work first: on a full disk there may be room for that only.
    wanted.sort((a, b) => a.liveBytes - b.liveBytes);
    const done: Compaction[] = [];
    for (const { volumeId } of wanted.slice(0, COMPACTED_MAX)) {
      const error = await this.#attempt('compaction', volumeId, signal, async () => {
        const compaction = await volumes.compact(volumeId, {
          ...(signal && { signal }), ...(pace && { pace }),
        });
        await this.#note(this.#trashEntry(compaction));
        await volumes.moveToTrash(volumeId);
        done.push(compaction);
      });
      if (isKind(error, 'full')) break;
    }
    return done;
  }

  /** Which sealed volumes are to be compacted. A small one is merged with others, or into the one
   *  that is being written: alone it would only be written anew. */
  async #chooseSealed(
    signal: AbortSignal | undefined, open: VolumeUse | undefined,
  ): Promise<VolumeUse[]> {
    const wanted: VolumeUse[] = [];
    const small: VolumeUse[] = [];
    for await (const use of this.#parts.volumes.listUses(signal)) {
      if (this.#hasGarbage(use)) wanted.push(use);
      else if (this.#isSmall(use)) small.push(use);
    }
    const canMerge = small.length > 1 || open !== undefined;
    return canMerge ? [...wanted, ...small] : wanted;
  }

  /** Else its garbage would wait until it is full, which on a small server is for ever. On a full
   *  disk it takes what is copied out of others: there may be no room for a fresh one. */
  #isToBeEnded(open: VolumeUse): boolean {
    return this.#hasGarbage(open) && this.#parts.blocks.state().refusesWrites !== 'full';
  }

  #hasGarbage({ recordBytes, liveBytes }: VolumeUse): boolean {
    return recordBytes === 0
      || (recordBytes - liveBytes) / recordBytes >= this.#limits.garbageShare;
  }

  #isSmall({ sizeBytes, createdMs }: VolumeUse): boolean {
    const { smallBytes, smallAfterMs } = this.#limits;
    return sizeBytes < smallBytes && this.#parts.clock.now() >= createdMs + smallAfterMs;
  }

  #trashEntry(compaction: Compaction): NewEntry {
    const { notes, clock } = this.#parts;
    const accusers = [notes.oldestAccuser(), notes.listCensuses(1)[0]?.census];
    const censuses = compaction.droppedCount === 0 ? []
      : accusers.filter((census) => census !== undefined);
    return {
      act: 'trash', at: clock.now(), volume: compaction.volumeId, sizeBytes: compaction.sizeBytes,
      records: compaction.recordCount, moved: compaction.movedCount,
      elsewhere: compaction.elsewhereCount, dropped: compaction.droppedCount,
      droppedBytes: compaction.droppedBytes, censuses,
    };
  }

  /** Volumes in the trash of which the ledger does not know: their time begins now. */
  async #adoptStrangers(): Promise<void> {
    for (const { volumeId: volume, sizeBytes } of await this.#parts.volumes.listTrash()) {
      if (this.#trash.find(volume) !== undefined) continue;
      await this.#note({ act: 'found', at: this.#parts.clock.now(), volume, sizeBytes });
    }
  }

  /** `all`: also what is not due, and nothing is unlinked. */
  async #inspect(
    signal: AbortSignal | undefined, all: boolean,
  ): Promise<Pick<CollectorReport, 'inspectedCount' | 'unlinked'>> {
    const { volumes, clock } = this.#parts;
    const present = new Set((await volumes.listTrash()).map(({ volumeId }) => volumeId));
    const isDue = (record: TrashRecord): boolean => all || stageOf(record, clock.now()) !== 'wait';
    const due = this.#trash.list()
      .filter((record) => present.has(record.volume) && isDue(record))
      .map(({ volume }) => volume);
    const unlinked: CollectorReport['unlinked'] = [];
    let inspectedCount = 0;
    for (let at = 0; at < due.length; at += INSPECTED_MAX) {
      for (const volume of await this.#inspectTogether(due.slice(at, at + INSPECTED_MAX), signal)) {
        inspectedCount += 1;
        if (all) continue;
        await this.#attempt('inspection', volume, signal, async () => {
          const sizeBytes = await this.#unlink(volume);
          if (sizeBytes !== undefined) unlinked.push({ volumeId: volume, sizeBytes });
        });
      }
    }
    return { inspectedCount, unlinked };
  }

  /** Answers those that could be judged. One that cannot be must not keep the others. */
  async #inspectTogether(
    group: readonly number[], signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    try {
      await this.#inspectGroup(group, signal);
      return group;
    } catch (error) {
      signal?.throwIfAborted();
      const [only] = group;
      if (group.length === 1) {
        this.#parts.onTrouble({ what: 'inspection', volumeId: only, error });
        return [];
      }
    }
    const judged: number[] = [];
    for (const volume of group) judged.push(...await this.#inspectTogether([volume], signal));
    return judged;
  }

  async #inspectGroup(group: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    const { volumes, clock, onTrouble } = this.#parts;
    const inspection = await volumes.inspectTrash(group, signal);
    for await (const { ids, strangerIds } of listReferences(this.#parts, signal)) {
      inspection.need(ids);
      inspection.need(strangerIds);
    }
    for (const one of await inspection.finish()) {
      const { volumeId, recordCount: records, elsewhereCount: elsewhere } = one;
      const { deadCount: dead, rescuedCount: rescued } = one;
      await this.#note({
        act: 'inspect', at: clock.now(), volume: volumeId, records, elsewhere, dead, rescued,
      });
      if (rescued > 0) onTrouble({ what: 'rescue', volumeId, count: rescued });
    }
  }

  /** Only if two inspections allow it. Answers how much room that gave. */
  async #unlink(volume: number): Promise<number | undefined> {
    const { volumes, clock } = this.#parts;
    const record = this.#trash.find(volume);
    const inspections = record === undefined ? undefined : justification(record);
    if (record === undefined || inspections === undefined) return undefined;
    if (this.#parts.mayUnlink?.(record) === false) return undefined;
    const { sizeBytes } = record;
    await this.#note({ act: 'unlink', at: clock.now(), volume, sizeBytes, inspections });
    await volumes.unlink(volume);
    return sizeBytes;
  }

  /** Copies that repair has replaced. A disk that does not answer keeps all of them for now. */
  async #eraseReplaced(signal: AbortSignal | undefined): Promise<number> {
    const { replaced, clock } = this.#parts;
    const due = await replaced?.listDue().catch(() => []) ?? [];
    let erased = 0;
    for (const copy of due.slice(0, ERASED_MAX)) {
      const { volumeId: volume, diskId: disk, name } = copy;
      await this.#attempt('inspection', volume, signal, async () => {
        const reason = await replaced?.justify(copy);
        if (reason === undefined) return;
        await this.#note({ act: 'erase', at: clock.now(), volume, disk, name, reason });
        if (await replaced?.erase(copy) === true) erased++;
      });
    }
    return erased;
  }

  /** What goes wrong with one volume is told and answered, so that others can be dealt with. */
  async #attempt(
    what: 'compaction' | 'inspection', volumeId: number, signal: AbortSignal | undefined,
    act: () => Promise<void>,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    try {
      await act();
      return undefined;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      this.#parts.onTrouble({ what, volumeId, error });
      return error;
    }
  }

  async #note(entry: NewEntry): Promise<void> {
    this.#trash.apply(await this.#ledger.append(entry));
  }

  #offset(): number {
    const { clock } = this.#parts;
    return clock.now() - clock.monotonic();
  }

  /** Waiting times are only as good as the clock. One run is left out after a jump. */
  #checkClock(): void {
    const offset = this.#offset();
    const jumped = Math.abs(offset - this.#clockOffsetMs) > CLOCK_JUMP_MS;
    this.#clockOffsetMs = offset;
    const isBehind = this.#parts.clock.now() < this.#trash.lastAt;
    if (!jumped && !isBehind) return;
    const message = isBehind
      ? 'The clock is behind the ledger of volumes. Set it right; nothing is removed until then.'
      : 'The clock has jumped. Nothing was removed; the next run goes by the new time.';
    throw new HoldfastError('unavailable', `${OP}.run`, message, { code: 'clock-jumped' });
  }

  async #alone<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running) {
      const message = 'A collection is under way. Wait until it has ended.';
      throw new HoldfastError('busy', OP, message);
    }
    this.#running = true;
    try {
      return await act();
    } finally {
      this.#running = false;
    }
  }
}
