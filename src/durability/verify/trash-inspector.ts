/**
 * Looks at each volume in the trash before it is let go: for every record in it, either a live
 * volume holds the block, read and checked here and now, or nothing refers to it any more.
 *
 * Its word is what the garbage collector waits for. It reads the trash, the live volumes and the
 * references itself, with none of the collector's code.
 */
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';
import { answered, isWithin, listBlocksOf, listVolumes } from './volume/volume-catalog.ts';
import type { IdRange } from './volume/volume-catalog.ts';
import { isDiskError, readAt, withVolume } from './volume/volume-folder.ts';
import type { ReadableVolume, VerifiedDisk, VolumeFolder } from './volume/volume-folder.ts';
import {
  HEAD_BYTES, isPayloadSound, parseAnyVolumeName, readBlockHeader, readHead, readTail,
  RECORD_HEADER_BYTES, TAIL_BYTES,
} from './volume/volume-format.ts';
import { walkVolume } from './volume/volume-walk.ts';
import type { Pace } from './volume/volume-window.ts';

/** A volume in the trash, on one disk. */
interface TrashEntry {
  id: string;
  files: VolumeFolder;
  name: string;
  volumeId: number;
}

export interface TrashInspectorParts {
  /** Where volumes are, in use and in the trash. */
  disks: () => readonly VerifiedDisk[];
  /** Those of the blocks that anything refers to: files, versions, uploads, claims, holds.
   *  @throws when it cannot tell: silence is never taken for a no. */
  references: (ids: ReadonlySet<string>, pace: Pace) => Promise<ReadonlySet<string>>;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

/** What was proved of an entry. `clean`: nothing in it is needed, or all of that is live and was
 *  read back whole. */
export interface TrashVerdict {
  verdict: 'clean' | 'needed' | 'unreadable';
  inspectedMs: number;
  deadCount: number;
  liveElsewhereCount: number;
  neededCount: number;
}

const ID = 'trash-inspector';
const NEEDED_TOLD_MAX = 16;
/** A volume may hold a million blocks: a quarter of them is in memory at a time. */
const RANGES: readonly IdRange[] = [
  { from: '', to: '40' }, { from: '40', to: '80' }, { from: '80', to: 'c0' },
  { from: 'c0', to: undefined },
];

export class TrashInspector implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: TrashInspectorParts;

  constructor(parts: TrashInspectorParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  /** The newest verdicts on a volume, one for each disk that holds it in its trash. */
  verdictsOn(volumeId: number): TrashVerdict[] {
    return this.#parts.store.listUnits(ID).flatMap(({ name, resume }) => {
      const isOf = parseAnyVolumeName(name.slice(name.indexOf('/') + 1))?.id === volumeId;
      return isOf ? [resume as TrashVerdict] : [];
    });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { store, desk, clock } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const entries = await this.#entries();
    const there = new Set(entries.map(({ id }) => id));
    for (const { name } of store.listUnits(ID)) if (!there.has(name)) desk.forget(ID, name);
    if (entries.length === 0) {
      return { ...outcome, result: 'nothing-to-do', reason: 'the trash is empty' };
    }
    for (const entry of entries) {
      const unit = store.findUnit(ID, entry.id);
      const age = clock.now() - (unit?.checkedMs ?? 0);
      const isDue = unit?.checkedMs === undefined || age >= this.cycleMs;
      if (!isDue && options.everything !== true) continue;
      const verdict = await this.#inspect(entry, { budget, signal });
      outcome.checked += verdict.deadCount + verdict.liveElsewhereCount + verdict.neededCount;
      outcome.reports += verdict.verdict === 'clean' ? 0 : 1;
      options.onProgress?.(outcome.checked, undefined);
    }
    return outcome;
  }

  async #entries(): Promise<TrashEntry[]> {
    const entries: TrashEntry[] = [];
    for (const disk of this.#parts.disks()) {
      for (const name of await answered(() => disk.files.list())) {
        const parsed = parseAnyVolumeName(name);
        if (parsed?.isTrash !== true) continue;
        const id = `${disk.id}/${name}`;
        entries.push({ id, name, files: disk.files, volumeId: parsed.id });
      }
    }
    return entries;
  }

  async #inspect(entry: TrashEntry, pace: Pace): Promise<TrashVerdict> {
    const { store, desk, clock } = this.#parts;
    const begunMs = clock.now();
    const verdict: TrashVerdict = {
      verdict: 'clean', inspectedMs: begunMs,
      deadCount: 0, liveElsewhereCount: 0, neededCount: 0,
    };
    for (const range of RANGES) {
      const ids = await this.#blocksOf(entry, range, pace);
      if (ids === undefined) {
        verdict.verdict = 'unreadable';
        this.#tell(entry, 'trash-unreadable');
        break;
      }
      await this.#weigh(entry, { ids, range, verdict }, pace);
    }
    const size = verdict.deadCount + verdict.liveElsewhereCount + verdict.neededCount;
    store.putUnit(ID, {
      name: entry.id, size, checked: size, checkedMs: begunMs, waitingSinceMs: undefined,
      resume: verdict,
    });
    desk.settle(ID, begunMs, entry.id);
    return verdict;
  }

  /** Asks about the blocks of a range, and counts what is proved of them. */
  async #weigh(
    entry: TrashEntry, part: { ids: string[]; range: IdRange; verdict: TrashVerdict }, pace: Pace,
  ): Promise<void> {
    const { ids, range, verdict } = part;
    if (ids.length === 0) return;
    const needed = await this.#parts.references(new Set(ids), pace);
    const live = await this.#provenLive(needed, range, pace);
    verdict.deadCount += ids.length - needed.size;
    verdict.liveElsewhereCount += live.size;
    for (const id of needed) {
      if (live.has(id)) continue;
      verdict.neededCount++;
      verdict.verdict = 'needed';
      if (verdict.neededCount <= NEEDED_TOLD_MAX) this.#tell(entry, 'trash-still-needed', id);
    }
  }

  #tell(entry: TrashEntry, kind: FindingKind, blockId?: string): void {
    const block = blockId === undefined ? '' : `, block ${blockId.slice(0, 16)}`;
    const facts = { volumeId: entry.volumeId, ...(blockId !== undefined && { blockId }) };
    const where = `volume ${entry.volumeId} in the trash${block}`;
    this.#parts.desk.report({ verifier: ID, kind, scope: entry.id, where, facts });
  }

  /** All ids of a range in a volume of the trash; undefined when not all can be understood. */
  async #blocksOf(
    entry: TrashEntry, range: IdRange, pace: Pace,
  ): Promise<string[] | undefined> {
    try {
      return await withVolume(entry.files, entry.name, (file) => idsIn(file, range, pace));
    } catch (error) {
      if (isDiskError(error) || isKind(error, 'unavailable')) return undefined;
      throw error;
    }
  }

  /** Those of the blocks that a live volume holds whole: read, and fitting its checksums. */
  async #provenLive(
    ids: ReadonlySet<string>, range: IdRange, pace: Pace,
  ): Promise<Set<string>> {
    const live = new Set<string>();
    if (ids.size === 0) return live;
    for (const volume of await listVolumes(this.#parts.disks())) {
      for (const disk of volume.disks) {
        if (live.size === ids.size) return live;
        await listBlocksOf({ ...volume, disks: [disk] }, {
          range, pace,
          take: async ({ id, offset }, file) => {
            if (!ids.has(id) || live.has(id)) return;
            if (await isWholeAt(file, { id, offset }, pace)) live.add(id);
          },
        });
      }
    }
    return live;
  }
}

async function idsIn(
  file: ReadableVolume, range: IdRange, pace: Pace,
): Promise<string[] | undefined> {
  const sizeBytes = await file.size();
  const head = readHead(await readAt(file, 0, HEAD_BYTES));
  if (typeof head === 'string') return undefined;
  const ending = await readAt(file, Math.max(0, sizeBytes - TAIL_BYTES), TAIL_BYTES);
  const tail = readTail(ending, { volumeId: head.volumeId, sizeBytes });
  const ids = new Set<string>();
  let isWhole = true;
  await walkVolume({
    file, head, from: undefined,
    sizeBytes: tail?.dataEnd ?? sizeBytes, markEnd: tail?.dataEnd ?? 0,
    pace: { budget: undefined, signal: pace.signal },
    visitor: {
      fault: () => {
        isWhole = false;
      },
      batch: async (blocks) => {
        await pace.budget?.take(blocks.length, pace.signal);
        for (const { header } of blocks) if (isWithin(header.id, range)) ids.add(header.id);
      },
    },
  });
  return isWhole ? [...ids] : undefined;
}

async function isWholeAt(
  file: ReadableVolume, place: { id: string; offset: number }, pace: Pace,
): Promise<boolean> {
  await pace.budget?.take(1, pace.signal);
  const bytes = await readAt(file, place.offset, RECORD_HEADER_BYTES);
  const header = bytes.length < RECORD_HEADER_BYTES ? undefined : readBlockHeader(bytes, 0);
  if (header?.id !== place.id) return false;
  const payload = await readAt(file, place.offset + RECORD_HEADER_BYTES, header.payloadBytes);
  return payload.length === header.payloadBytes && isPayloadSound(payload, header);
}
