/** What every verifier is, and what it tells of itself. README.md here has the picture. */
import type { Budget } from './budget.ts';

export const VERIFIER_IDS = [
  'disk-scrubber', 'metadata-scan', 'replica-comparison', 'trash-inspector', 'extent-referee',
  'write-rereader', 'reconciler', 'journal-auditor', 'object-scrubber',
] as const;

export type VerifierId = (typeof VERIFIER_IDS)[number];

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How each keeps its clock: one for each of its parts, one for whole passes, or none but the
 *  times at which samples are due. And how often everything is checked, unless told otherwise. */
export const TRAITS = {
  'disk-scrubber': { unit: 'bytes', clock: 'units', cycleMs: 7 * DAY_MS },
  'metadata-scan': { unit: 'items', clock: 'passes', cycleMs: DAY_MS },
  'replica-comparison': { unit: 'bytes', clock: 'units', cycleMs: 30 * DAY_MS },
  'trash-inspector': { unit: 'items', clock: 'units', cycleMs: DAY_MS },
  'extent-referee': { unit: 'items', clock: 'passes', cycleMs: HOUR_MS },
  'write-rereader': { unit: 'bytes', clock: 'samples', cycleMs: HOUR_MS },
  'reconciler': { unit: 'items', clock: 'passes', cycleMs: DAY_MS },
  'journal-auditor': { unit: 'items', clock: 'units', cycleMs: 7 * DAY_MS },
  'object-scrubber': { unit: 'bytes', clock: 'units', cycleMs: 30 * DAY_MS },
} as const satisfies Readonly<Record<VerifierId, {
  unit: WorkUnit; clock: 'units' | 'passes' | 'samples'; cycleMs: number;
}>>;

/** What a verifier counts: a budget is so many of them a second. */
export type WorkUnit = 'bytes' | 'items';

/**
 * A Verifier looks at stored data and reports what is wrong. It changes nothing but its own notes.
 *
 * It shares the description of a format with the code that writes it, never the code itself: else
 * one bug would write a fault and approve of it. One call of `run` at a time; `status` any time.
 * Its notes survive the end of the process however it comes: a later `run` goes on where this one
 * stopped. A power cut may cost the notes of the last moments, so something is checked twice.
 */
export interface Verifier {
  readonly id: VerifierId;
  readonly unit: WorkUnit;
  /** Everything is to be checked at least once in this time. */
  readonly cycleMs: number;

  /** Checks what is due and resolves; it never waits for something to become due. Whatever it
   *  finds is in the findings before it resolves. Each piece of work is asked of `budget` first.
   *  @throws the signal's reason; unavailable: what it must look at cannot be reached. */
  run(budget: Budget, signal: AbortSignal, options?: RunOptions): Promise<RunOutcome>;

  /** Cheap: read from the notes. */
  status(): VerifierStatus;
}

export interface RunOptions {
  /** Check everything now, due or not. Work that was begun is finished, not begun anew. */
  everything?: boolean;
  /** Hears now and then how far the run is. Must not throw. */
  onProgress?: (checked: number, expected: number | undefined) => void;
}

export interface RunOutcome {
  /** `nothing-to-do`: not a single thing exists that this verifier could check. That is not the
   *  same as all being well, and is shown as such. */
  result: 'checked' | 'nothing-to-do';
  /** In the verifier's unit. */
  checked: number;
  /** Reports made in this run, of old and new findings. */
  reports: number;
  /** Why there was nothing to do. */
  reason?: string;
}

/** How much of what there is was checked, and how long ago. */
export interface Coverage {
  /** Checked within the cycle, and all there is, in the verifier's unit. */
  checked: number;
  total: number;
  /** When the check of what was checked longest ago began; undefined when nothing was. */
  sinceMs: number | undefined;
  /** From when on the oldest thing has been waiting to be checked: the time of its last check, or
   *  else of its first sight. Undefined when there is nothing to check. */
  oldestUncheckedMs: number | undefined;
}

export interface VerifierStatus {
  id: VerifierId;
  unit: WorkUnit;
  cycleMs: number;
  coverage: Coverage;
  /** When a run last began and last ended. */
  lastBegunMs: number | undefined;
  lastEndedMs: number | undefined;
  /** Why nothing can be checked, for example with one disk only. */
  idleReason: string | undefined;
}
