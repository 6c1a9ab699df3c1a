/**
 * Compares the copies of each sealed volume on all disks, mebibyte by mebibyte, by SHA-256.
 *
 * The scrubber believes a copy that is sound in itself; only side by side two sound copies with
 * different content, or a copy that is simply not there, come to light. Volumes that are still
 * being written are compared once they are sealed.
 *
 * Which of two copies is wrong is not told by their order. Where more than half of all say the
 * same, the others are wrong; else each copy is checked by itself, and if that blames none or all
 * of them, all are suspects and none is proposed for repair.
 */
import { createHash } from 'node:crypto';
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { RECHECK_AT, readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { Soon } from './manifest-source.ts';
import type { FindingKind } from './finding.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { UnitRecord, VerifyStore } from './verify-store.ts';
import { checkVolume } from './volume/volume-check.ts';
import { isDiskError, readAt, systemCode, withVolume } from './volume/volume-folder.ts';
import type { VerifiedDisk } from './volume/volume-folder.ts';
import { parseVolumeFileName, readTail, TAIL_BYTES } from './volume/volume-format.ts';
import type { Pace } from './volume/volume-window.ts';

export interface ReplicaComparisonParts {
  disks: () => readonly VerifiedDisk[];
  /** How far each volume is known to have been durable, from the metadata. */
  marks?: () => Soon<ReadonlyMap<number, number>>;
  /** The disks that should hold a volume, by id; left out: those that have it are compared. */
  placement?: (volumeName: string) => readonly string[] | undefined;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const SLICE_BYTES = 1024 * 1024;
const ID = 'replica-comparison';
/** A volume whose copies differ is compared again so often until somebody repairs it. */
const DIFFERING_AGAIN_MS = 60 * 60 * 1000;
/** Differing stretches of one volume that are told one by one. */
const DIFFERENCES_MAX = 16;

interface Copies {
  name: string;
  volumeId: number;
  disks: VerifiedDisk[];
}

type Copy = { disk: VerifiedDisk; sizeBytes: number; isSealed: boolean };

export class ReplicaComparison implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ReplicaComparisonParts;

  constructor(parts: ReplicaComparisonParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { store, desk, clock, disks } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const all = disks();
    if (all.length < 2) {
      for (const { name } of store.listUnits(ID)) desk.forget(ID, name);
      const reason = 'there is one disk only: nothing to compare';
      return { ...outcome, result: 'nothing-to-do', reason };
    }
    const volumes = await this.#gather(all);
    const names = new Set(volumes.map(({ name }) => name));
    for (const { name } of store.listUnits(ID)) if (!names.has(name)) desk.forget(ID, name);
    for (const volume of volumes) {
      const unit = store.findUnit(ID, volume.name);
      const age = clock.now() - (unit?.checkedMs ?? 0);
      const againMs = isDiffering(unit) ? DIFFERING_AGAIN_MS : this.cycleMs * RECHECK_AT;
      const isDue = unit?.checkedMs === undefined || age >= againMs;
      if (!isDue && options.everything !== true) continue;
      const done = await this.#compare(volume, unit, { budget, signal });
      outcome.checked += done.checked;
      outcome.reports += done.reports;
      options.onProgress?.(outcome.checked, undefined);
    }
    if (store.listUnits(ID).length > 0) return outcome;
    const reason = 'no sealed volume lies on more than one disk: nothing to compare';
    return { ...outcome, result: 'nothing-to-do', reason };
  }

  /** Each volume and the disks that hold it or should. A disk that does not answer is left out: it
   *  is the scrubber that tells of it, and a copy there is not missing. */
  async #gather(all: readonly VerifiedDisk[]): Promise<Copies[]> {
    const holders = new Map<string, VerifiedDisk[]>();
    const answering: VerifiedDisk[] = [];
    for (const disk of all) {
      try {
        for (const name of await disk.files.list()) {
          if (parseVolumeFileName(name) === undefined) continue;
          holders.set(name, [...(holders.get(name) ?? []), disk]);
        }
        answering.push(disk);
      } catch (error) {
        if (!isDiskError(error) && !isKind(error, 'unavailable')) throw error;
      }
    }
    return [...holders].map(([name, disks]) => {
      const wanted = this.#parts.placement?.(name);
      const lacking = answering.filter((disk) => wanted?.includes(disk.id) === true
        && !disks.includes(disk));
      const volumeId = parseVolumeFileName(name)?.id ?? 0;
      return { name, volumeId, disks: [...disks, ...lacking] };
    });
  }

  async #compare(
    volume: Copies, known: UnitRecord | undefined, pace: Pace,
  ): Promise<{ checked: number; reports: number }> {
    const { store, desk, clock } = this.#parts;
    const begunMs = clock.now();
    const copies: Copy[] = [];
    const problems: Problem[] = [];
    for (const disk of volume.disks) {
      const copy = await this.#look(disk, volume);
      if (copy === 'missing') problems.push({ kind: 'replica-missing', disk });
      else if (copy !== 'unreadable') copies.push(copy);
    }
    const sealed = copies.filter(({ isSealed }) => isSealed);
    const [model] = sealed;
    if (model === undefined || volume.disks.length < 2) return { checked: 0, reports: 0 };
    const size = model.sizeBytes * copies.length;
    const unit: UnitRecord = known ?? {
      name: volume.name, size, checked: 0, checkedMs: undefined, waitingSinceMs: begunMs,
      resume: undefined,
    };
    store.putUnit(ID, { ...unit, size });
    const isSound = this.#judgeOf(volume, pace);
    const lengths = sealed.map(({ sizeBytes }) => `${sizeBytes}`);
    const odd = await blame(sealed, lengths, isSound);
    // Without a footer that accounts for its length a copy cannot be one of a sealed volume.
    const cut = copies.filter((copy) => !copy.isSealed && copy.sizeBytes !== model.sizeBytes);
    for (const { copy: { disk }, isProved } of [
      ...odd, ...cut.map((copy) => ({ copy, isProved: true })),
    ]) {
      problems.push({ kind: isProved ? 'replica-length-differs' : 'replica-undecided', disk });
    }
    if (odd.length === 0) {
      const alike = copies.filter((copy) => !cut.includes(copy));
      problems.push(...await differences(alike, { name: volume.name, isSound }, pace));
    }
    for (const problem of problems) this.#report(volume, problem);
    desk.settle(ID, begunMs, volume.name);
    store.putUnit(ID, {
      ...unit, size, checked: size, checkedMs: begunMs, waitingSinceMs: undefined,
      resume: { isDiffering: problems.length > 0 },
    });
    return { checked: size, reports: problems.length };
  }

  #report(volume: Copies, { kind, disk, offset }: Problem): void {
    const { name, volumeId } = volume;
    const at = offset === undefined ? '' : `, offset ${offset}`;
    this.#parts.desk.report({
      verifier: ID, kind, scope: name, where: `disk ${disk.id}, volume ${volumeId}${at}`,
      facts: { diskId: disk.id, volumeId, ...(offset !== undefined && { offset }) },
    });
  }

  /** Whether a copy is whole by its own checksums, hashes and footer. Each is read once at most. */
  #judgeOf({ name, volumeId }: Copies, pace: Pace): (copy: Copy) => Promise<boolean> {
    const judged = new Map<Copy, Promise<boolean>>();
    const check = async ({ disk }: Copy): Promise<boolean> => {
      const markEnd = (await this.#parts.marks?.())?.get(volumeId) ?? 0;
      try {
        const { faults, isSealed } = await withVolume(disk.files, name, (file) => checkVolume({
          file, volumeId, markEnd, pace, hashes: true, from: undefined, wasSealed: true,
        }), 'disk');
        return faults.length === 0 && isSealed;
      } catch (error) {
        if (isDiskError(error) || isKind(error, 'unavailable')) return false;
        throw error;
      }
    };
    return (copy) => {
      const known = judged.get(copy) ?? check(copy);
      judged.set(copy, known);
      return known;
    };
  }

  async #look(disk: VerifiedDisk, volume: Copies): Promise<Copy | 'missing' | 'unreadable'> {
    try {
      return await withVolume(disk.files, volume.name, async (file) => {
        const sizeBytes = await file.size();
        const ending = await readAt(file, Math.max(0, sizeBytes - TAIL_BYTES), TAIL_BYTES);
        const tail = readTail(ending, { volumeId: volume.volumeId, sizeBytes });
        return { disk, sizeBytes, isSealed: tail !== undefined };
      });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'missing';
      if (isDiskError(error) || isKind(error, 'unavailable')) return 'unreadable';
      throw error;
    }
  }
}

interface Problem {
  kind: FindingKind;
  disk: VerifiedDisk;
  offset?: number;
}

interface Blamed {
  copy: Copy;
  /** False: it may be any of those that are named. */
  isProved: boolean;
}

/** Who is wrong, if not all say the same: those against more than half; else those that are not
 *  whole by themselves; else nobody knows. */
async function blame(
  copies: readonly Copy[], says: readonly string[], isSound: (copy: Copy) => Promise<boolean>,
): Promise<Blamed[]> {
  const counts = new Map<string, number>();
  for (const word of says) counts.set(word, (counts.get(word) ?? 0) + 1);
  if (counts.size < 2) return [];
  const [most] = [...counts].filter(([, count]) => count * 2 > copies.length);
  if (most !== undefined) {
    return copies.filter((_, index) => says[index] !== most[0])
      .map((copy) => ({ copy, isProved: true }));
  }
  const bad: Copy[] = [];
  for (const copy of copies) if (!(await isSound(copy))) bad.push(copy);
  const isProved = bad.length > 0 && bad.length < copies.length;
  return (isProved ? bad : copies).map((copy) => ({ copy, isProved }));
}

async function differences(
  copies: readonly Copy[],
  { name, isSound }: { name: string; isSound: (copy: Copy) => Promise<boolean> }, pace: Pace,
): Promise<Problem[]> {
  const found: Problem[] = [];
  const sizeBytes = copies[0]?.sizeBytes ?? 0;
  if (copies.length < 2) return found;
  for (let offset = 0; offset < sizeBytes && found.length < DIFFERENCES_MAX;) {
    const readable: Copy[] = [];
    const sums: string[] = [];
    for (const copy of copies) {
      const sum = await sumOf(copy.disk, { name, offset }, pace);
      if (sum === undefined) {
        found.push({ kind: 'unreadable', disk: copy.disk, offset });
        continue;
      }
      readable.push(copy);
      sums.push(sum);
    }
    for (const { copy: { disk }, isProved } of await blame(readable, sums, isSound)) {
      found.push({ kind: isProved ? 'replica-differs' : 'replica-undecided', disk, offset });
    }
    offset += SLICE_BYTES;
  }
  return found;
}

function isDiffering(unit: UnitRecord | undefined): boolean {
  return (unit?.resume as { isDiffering?: boolean } | undefined)?.isDiffering === true;
}

/** Undefined when the disk refuses. */
async function sumOf(
  disk: VerifiedDisk, { name, offset }: { name: string; offset: number }, pace: Pace,
): Promise<string | undefined> {
  await pace.budget?.take(SLICE_BYTES, pace.signal);
  try {
    const bytes = await withVolume(disk.files, name, (file) => readAt(file, offset, SLICE_BYTES));
    return createHash('sha256').update(bytes).digest('hex');
  } catch (error) {
    if (isDiskError(error) || isKind(error, 'unavailable')) return undefined;
    throw error;
  }
}
