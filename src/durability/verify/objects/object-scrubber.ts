/**
 * Reads every object of the store again and again, and compares the SHA-256 of its bytes with its
 * name; of what is encrypted there, the checksums. What the service says of its own checksums
 * counts for nothing here.
 *
 * Objects are checked in 256 parts by the first byte of their ids, the part that has waited longest
 * first. How much there is is listed once a day; between that, sizes are those of the last listing.
 * Wrong bytes count when a second reading gives wrong bytes too, for they may change on the way.
 */
import type { Clock } from '../../../platform/index.ts';
import type { Budget } from '../budget.ts';
import { readStatus, RECHECK_AT } from '../coverage.ts';
import type { FindingDesk } from '../finding-desk.ts';
import type { FindingKind } from '../finding.ts';
import { TRAITS } from '../verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from '../verifier.ts';
import type { UnitRecord, VerifyStore } from '../verify-store.ts';
import { openObject } from './object-format.ts';
import type { StoredObject, StoredObjects } from './stored-objects.ts';

export interface ObjectScrubberParts {
  objects: StoredObjects;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const ID = 'object-scrubber';
const STOCK_MS = 24 * 60 * 60 * 1000;
const PARTS = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0'));
/** How often the notes say how far the check of a part is. */
const SAVE_EVERY_BYTES = 64 * 1024 * 1024;

/** The check of a part that is under way. */
interface Resume {
  begunMs: number;
  after: string | undefined;
  checked: number;
}

export class ObjectScrubber implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ObjectScrubberParts;

  constructor(parts: ObjectScrubberParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { store, clock } = this.#parts;
    const everything = options.everything === true;
    await this.#takeStock(signal, everything);
    const units = store.listUnits(ID);
    if (units.length === 0) {
      const reason = 'there are no objects yet';
      return { result: 'nothing-to-do', checked: 0, reports: 0, reason };
    }
    const due = units.filter((unit) => everything || isDue(unit, clock.now(), this.cycleMs))
      .sort((a, b) => (a.checkedMs ?? 0) - (b.checkedMs ?? 0));
    const expected = due.reduce((sum, { size }) => sum + size, 0);
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    for (const unit of due) {
      await this.#scrub(unit, { budget, signal, outcome });
      options.onProgress?.(outcome.checked, expected);
    }
    return outcome;
  }

  /** How much there is in each part. */
  async #takeStock(signal: AbortSignal, now: boolean): Promise<void> {
    const { store, clock, objects, desk } = this.#parts;
    const nowMs = clock.now();
    const lastMs = store.findNote(ID, 'stock') as number | undefined;
    if (!now && lastMs !== undefined && nowMs - lastMs < STOCK_MS) return;
    const sizes = new Map<string, number>();
    for await (const page of objects.list(undefined, signal)) {
      for (const { id, sizeBytes } of page) {
        const part = id.slice(0, 2);
        sizes.set(part, (sizes.get(part) ?? 0) + sizeBytes);
      }
    }
    store.together(() => {
      for (const name of PARTS) {
        const known = store.findUnit(ID, name);
        const size = sizes.get(name);
        if (size !== undefined) store.putUnit(ID, grown(name, size, known, nowMs));
        else if (known !== undefined) desk.forget(ID, name);
      }
      store.putNote(ID, 'stock', nowMs);
    });
  }

  async #scrub(
    unit: UnitRecord, { budget, signal, outcome }: {
      budget: Budget; signal: AbortSignal; outcome: RunOutcome;
    },
  ): Promise<void> {
    const { store, clock, objects } = this.#parts;
    const known = unit.resume as Resume | undefined;
    const check: Resume = known ?? { begunMs: clock.now(), after: before(unit.name), checked: 0 };
    let savedBytes = check.checked;
    for await (const page of objects.list(check.after, signal)) {
      for (const object of page) {
        if (!object.id.startsWith(unit.name)) return this.#finish(unit, check);
        await budget.take(Math.max(1, object.sizeBytes), signal);
        outcome.reports += await this.#check(object, unit.name, signal) ? 0 : 1;
        outcome.checked += object.sizeBytes;
        check.checked += object.sizeBytes;
        check.after = object.id;
        if (check.checked - savedBytes < SAVE_EVERY_BYTES) continue;
        savedBytes = check.checked;
        store.putUnit(ID, { ...unit, resume: { ...check } });
      }
    }
    this.#finish(unit, check);
    return undefined;
  }

  #finish(unit: UnitRecord, { begunMs, checked }: Resume): void {
    const { store, desk } = this.#parts;
    store.putUnit(ID, {
      name: unit.name, size: checked, checked, checkedMs: begunMs, waitingSinceMs: undefined,
      resume: undefined,
    });
    desk.settle(ID, begunMs, unit.name);
  }

  /** False when it was reported. */
  async #check({ id, sizeBytes }: StoredObject, scope: string, signal: AbortSignal) {
    const { objects } = this.#parts;
    const first = await objects.read(id, signal);
    // Collected since it was listed; the metadata scan asks after what is needed and not there.
    if (first === undefined) return true;
    if (await openObject(id, first) !== undefined) return true;
    const second = await objects.read(id, signal);
    if (second === undefined) return true;
    const isRight = await openObject(id, second) !== undefined;
    const kind = isRight ? 'unsteady-read' : 'hash-differs';
    this.#report(kind, scope, { blockId: id, sizeBytes });
    return false;
  }

  #report(
    kind: FindingKind, scope: string, facts: { blockId: string; sizeBytes: number },
  ): void {
    const where = `object of block ${facts.blockId.slice(0, 16)}`;
    this.#parts.desk.report({ verifier: ID, kind, scope, where, facts });
  }
}

function isDue({ checkedMs, resume }: UnitRecord, nowMs: number, cycleMs: number): boolean {
  if (checkedMs === undefined || resume !== undefined) return true;
  return nowMs - checkedMs >= cycleMs * RECHECK_AT;
}

/** A part as it was listed: what came since its check has not been checked. */
function grown(
  name: string, size: number, known: UnitRecord | undefined, nowMs: number,
): UnitRecord {
  if (known === undefined) {
    return {
      name, size, checked: 0, checkedMs: undefined, waitingSinceMs: nowMs, resume: undefined,
    };
  }
  const isMore = size > known.checked;
  return {
    ...known, size, checked: Math.min(known.checked, size),
    waitingSinceMs: isMore ? (known.waitingSinceMs ?? nowMs) : known.waitingSinceMs,
  };
}

/** Every id of the part is behind it, and none of the part before. */
function before(part: string): string | undefined {
  const value = Number.parseInt(part, 16);
  return value === 0 ? undefined : `${(value - 1).toString(16).padStart(2, '0')}${'f'.repeat(62)}`;
}
