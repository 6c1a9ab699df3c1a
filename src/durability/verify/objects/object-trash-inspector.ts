/**
 * Looks at each batch in the trash of an object store before it is let go: every block in it is
 * either stored, its object read here and now, or nothing refers to it any more.
 *
 * The garbage collector inspects by itself before it erases. This is the second opinion: it asks
 * the store and the metadata itself, with none of the collector's code.
 */
import type { Clock } from '../../../platform/index.ts';
import type { Budget } from '../budget.ts';
import { readStatus } from '../coverage.ts';
import type { FindingDesk } from '../finding-desk.ts';
import type { TrashVerdict } from '../trash-inspector.ts';
import { TRAITS } from '../verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from '../verifier.ts';
import type { VerifyStore } from '../verify-store.ts';
import type { Pace } from '../volume/volume-window.ts';
import { openObject } from './object-format.ts';
import type { StoredObjects } from './stored-objects.ts';

export interface ObjectTrashInspectorParts {
  objects: StoredObjects;
  /** As for TrashInspector. @throws when it cannot tell. */
  references: (ids: ReadonlySet<string>, pace: Pace) => Promise<ReadonlySet<string>>;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const ID = 'trash-inspector';
const NEEDED_TOLD_MAX = 16;
/** Of one batch in memory at a time; the collector makes none that is greater. */
const BLOCKS_MAX = 100_000;

interface Batch {
  readonly number: number;
  readonly ids: string[];
}

export class ObjectTrashInspector implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ObjectTrashInspectorParts;

  constructor(parts: ObjectTrashInspectorParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { store, desk } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const there = new Set<string>();
    for await (const batch of this.#batches(signal)) {
      there.add(nameOf(batch));
      if (options.everything !== true && !this.#isDue(batch)) continue;
      const neededCount = await this.#inspect(batch, { budget, signal });
      outcome.checked += batch.ids.length;
      outcome.reports += neededCount;
      options.onProgress?.(outcome.checked, undefined);
    }
    for (const { name } of store.listUnits(ID)) if (!there.has(name)) desk.forget(ID, name);
    if (there.size > 0) return outcome;
    return { ...outcome, result: 'nothing-to-do', reason: 'the trash is empty' };
  }

  #isDue(batch: Batch): boolean {
    const { store, clock } = this.#parts;
    const checkedMs = store.findUnit(ID, nameOf(batch))?.checkedMs;
    return checkedMs === undefined || clock.now() - checkedMs >= this.cycleMs;
  }

  /** One that is too great for memory comes in parts, as if it were several. */
  async *#batches(signal: AbortSignal): AsyncGenerator<Batch> {
    let batch: Batch | undefined;
    for await (const page of this.#parts.objects.listTrash(signal)) {
      for (const { batch: number, id } of page) {
        if (batch !== undefined && (batch.number !== number || batch.ids.length >= BLOCKS_MAX)) {
          yield batch;
          batch = undefined;
        }
        batch ??= { number, ids: [] };
        batch.ids.push(id);
      }
    }
    if (batch !== undefined) yield batch;
  }

  /** Answers how many blocks are needed and nowhere else. */
  async #inspect(batch: Batch, pace: Pace): Promise<number> {
    const { store, desk, clock, references } = this.#parts;
    const begunMs = clock.now();
    const size = batch.ids.length;
    await pace.budget?.take(size, pace.signal);
    const referenced = await references(new Set(batch.ids), pace);
    const verdict: TrashVerdict = {
      verdict: 'clean', inspectedMs: begunMs, deadCount: size - referenced.size,
      liveElsewhereCount: 0, neededCount: 0,
    };
    for (const id of referenced) {
      await pace.budget?.take(1, pace.signal);
      if (await this.#isStored(id, pace.signal)) {
        verdict.liveElsewhereCount++;
        continue;
      }
      verdict.neededCount++;
      verdict.verdict = 'needed';
      if (verdict.neededCount <= NEEDED_TOLD_MAX) this.#tell(batch, id);
    }
    store.putUnit(ID, {
      name: nameOf(batch), size, checked: size, checkedMs: begunMs, waitingSinceMs: undefined,
      resume: verdict,
    });
    desk.settle(ID, begunMs, nameOf(batch));
    return verdict.neededCount;
  }

  async #isStored(id: string, signal: AbortSignal): Promise<boolean> {
    const bytes = await this.#parts.objects.read(id, signal);
    return bytes !== undefined && await openObject(id, bytes) !== undefined;
  }

  #tell(batch: Batch, blockId: string): void {
    this.#parts.desk.report({
      verifier: ID, kind: 'trash-still-needed', scope: nameOf(batch),
      where: `batch ${batch.number} in the trash, block ${blockId.slice(0, 16)}`,
      facts: { volumeId: batch.number, blockId },
    });
  }
}

function nameOf({ number }: Batch): string {
  return `batch/${number}`;
}
