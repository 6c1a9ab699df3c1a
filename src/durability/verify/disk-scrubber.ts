/**
 * Reads every byte of every volume on every disk again and again, with handles of its own and
 * around the system's cache where that can be, and checks all checksums; every few sweeps, and
 * whenever somebody asks for everything, the SHA-256 of each block too.
 *
 * What was written last comes first: most damage is done on the way to the disk. A volume that
 * grows is read on from where the last check ended. A fault counts when a second reading with a
 * fresh handle shows it again, so a write that was just under way is no false alarm.
 */
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { pause } from './budget.ts';
import type { Budget } from './budget.ts';
import { RECHECK_AT, readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { Soon } from './manifest-source.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { UnitRecord, VerifyStore } from './verify-store.ts';
import { CheckCrew } from './volume/check-crew.ts';
import { SlabShelf } from './volume/slab.ts';
import { CALM_PLAN, EAGER_PLAN } from './volume/stretch-window.ts';
import { checkVolume } from './volume/volume-check.ts';
import type { CheckMeans, CheckPoint, CheckResult } from './volume/volume-check.ts';
import { isDiskError, readAt, systemCode, withVolume } from './volume/volume-folder.ts';
import type { ReadWish, VerifiedDisk } from './volume/volume-folder.ts';
import { HEAD_BYTES, parseVolumeFileName, readHead } from './volume/volume-format.ts';
import type { VolumeFault } from './volume/volume-walk.ts';

export interface DiskScrubberParts {
  disks: () => readonly VerifiedDisk[];
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  /** How far each volume is known to have been durable, from the metadata. */
  marks?: () => Soon<ReadonlyMap<number, number>>;
  cycleMs?: number;
  /** One sweep in so many computes hashes. */
  hashEvery?: number;
  /** What a fault waits for its second reading. */
  confirmAfterMs?: number;
  /** Disks that have left for good, by id: what is noted of them is about nothing any more. */
  goneIds?: () => readonly string[];
  /** How many threads may compute; asked with each run. 0: the caller's own. */
  threadCount?: () => number;
  /** Memory for reading that outlives a run. Left out: each run makes its own, and leaves nothing
   *  behind. */
  shelf?: SlabShelf;
}

const HASH_EVERY = 4;
const CONFIRM_AFTER_MS = 2_000;
/** A damaged volume is read again so often until somebody repairs it. */
const DAMAGED_AGAIN_MS = 60 * 60 * 1000;
/** Progress within a volume is noted every so many bytes. */
const NOTE_EVERY_BYTES = 64 * 1024 * 1024;
const ID = 'disk-scrubber';

/** What is kept of each volume. */
interface Resume {
  sweep: number;
  isSealed: boolean;
  isDamaged: boolean;
  /** Where a check that was cut short, or the next growth, goes on. */
  point?: CheckPoint;
  /** Only of a check that was cut short. */
  begunMs?: number;
}

interface Volume {
  disk: VerifiedDisk;
  name: string;
  volumeId: number;
  unit: UnitRecord;
  resume: Resume;
  markEnd: number;
}

interface ScrubPace {
  budget: Budget;
  signal: AbortSignal;
  means: CheckMeans;
}

interface CheckHow extends ScrubPace {
  /** Compute the SHA-256 of each block as well. */
  hashes: boolean;
  from: CheckPoint | undefined;
  note: (point: CheckPoint) => void;
}

export class DiskScrubber implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: DiskScrubberParts;

  constructor(parts: DiskScrubberParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const plan = budget.isEager ? EAGER_PLAN : CALM_PLAN;
    const crew = new CheckCrew(this.#parts.threadCount?.() ?? 0);
    const shelf = this.#parts.shelf ?? new SlabShelf(plan.slabsMax);
    const means: CheckMeans = { plan, crew, shelf };
    try {
      return await this.#sweep({ budget, signal, means }, options);
    } finally {
      await crew.close();
    }
  }

  async #sweep({ budget, signal, means }: ScrubPace, options: RunOptions): Promise<RunOutcome> {
    const volumes = await this.#takeStock(budget, signal);
    if (volumes.length === 0) {
      const reason = 'there are no volumes yet';
      return { result: 'nothing-to-do', checked: 0, reports: 0, reason };
    }
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const due = this.#inOrder(volumes, options.everything === true);
    const expected = due.reduce((sum, { unit }) => sum + unit.size, 0);
    for (const volume of due) {
      const counting: Budget = {
        isEager: budget.isEager,
        take: (amount, stop) => {
          outcome.checked += amount;
          options.onProgress?.(outcome.checked, expected);
          return budget.take(amount, stop);
        },
        rest: () => budget.rest(),
      };
      outcome.reports += await this.#scrub(volume, { budget: counting, signal, means }, options);
    }
    return outcome;
  }

  /** Every volume of every disk that answers, with its notes brought up to date. */
  async #takeStock(budget: Budget, signal: AbortSignal): Promise<Volume[]> {
    const { store, desk, disks } = this.#parts;
    this.#forgetGone();
    const volumes: Volume[] = [];
    const marks = new Map(await this.#parts.marks?.() ?? []);
    for (const disk of disks()) {
      const names = await this.#list(disk);
      if (names === undefined) continue;
      for (const name of names) {
        await budget.take(1, signal);
        const volume = await this.#look(disk, name, marks);
        if (volume !== undefined) volumes.push(volume);
      }
      const there = new Set(names.map((name) => `${disk.id}/${name}`));
      for (const { name } of store.listUnits(ID)) {
        if (name.startsWith(`${disk.id}/`) && !there.has(name)) desk.forget(ID, name);
      }
    }
    for (const volume of volumes) volume.markEnd = marks.get(volume.volumeId) ?? 0;
    return volumes;
  }

  /** A disk that merely does not answer keeps its notes. */
  #forgetGone(): void {
    const { store, desk, goneIds } = this.#parts;
    const there = new Set(this.#parts.disks().map(({ id }) => id));
    for (const id of goneIds?.() ?? []) {
      if (there.has(id)) continue;
      desk.settle(ID, Number.MAX_SAFE_INTEGER, id);
      for (const { name } of store.listUnits(ID)) {
        if (name.startsWith(`${id}/`)) desk.forget(ID, name);
      }
    }
  }

  async #list(disk: VerifiedDisk): Promise<string[] | undefined> {
    const scope = disk.id;
    const sinceMs = this.#parts.clock.now();
    try {
      const names = (await disk.files.list()).filter((name) => parseVolumeFileName(name));
      this.#parts.desk.settle(ID, sinceMs, scope);
      return names;
    } catch (error) {
      if (!isDiskError(error) && !isKind(error, 'unavailable')) throw error;
      const facts = { code: systemCode(error) };
      const where = `disk ${disk.id}`;
      this.#parts.desk.report({ verifier: ID, kind: 'unreadable', scope, where, facts });
      return undefined;
    }
  }

  /** Also learns what this volume says of the one before it. */
  async #look(
    disk: VerifiedDisk, name: string, marks: Map<number, number>,
  ): Promise<Volume | undefined> {
    const { store, clock } = this.#parts;
    const volumeId = parseVolumeFileName(name)?.id ?? 0;
    const key = `${disk.id}/${name}`;
    const seen = await this.#read(disk, name, async (file) => ({
      size: await file.size(), head: readHead(await readAt(file, 0, HEAD_BYTES)),
    }));
    if (seen === 'gone') return undefined;
    if (typeof seen !== 'string' && typeof seen.head !== 'string') {
      const { previousVolumeId, previousEnd } = seen.head;
      marks.set(previousVolumeId, Math.max(marks.get(previousVolumeId) ?? 0, previousEnd));
    }
    const known = store.findUnit(ID, key);
    const size = typeof seen === 'string' ? (known?.size ?? 0) : seen.size;
    const unit: UnitRecord = known ?? {
      name: key, size, checked: 0, checkedMs: undefined, waitingSinceMs: clock.now(),
      resume: undefined,
    };
    unit.size = size;
    const resume = (unit.resume as Resume | undefined)
      ?? { sweep: 0, isSealed: false, isDamaged: false };
    // Bytes may appear in a volume that is being written without its file growing.
    if (!resume.isSealed || size > unit.checked) unit.waitingSinceMs ??= clock.now();
    store.putUnit(ID, unit);
    return { disk, name, volumeId, unit, resume, markEnd: 0 };
  }

  /** `gone`: it was taken away meanwhile; `unreadable`: the disk refuses. */
  async #read<T>(
    disk: VerifiedDisk, name: string, look: Parameters<typeof withVolume<T>>[2], wish?: ReadWish,
  ): Promise<T | 'gone' | 'unreadable'> {
    try {
      return await withVolume(disk.files, name, look, wish);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'gone';
      if (isDiskError(error) || isKind(error, 'unavailable')) return 'unreadable';
      throw error;
    }
  }

  /** What was never checked first, the newest volume in front; then what was last checked longest
   *  ago. */
  #inOrder(volumes: readonly Volume[], everything: boolean): Volume[] {
    const nowMs = this.#parts.clock.now();
    const isDue = ({ unit, resume }: Volume): boolean => {
      if (everything || unit.waitingSinceMs !== undefined || resume.begunMs !== undefined) {
        return true;
      }
      const age = nowMs - (unit.checkedMs ?? 0);
      return age >= (resume.isDamaged ? DAMAGED_AGAIN_MS : this.cycleMs * RECHECK_AT);
    };
    const waits = ({ unit }: Volume): number => (unit.waitingSinceMs === undefined ? 1 : 0);
    return volumes.filter(isDue).sort((a, b) => waits(a) - waits(b)
      || (waits(a) === 0 ? b.volumeId - a.volumeId : 0)
      || (a.unit.checkedMs ?? 0) - (b.unit.checkedMs ?? 0));
  }

  async #scrub(
    volume: Volume, pace: ScrubPace, options: RunOptions,
  ): Promise<number> {
    const { clock, store } = this.#parts;
    const { unit, resume } = volume;
    const isCutShort = resume.begunMs !== undefined;
    const age = clock.now() - (unit.checkedMs ?? 0);
    const wholeAfterMs = resume.isDamaged ? DAMAGED_AGAIN_MS : this.cycleMs * RECHECK_AT;
    const isWhole = !isCutShort && (options.everything === true || unit.checkedMs === undefined
      || age >= wholeAfterMs);
    const lookedMs = clock.now();
    const begunMs = resume.begunMs ?? lookedMs;
    const from = isWhole ? undefined : resume.point;
    // Only a check of the whole volume may be resumed as one; growth is short.
    const isFull = isWhole || isCutShort;
    const note = (point: CheckPoint | undefined): void => {
      if (!isFull) return;
      const kept: Resume = { ...resume, begunMs, ...(point !== undefined && { point }) };
      store.putUnit(ID, { ...unit, resume: kept });
    };
    const hashEvery = this.#parts.hashEvery ?? HASH_EVERY;
    const hashes = options.everything === true || resume.sweep % hashEvery === 0;
    const how: CheckHow = { ...pace, hashes, from, note };
    const result = await this.#check(volume, how);
    if (result === 'gone') {
      this.#parts.desk.forget(ID, unit.name);
      return 0;
    }
    const faults = result === 'unreadable'
      ? [{ kind: 'unreadable', offset: 0 } as const]
      : await this.#confirmed(volume, result, { ...how, note: () => undefined });
    this.#conclude(volume, { result, faults, begunMs, lookedMs, isFull });
    return faults.length;
  }

  #check(volume: Volume, how: CheckHow): Promise<CheckResult | 'gone' | 'unreadable'> {
    const { disk, name, volumeId, resume, markEnd } = volume;
    const { from, note, hashes, budget, signal, means } = how;
    let notedEnd = from?.end ?? 0;
    return this.#read(disk, name, (file) => checkVolume({
      file, volumeId, from, markEnd, hashes, means, wasSealed: resume.isSealed,
      pace: { budget, signal },
      onPoint: (point) => {
        if (point.end - notedEnd < NOTE_EVERY_BYTES) return;
        notedEnd = point.end;
        note(point);
      },
    }), 'disk');
  }

  /** Faults that a second reading shows again. On a volume that can no longer change, a fault that
   *  went away is worth telling: memory, cable or disk gave wrong bytes once. */
  async #confirmed(
    volume: Volume, first: CheckResult, how: CheckHow,
  ): Promise<VolumeFault[]> {
    if (first.faults.length === 0) return [];
    const waitMs = this.#parts.confirmAfterMs ?? CONFIRM_AFTER_MS;
    if (waitMs > 0) {
      how.budget.rest();
      await pause(this.#parts.clock, waitMs, how.signal);
    }
    const second = await this.#check(volume, how);
    if (second === 'gone') return [];
    if (second === 'unreadable') return first.faults;
    const again = new Set(second.faults.map(({ kind, offset }) => `${kind}/${offset}`));
    const confirmed = first.faults.filter(({ kind, offset }) => again.has(`${kind}/${offset}`));
    if (confirmed.length > 0 || !first.isSealed) return confirmed;
    return [{ kind: 'unsteady-read', offset: first.faults[0]?.offset ?? 0 }];
  }

  #conclude(
    volume: Volume,
    done: {
      result: CheckResult | 'unreadable'; faults: readonly VolumeFault[]; begunMs: number;
      lookedMs: number; isFull: boolean;
    },
  ): void {
    const { store, desk } = this.#parts;
    const { disk, volumeId, unit, resume } = volume;
    const { result, faults, begunMs, lookedMs, isFull } = done;
    const scope = unit.name;
    store.together(() => {
      for (const { kind, offset, lengthBytes, blockId } of faults) {
        const where = `disk ${disk.id}, volume ${volumeId}, offset ${offset}`;
        const facts = {
          diskId: disk.id, volumeId, offset, ...(lengthBytes !== undefined && { lengthBytes }),
          ...(blockId !== undefined && { blockId }),
        };
        desk.report({ verifier: ID, kind, scope, where, facts });
      }
      if (isFull) desk.settle(ID, begunMs, scope);
      if (result === 'unreadable') return; // Its clock stands still: nothing was checked.
      const isUnknown = faults.some(({ kind }) => kind === 'format-newer');
      const next: Resume = {
        sweep: isFull ? resume.sweep + 1 : resume.sweep,
        isSealed: result.isSealed || (resume.isSealed && faults.length > 0),
        isDamaged: faults.length > 0 || (resume.isDamaged && !isFull),
        ...(result.point !== undefined && { point: result.point }),
      };
      store.putUnit(ID, {
        ...unit, resume: next, size: result.sizeBytes,
        // Zeros written ahead are nobody's data: what was judged is all that there is.
        checked: isUnknown ? 0 : result.sizeBytes,
        checkedMs: isFull && !isUnknown ? begunMs : unit.checkedMs,
        // More may have been written to it since then.
        waitingSinceMs: isUnknown ? unit.waitingSinceMs : result.isSealed ? undefined : lookedMs,
      });
    });
  }
}
