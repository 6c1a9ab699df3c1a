/**
 * Puts the list of what the metadata refers to beside the list of what is stored, in order of ids,
 * and looks for blocks that are missing, that nobody needs, or that differ in length.
 *
 * What one pass sees may be a write that is just under way. So nothing is said or proposed before a
 * later pass, some time apart, sees the same. Orphans are proposed to the garbage collector, never
 * removed here; right before that the metadata is asked again. And if very much seems to be wrong,
 * then most likely this program is: above a cap nothing at all is proposed.
 */
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { PassClock, readStatus } from './coverage.ts';
import type { Pass } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import type { ManifestSource } from './manifest-source.ts';
import { collectReferences, findOrigins } from './reference-range.ts';
import type { ReferenceParts, ReferenceRange } from './reference-range.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';
import type { IdRange } from './volume/volume-catalog.ts';
import type { Pace } from './volume/volume-window.ts';

export interface OrphanBlock {
  id: string;
  sizeBytes: number;
  volumeId: number;
}

/** All blocks that are stored, wherever that is. */
export interface Inventory {
  /** In no order. `volumeId` 0: it lies in no volume. */
  each(range: IdRange, pace: Pace, take: (block: OrphanBlock) => void): Promise<void>;
  /** Once more, of what `each` may have left out. */
  eachElsewhere(range: IdRange, pace: Pace, take: (block: OrphanBlock) => void): Promise<void>;
  /** Whether a block of that length may lie in so many bytes. */
  fits(blockBytes: number, storedBytes: number): boolean;
  readBlock(pace: Pace): (id: string) => Promise<Buffer | undefined>;
}

export interface ReconcilerParts {
  inventory: Inventory;
  source: ManifestSource;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  /** Takes orphans on their way to the trash, and answers how many it took. It checks by its own
   *  rules once more. Left out: orphans are only reported. */
  propose?: (orphans: readonly OrphanBlock[]) => Promise<number>;
  cycleMs?: number;
  /** Two passes that agree lie so far apart at least. */
  agreeAfterMs?: number;
  /** The same for orphans: an upload may take this long from its first block to its file. */
  orphanAfterMs?: number;
  entriesMax?: number;
}

const HOUR_MS = 60 * 60 * 1000;
const AGREE_AFTER_MS = HOUR_MS;
const ORPHAN_AFTER_MS = 48 * HOUR_MS;
/** Differences remembered from one pass to the next; what is beyond is counted. */
const CANDIDATES_MAX = 10_000;
/** So many orphans may be proposed in a run: this number, or this share of all blocks. */
const PROPOSED_MIN = 100;
const PROPOSED_SHARE = 0.001;
const SCOPE = 'all';
const ID = 'reconciler';

const KINDS = {
  missing: 'block-missing', orphan: 'orphan', size: 'size-differs',
} as const satisfies Record<string, FindingKind>;
type Difference = keyof typeof KINDS;

/** A difference as a pass saw it. */
interface Candidate {
  /** When the pass began that saw it first, and the one that saw it last. */
  firstMs: number;
  lastMs: number;
  sizeBytes: number;
  volumeId: number;
}

/** What the newest pass counted, agreed upon or not. */
export interface ReconcilerTotals {
  blocks: number;
  orphans: number;
  orphanBytes: number;
  missing: number;
  sizeDiffers: number;
}

export class Reconciler implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ReconcilerParts;
  readonly #passes: PassClock;
  #reports = 0;
  /** Some references could not be read in this run. */
  #isBlind = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
    this.#passes = new PassClock(parts.store, ID);
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  /** Of the last whole pass; undefined before the first. */
  totals(): ReconcilerTotals | undefined {
    return this.#parts.store.findNote(ID, 'totals') as ReconcilerTotals | undefined;
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { clock } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    if (options.everything !== true && !this.#isDue()) return outcome;
    const expected = this.#passes.lastWhole()?.checked;
    const pass = this.#passes.beginOrResume(clock.now());
    this.#reports = 0;
    this.#isBlind = false;
    const before = pass.cursor as { from: string; totals: ReconcilerTotals } | undefined;
    const totals = before?.totals
      ?? { blocks: 0, orphans: 0, orphanBytes: 0, missing: 0, sizeDiffers: 0 };
    for (let from = before?.from ?? ''; ;) {
      const range = await this.#compareRange(from, { pass, totals }, { budget, signal });
      options.onProgress?.(pass.checked, expected);
      if (range.range.to === undefined) break;
      from = range.range.to;
      pass.cursor = { from, totals };
      this.#passes.save(pass);
    }
    await this.#conclude(pass, totals, { budget, signal });
    outcome.checked = pass.checked;
    outcome.reports = this.#reports;
    if (pass.checked > 0) return outcome;
    return { ...outcome, result: 'nothing-to-do', reason: 'there are no blocks yet' };
  }

  /** Differences wait for the pass that may agree. */
  #isDue(): boolean {
    const { store, clock } = this.#parts;
    if (this.#passes.isDue(clock.now(), this.cycleMs)) return true;
    const waits = store.listNotes(ID, { prefix: 'candidate/', limit: 1 }).length > 0;
    const whole = this.#passes.lastWhole();
    const agreeAfterMs = this.#parts.agreeAfterMs ?? AGREE_AFTER_MS;
    return waits && whole !== undefined && clock.now() - whole.begunMs >= agreeAfterMs;
  }

  async #compareRange(
    from: string, so: { pass: Pass; totals: ReconcilerTotals }, pace: Pace,
  ): Promise<ReferenceRange> {
    const { entriesMax, inventory } = this.#parts;
    const { pass, totals } = so;
    const parts = this.#referenceParts(pace);
    const references = await collectReferences(from, {
      ...parts, ...(entriesMax !== undefined && { entriesMax }),
    });
    const sizes = new Map<number, OrphanBlock>();
    const idBytes = Buffer.alloc(32);
    await inventory.each(references.range, pace, ({ id, volumeId, sizeBytes }) => {
      pass.checked++;
      totals.blocks++;
      idBytes.write(id, 0, 32, 'hex');
      const indexes = references.indexesOf(idBytes);
      if (indexes.length === 0) this.#noteOrphan({ id, sizeBytes, volumeId }, so);
      for (const index of indexes) {
        if (inventory.fits(references.at(index).sizeBytes, sizeBytes)) references.seen[index] = 1;
        else sizes.set(index, { id, sizeBytes, volumeId });
      }
    });
    await this.#lookElsewhere(references, pace);
    for (let index = 0; index < references.count; index++) {
      if (references.seen[index] === 1) continue;
      const { id, sizeBytes } = references.at(index);
      const stored = sizes.get(index);
      if (stored === undefined) totals.missing++;
      else totals.sizeDiffers++;
      this.#note(stored === undefined ? 'missing' : 'size', {
        id, sizeBytes, volumeId: stored?.volumeId ?? 0,
      }, pass);
    }
    return references;
  }

  /** What the first copy of a volume does not show may be in another one: then the scrubber has
   *  something to tell, and nothing is missing. */
  async #lookElsewhere(references: ReferenceRange, pace: Pace): Promise<void> {
    const { inventory } = this.#parts;
    const idBytes = Buffer.alloc(32);
    if (!references.seen.includes(0)) return;
    await inventory.eachElsewhere(references.range, pace, ({ id, sizeBytes }) => {
      idBytes.write(id, 0, 32, 'hex');
      for (const index of references.indexesOf(idBytes)) {
        if (inventory.fits(references.at(index).sizeBytes, sizeBytes)) references.seen[index] = 1;
      }
    });
  }

  #referenceParts(pace: Pace): ReferenceParts {
    const { source, inventory } = this.#parts;
    return {
      source, pace, readBlock: inventory.readBlock(pace),
      // The metadata scan tells of it. What it refers to is unknown, so nothing is an orphan now.
      onUnreadable: () => {
        this.#isBlind = true;
      },
    };
  }

  #noteOrphan(orphan: OrphanBlock, so: { pass: Pass; totals: ReconcilerTotals }): void {
    so.totals.orphans++;
    so.totals.orphanBytes += orphan.sizeBytes;
    this.#note('orphan', orphan, so.pass);
  }

  #note(difference: Difference, block: OrphanBlock, pass: Pass): void {
    const { store } = this.#parts;
    const key = `candidate/${difference}/${block.id}`;
    const known = store.findNote(ID, key) as Candidate | undefined;
    if (known === undefined && this.#countOf(difference) >= CANDIDATES_MAX) return;
    const { sizeBytes, volumeId } = block;
    const firstMs = known?.firstMs ?? pass.begunMs;
    const candidate: Candidate = { firstMs, lastMs: pass.begunMs, sizeBytes, volumeId };
    store.putNote(ID, key, candidate);
    if (known === undefined) this.#counts.set(difference, this.#countOf(difference) + 1);
  }

  /** Counted once, then kept in step: asking the store for each difference would be slow. */
  readonly #counts = new Map<Difference, number>();

  #countOf(difference: Difference): number {
    const counted = this.#counts.get(difference) ?? this.#list(difference).length;
    this.#counts.set(difference, counted);
    return counted;
  }

  #list(difference: Difference): { block: OrphanBlock; candidate: Candidate }[] {
    const prefix = `candidate/${difference}/`;
    const notes = this.#parts.store.listNotes(ID, { prefix, limit: CANDIDATES_MAX });
    return notes.map(({ key, value }) => {
      const candidate = value as Candidate;
      const { sizeBytes, volumeId } = candidate;
      return { block: { id: key.slice(prefix.length), sizeBytes, volumeId }, candidate };
    });
  }

  async #conclude(pass: Pass, totals: ReconcilerTotals, pace: Pace): Promise<void> {
    const { store, desk, clock } = this.#parts;
    const agreed = { missing: [], orphan: [], size: [] } as Record<Difference, OrphanBlock[]>;
    for (const difference of ['missing', 'orphan', 'size'] as const) {
      for (const { block, candidate } of this.#list(difference)) {
        if (candidate.lastMs !== pass.begunMs) {
          store.dropNotes(ID, `candidate/${difference}/${block.id}`);
        } else if (candidate.lastMs - candidate.firstMs >= this.#waitOf(difference)) {
          agreed[difference].push(block);
        }
      }
    }
    this.#counts.clear();
    for (const difference of ['missing', 'size'] as const) {
      for (const block of agreed[difference]) this.#report(KINDS[difference], block);
    }
    await this.#dealWithOrphans(agreed.orphan, totals, pace);
    store.putNote(ID, 'totals', totals);
    this.#passes.finish(pass, clock.now());
    desk.settle(ID, pass.begunMs, SCOPE);
  }

  #waitOf(difference: Difference): number {
    const { agreeAfterMs = AGREE_AFTER_MS, orphanAfterMs = ORPHAN_AFTER_MS } = this.#parts;
    return difference === 'orphan' ? Math.max(agreeAfterMs, orphanAfterMs) : agreeAfterMs;
  }

  async #dealWithOrphans(
    orphans: readonly OrphanBlock[], totals: ReconcilerTotals, pace: Pace,
  ): Promise<void> {
    if (this.#isBlind) return;
    for (const orphan of orphans) this.#report('orphan', orphan);
    const cap = Math.max(PROPOSED_MIN, Math.floor(totals.blocks * PROPOSED_SHARE));
    if (orphans.length > cap) {
      this.#reports++;
      this.#parts.desk.report({
        verifier: ID, kind: 'cap-reached', scope: SCOPE, where: 'orphans of this store',
        facts: { orphans: orphans.length, cap },
      });
      return;
    }
    if (orphans.length === 0 || this.#parts.propose === undefined) return;
    // The premise, once more, at the moment of acting.
    const ids = new Set(orphans.map(({ id }) => id));
    const needed = await findOrigins(ids, this.#referenceParts(pace));
    if (this.#wasBlinded()) return;
    const still = orphans.filter(({ id }) => !needed.has(id));
    if (still.length > 0) await this.#parts.propose(still);
  }

  /** Asked after a wait, in which it may have come to be so. */
  #wasBlinded(): boolean {
    return this.#isBlind;
  }

  #report(kind: FindingKind, { id, sizeBytes, volumeId }: OrphanBlock): void {
    this.#reports++;
    const place = volumeId === 0 ? '' : `, volume ${volumeId}`;
    this.#parts.desk.report({
      verifier: ID, kind, scope: SCOPE, where: `block ${id.slice(0, 16)}${place}`,
      facts: { blockId: id, sizeBytes, ...(volumeId !== 0 && { volumeId }) },
    });
  }
}
