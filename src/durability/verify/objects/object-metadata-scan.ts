/**
 * Every block that the metadata refers to: is there an object of its name, as long as the file
 * says?
 *
 * The store is asked itself, past cache and index. A suspect is looked at a second time, by reading
 * it, and the metadata is read again: meanwhile the block may have come and the file have gone.
 * Whether the bytes are right is the object scrubber's business.
 */
import type { Clock } from '../../../platform/index.ts';
import type { Budget } from '../budget.ts';
import { PassClock, readStatus } from '../coverage.ts';
import type { FindingDesk } from '../finding-desk.ts';
import type { FindingKind } from '../finding.ts';
import { placeOfManifest } from '../manifest-source.ts';
import type { ManifestKey, ManifestSource } from '../manifest-source.ts';
import { collectReferences, findOrigins } from '../reference-range.ts';
import type { ReferenceParts, ReferenceRange } from '../reference-range.ts';
import { TRAITS } from '../verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from '../verifier.ts';
import type { VerifyStore } from '../verify-store.ts';
import { canBeOf, openObject } from './object-format.ts';
import { justBefore, objectReader } from './stored-objects.ts';
import type { ObjectSource } from './stored-objects.ts';

export interface ObjectMetadataScanParts extends ObjectSource {
  source: ManifestSource;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
  /** References held in memory at a time. */
  entriesMax?: number;
}

interface Pace {
  budget: Budget;
  signal: AbortSignal;
}

interface Suspect {
  id: string;
  sizeBytes: number;
}

const ID = 'metadata-scan';
const SCOPE = 'all';
/** Suspects that are looked at twice and reported one by one in a run; the rest wait for repair. */
const SUSPECTS_MAX = 1_000;

export class ObjectMetadataScan implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ObjectMetadataScanParts;
  readonly #passes: PassClock;
  readonly #idBytes = Buffer.alloc(32);
  #reports = 0;

  constructor(parts: ObjectMetadataScanParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
    this.#passes = new PassClock(parts.store, ID);
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { clock, desk } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const isDue = options.everything === true || this.#passes.isDue(clock.now(), this.cycleMs);
    if (!isDue) return outcome;
    const expected = this.#passes.lastWhole()?.checked;
    const pass = this.#passes.beginOrResume(clock.now());
    this.#reports = 0;
    for (let from = typeof pass.cursor === 'string' ? pass.cursor : ''; ;) {
      const references = await this.#scanRange(from, { budget, signal });
      pass.checked += references.count;
      outcome.checked += references.count;
      options.onProgress?.(pass.checked, expected);
      if (references.range.to === undefined) break;
      from = references.range.to;
      pass.cursor = from;
      this.#passes.save(pass);
    }
    this.#passes.finish(pass, clock.now());
    desk.settle(ID, pass.begunMs, SCOPE);
    const reports = this.#reports;
    if (pass.checked > 0) return { ...outcome, reports };
    return { result: 'nothing-to-do', checked: 0, reports, reason: 'no file has any content yet' };
  }

  async #scanRange(from: string, pace: Pace): Promise<ReferenceRange> {
    const { objects, entriesMax } = this.#parts;
    // References first: whatever they name was in the store by then.
    const references = await collectReferences(from, {
      ...this.#referenceParts(pace), ...(entriesMax !== undefined && { entriesMax }),
    });
    if (references.count === 0) return references;
    const { to } = references.range;
    // An id can equal `from`, so the listing begins just before it.
    listing: for await (const page of objects.list(justBefore(from), pace.signal)) {
      await pace.budget.take(page.length, pace.signal);
      for (const { id, sizeBytes } of page) {
        if (to !== undefined && id >= to) break listing;
        this.#tickOff(references, id, sizeBytes);
      }
    }
    const suspects: Suspect[] = [];
    for (let index = 0; index < references.count; index++) {
      if (references.seen[index] === 1 || suspects.length >= SUSPECTS_MAX) continue;
      suspects.push(references.at(index));
    }
    if (suspects.length > 0) await this.#examine(suspects, pace);
    return references;
  }

  #tickOff(references: ReferenceRange, id: string, sizeBytes: number): void {
    this.#idBytes.write(id, 0, 32, 'hex');
    for (const index of references.indexesOf(this.#idBytes)) {
      const { maySeal } = this.#parts.objects;
      const isFitting = canBeOf(references.at(index).sizeBytes, sizeBytes, maySeal);
      if (isFitting) references.seen[index] = 1;
    }
  }

  async #examine(suspects: readonly Suspect[], pace: Pace): Promise<void> {
    const { objects } = this.#parts;
    const lengths = new Map<string, number | undefined>();
    for (const { id } of suspects) {
      await pace.budget.take(1, pace.signal);
      const bytes = await objects.read(id, pace.signal);
      const opened = bytes && await openObject(id, bytes);
      lengths.set(id, opened?.blockBytes ?? bytes?.length);
    }
    const origins = await findOrigins(new Set(lengths.keys()), {
      ...this.#referenceParts(pace), onUnreadable: () => undefined,
    });
    for (const { id, sizeBytes } of suspects) {
      const keys = origins.get(id);
      const storedBytes = lengths.get(id);
      if (keys === undefined || storedBytes === sizeBytes) continue;
      const [first] = keys;
      const user = first === undefined ? '' : placeOfManifest(first);
      const where = `block ${id.slice(0, 16)}, ${user}`;
      const facts = { blockId: id, neededBytes: sizeBytes };
      if (storedBytes === undefined) this.#report('block-missing', where, facts);
      else this.#report('length-differs', where, { ...facts, storedBytes });
    }
  }

  #referenceParts(pace: Pace): ReferenceParts {
    const { source } = this.#parts;
    return {
      source, pace, readBlock: objectReader(this.#parts, pace),
      onUnreadable: (kind, key: ManifestKey) => this.#report(kind, placeOfManifest(key), {}),
    };
  }

  #report(kind: FindingKind, where: string, facts: Record<string, string | number>): void {
    this.#reports++;
    this.#parts.desk.report({ verifier: ID, kind, scope: SCOPE, where, facts });
  }
}
