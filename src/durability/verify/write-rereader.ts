/**
 * Reads sampled writes back the way users do, a minute, an hour, a day and a week after they were
 * acknowledged, and compares the SHA-256 of what comes with that of what was sent. It knows nothing
 * of volumes, blocks or manifests: whatever lies between, the bytes must be the same.
 */
import { createHash } from 'node:crypto';
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { SampleRecord, VerifyStore } from './verify-store.ts';
import { READ_AFTER_MS } from './write-sampler.ts';

/** What reading an address gives: its bytes; or word that a user has since replaced or deleted what
 *  was written, so nothing can be said of it. */
export type ReadBack =
  | { kind: 'bytes'; pieces: AsyncIterable<Uint8Array> }
  | { kind: 'superseded' };

export interface WriteRereaderParts {
  /** A public way of reading. @throws not-found, corrupt and so on, as users would see it. */
  read: (address: string, signal: AbortSignal) => Promise<ReadBack>;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const PAGE = 64;
const SAMPLES_PER_RUN_MAX = 10_000;
/** A reading that failed for a passing reason is tried again so much later. */
const AGAIN_MS = 10 * 60 * 1000;
const ID = 'write-rereader';

export class WriteRereader implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: WriteRereaderParts;

  constructor(parts: WriteRereaderParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { store, clock } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    if (store.findNote(ID, 'since') === undefined) store.putNote(ID, 'since', clock.now());
    const untilMs = options.everything === true ? Number.MAX_SAFE_INTEGER : clock.now();
    const done = new Set<string>();
    while (done.size < SAMPLES_PER_RUN_MAX) {
      const page = store.dueSamples(untilMs, PAGE + done.size).filter(({ id }) => !done.has(id));
      if (page.length === 0) break;
      for (const sample of page) {
        done.add(sample.id);
        const { checked, reports } = await this.#reread(sample, { budget, signal });
        outcome.checked += checked;
        outcome.reports += reports;
        options.onProgress?.(outcome.checked, undefined);
      }
    }
    store.putNote(ID, 'bytes', Number(store.findNote(ID, 'bytes') ?? 0) + outcome.checked);
    if (done.size > 0 || store.countSamples().count > 0) return outcome;
    return { ...outcome, result: 'nothing-to-do', reason: 'no sampled write waits to be read' };
  }

  async #reread(
    sample: SampleRecord, pace: { budget: Budget; signal: AbortSignal },
  ): Promise<{ checked: number; reports: number }> {
    const { store, clock, desk } = this.#parts;
    const begunMs = clock.now();
    const { kind, checked } = await this.#compare(sample, pace);
    if (kind === 'later') {
      store.rescheduleSample(sample.id, { step: sample.step, dueMs: clock.now() + AGAIN_MS });
      return { checked, reports: 0 };
    }
    if (kind === 'same' || kind === 'superseded') {
      const next = kind === 'same' ? nextStep(sample, clock.now()) : undefined;
      store.rescheduleSample(sample.id, next);
      desk.settle(ID, begunMs, sample.id);
      return { checked, reports: 0 };
    }
    desk.report({
      verifier: ID, kind, scope: sample.id, where: `written ${sample.address}`,
      facts: { writtenMs: sample.writtenMs, sizeBytes: sample.sizeBytes, reading: sample.step + 1 },
    });
    // It stays, so that it is seen when it has been repaired.
    store.rescheduleSample(sample.id, { step: sample.step, dueMs: clock.now() + AGAIN_MS });
    return { checked, reports: 1 };
  }

  async #compare(
    sample: SampleRecord, { budget, signal }: { budget: Budget; signal: AbortSignal },
  ): Promise<{ kind: FindingKind | 'same' | 'superseded' | 'later'; checked: number }> {
    let checked = 0;
    try {
      await budget.take(1, signal);
      const answer = await this.#parts.read(sample.address, signal);
      if (answer.kind === 'superseded') return { kind: 'superseded', checked };
      const hash = createHash('sha256');
      for await (const piece of answer.pieces) {
        await budget.take(piece.length, signal);
        checked += piece.length;
        hash.update(piece);
      }
      const isSame = hash.digest('hex') === sample.sha256 && checked === sample.sizeBytes;
      return { kind: isSame ? 'same' : 'sample-differs', checked };
    } catch (error) {
      if (signal.aborted) throw error;
      if (isKind(error, 'not-found')) return { kind: 'sample-missing', checked };
      if (isKind(error, 'busy') || isKind(error, 'unavailable')) return { kind: 'later', checked };
      // Whatever else is thrown, a user would not get the bytes.
      return { kind: 'sample-unreadable', checked };
    }
  }
}

/** Readings that were missed while the server was down count as one. */
function nextStep(
  { step, writtenMs }: SampleRecord, nowMs: number,
): { step: number; dueMs: number } | undefined {
  for (let next = step + 1; next < READ_AFTER_MS.length; next++) {
    const dueMs = writtenMs + (READ_AFTER_MS[next] ?? 0);
    const isLast = next === READ_AFTER_MS.length - 1;
    if (dueMs > nowMs || isLast) return { step: next, dueMs };
  }
  return undefined;
}
