/** Coverage clocks: from notes about parts, or about whole passes, to what an operator sees. */
import { TRAITS } from './verifier.ts';
import type { Coverage, VerifierId, VerifierStatus } from './verifier.ts';
import type { UnitRecord, VerifyStore } from './verify-store.ts';

/** Of parts that each have a clock of their own. */
export function coverageOfUnits(
  units: readonly UnitRecord[], clock: { nowMs: number; cycleMs: number },
): Coverage {
  const coverage: Coverage = {
    checked: 0, total: 0, sinceMs: undefined, oldestUncheckedMs: undefined,
  };
  for (const { size, checked, checkedMs, waitingSinceMs } of units) {
    coverage.total += size;
    const isRecent = checkedMs !== undefined && clock.nowMs - checkedMs <= clock.cycleMs;
    if (isRecent) coverage.checked += Math.min(checked, size);
    coverage.sinceMs = earlier(coverage.sinceMs, checkedMs);
    coverage.oldestUncheckedMs = earlier(coverage.oldestUncheckedMs, checkedMs);
    coverage.oldestUncheckedMs = earlier(coverage.oldestUncheckedMs, waitingSinceMs);
  }
  return coverage;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/** A verifier that goes through everything in one order, from a cursor. */
export interface Pass {
  begunMs: number;
  checked: number;
  /** Where to go on; undefined: from the start. */
  cursor: unknown;
}

interface WholePass {
  begunMs: number;
  endedMs: number;
  checked: number;
}

/** Keeps the clock of such a verifier in its notes. */
export class PassClock {
  readonly #store: VerifyStore;
  readonly #verifier: VerifierId;

  constructor(store: VerifyStore, verifier: VerifierId) {
    this.#store = store;
    this.#verifier = verifier;
  }

  /** The pass that is under way, or a new one. */
  beginOrResume(nowMs: number): Pass {
    const known = this.#store.findNote(this.#verifier, 'pass') as Pass | undefined;
    if (known !== undefined) return known;
    const pass: Pass = { begunMs: nowMs, checked: 0, cursor: undefined };
    this.save(pass);
    if (this.#store.findNote(this.#verifier, 'first') === undefined) {
      this.#store.putNote(this.#verifier, 'first', nowMs);
    }
    return pass;
  }

  save(pass: Pass): void {
    this.#store.putNote(this.#verifier, 'pass', pass);
  }

  finish(pass: Pass, nowMs: number): void {
    const { begunMs, checked } = pass;
    this.#store.together(() => {
      this.#store.putNote(this.#verifier, 'whole', { begunMs, endedMs: nowMs, checked });
      this.#store.dropNotes(this.#verifier, 'pass');
    });
  }

  /** When everything was last seen: the beginning of the last whole pass. */
  lastWhole(): WholePass | undefined {
    return this.#store.findNote(this.#verifier, 'whole') as WholePass | undefined;
  }

  isDue(nowMs: number, cycleMs: number): boolean {
    if (this.#store.findNote(this.#verifier, 'pass') !== undefined) return true;
    const whole = this.lastWhole();
    return whole === undefined || nowMs - whole.begunMs >= cycleMs * RECHECK_AT;
  }

  coverage(nowMs: number, cycleMs: number): Coverage {
    const whole = this.lastWhole();
    const pass = this.#store.findNote(this.#verifier, 'pass') as Pass | undefined;
    const first = this.#store.findNote(this.#verifier, 'first') as number | undefined;
    const isRecent = whole !== undefined && nowMs - whole.begunMs <= cycleMs;
    const total = Math.max(whole?.checked ?? 0, pass?.checked ?? 0);
    const sinceMs = isRecent ? whole.begunMs : pass?.begunMs;
    return {
      total, sinceMs: total === 0 ? undefined : sinceMs,
      checked: isRecent ? total : (pass?.checked ?? 0),
      oldestUncheckedMs: whole?.begunMs ?? first,
    };
  }
}

/** A check begins at this share of the cycle, so that it ends before the cycle does. */
export const RECHECK_AT = 0.8;

/** What the notes tell of a verifier, whether or not it exists in this process. */
export function readStatus(
  store: VerifyStore, id: VerifierId, time: { nowMs: number; cycleMs?: number },
): VerifierStatus {
  const { nowMs, cycleMs = TRAITS[id].cycleMs } = time;
  const { unit, clock } = TRAITS[id];
  const run = store.findNote(id, 'run') as RunNote | undefined;
  const coverage = {
    units: () => coverageOfUnits(store.listUnits(id), { nowMs, cycleMs }),
    passes: () => new PassClock(store, id).coverage(nowMs, cycleMs),
    samples: () => coverageOfSamples(store, nowMs),
  }[clock]();
  return {
    id, unit, cycleMs, coverage,
    lastBegunMs: run?.begunMs, lastEndedMs: run?.endedMs, idleReason: run?.idleReason,
  };
}

/** A sample is as old as it is overdue: one that is not due yet has been read in time. */
function coverageOfSamples(store: VerifyStore, nowMs: number): Coverage {
  const { count, oldestDueMs } = store.countSamples();
  const readBytes = Number(store.findNote('write-rereader', 'bytes') ?? 0);
  const isLate = oldestDueMs !== undefined && oldestDueMs < nowMs;
  return {
    checked: readBytes, total: readBytes,
    sinceMs: store.findNote('write-rereader', 'since') as number | undefined,
    oldestUncheckedMs: count === 0 ? undefined : (isLate ? oldestDueMs : nowMs),
  };
}

/** Written by whoever lets a verifier run. */
export interface RunNote {
  begunMs: number;
  endedMs?: number;
  idleReason?: string;
}
