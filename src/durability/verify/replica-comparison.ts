/**
 * Compares the copies of each sealed volume on all disks, mebibyte by mebibyte, by SHA-256.
 *
 * The scrubber believes a copy that is sound in itself; only side by side two sound copies with
 * different content, or a copy that is simply not there, come to light. Volumes that are still
 * being written are compared once they are sealed.
 */
import { createHash } from 'node:crypto';
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { RECHECK_AT, readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { UnitRecord, VerifyStore } from './verify-store.ts';
import { isDiskError, readAt, systemCode, withVolume } from './volume/volume-folder.ts';
import type { VerifiedDisk } from './volume/volume-folder.ts';
import { parseVolumeFileName, readTail, TAIL_BYTES } from './volume/volume-format.ts';
import type { Pace } from './volume/volume-window.ts';

export interface ReplicaComparisonParts {
  disks: () => readonly VerifiedDisk[];
  /** The disks that should hold a volume, by id; left out: those that have it are compared. */
  placement?: (volumeName: string) => readonly string[] | undefined;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const SLICE_BYTES = 1024 * 1024;
const ID = 'replica-comparison';
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
      const reason = 'there is one disk only: nothing to compare';
      return { ...outcome, result: 'nothing-to-do', reason };
    }
    const volumes = await this.#gather(all);
    const names = new Set(volumes.map(({ name }) => name));
    for (const { name } of store.listUnits(ID)) if (!names.has(name)) desk.forget(ID, name);
    for (const volume of volumes) {
      const unit = store.findUnit(ID, volume.name);
      const age = clock.now() - (unit?.checkedMs ?? 0);
      const isDue = unit?.checkedMs === undefined || age >= this.cycleMs * RECHECK_AT;
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
    const problems: { kind: FindingKind; disk: VerifiedDisk; offset?: number }[] = [];
    for (const disk of volume.disks) {
      const copy = await this.#look(disk, volume);
      if (copy === 'missing') problems.push({ kind: 'replica-missing', disk });
      else if (copy !== 'unreadable') copies.push(copy);
    }
    const [model] = copies.filter(({ isSealed }) => isSealed);
    if (model === undefined || volume.disks.length < 2) return { checked: 0, reports: 0 };
    const size = model.sizeBytes * copies.length;
    const unit: UnitRecord = known ?? {
      name: volume.name, size, checked: 0, checkedMs: undefined, waitingSinceMs: begunMs,
      resume: undefined,
    };
    store.putUnit(ID, { ...unit, size });
    const alike = copies.filter(({ disk, sizeBytes }) => {
      if (sizeBytes === model.sizeBytes) return true;
      problems.push({ kind: 'replica-length-differs', disk });
      return false;
    });
    problems.push(...await differences(alike, volume.name, pace));
    for (const { kind, disk, offset } of problems) {
      const at = offset === undefined ? '' : `, offset ${offset}`;
      const where = `disk ${disk.id}, volume ${volume.volumeId}${at}`;
      const facts = { volumeId: volume.volumeId, ...(offset !== undefined && { offset }) };
      desk.report({ verifier: ID, kind, scope: volume.name, where, facts });
    }
    desk.settle(ID, begunMs, volume.name);
    store.putUnit(ID, {
      ...unit, size, checked: size, checkedMs: begunMs, waitingSinceMs: undefined,
    });
    return { checked: size, reports: problems.length };
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

/** The disks whose copy differs from what most copies say; from the first one's, without a most. */
async function differences(
  copies: readonly Copy[], name: string, pace: Pace,
): Promise<{ kind: FindingKind; disk: VerifiedDisk; offset: number }[]> {
  const found: { kind: FindingKind; disk: VerifiedDisk; offset: number }[] = [];
  const sizeBytes = copies[0]?.sizeBytes ?? 0;
  if (copies.length < 2) return found;
  for (let offset = 0; offset < sizeBytes; offset += SLICE_BYTES) {
    const sums: (string | undefined)[] = [];
    for (const { disk } of copies) sums.push(await sumOf(disk, { name, offset }, pace));
    const common = mostCommon(sums);
    for (const [index, sum] of sums.entries()) {
      const disk = copies[index]?.disk;
      if (sum === common || disk === undefined || found.length >= DIFFERENCES_MAX) continue;
      found.push({ kind: sum === undefined ? 'unreadable' : 'replica-differs', disk, offset });
    }
  }
  return found;
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

function mostCommon(sums: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const sum of sums) if (sum !== undefined) counts.set(sum, (counts.get(sum) ?? 0) + 1);
  let best: string | undefined;
  for (const [sum, count] of counts) {
    if (best === undefined || count > (counts.get(best) ?? 0)) best = sum;
  }
  return best;
}
