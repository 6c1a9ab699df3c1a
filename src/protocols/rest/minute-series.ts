/** Figures of the last day, minute by minute, for plots: a ring in memory, begun at each start. The
 *  last minutes are kept in smaller steps too. */
import type { Clock } from '../../platform/index.ts';

export const SERIES_STEP_MS = 60_000;
export const SERIES_STEPS_MAX = 24 * 60;

/** Counted since the start. */
export interface RequestTotals {
  readonly requests: number;
  /** Those that the server could not answer. */
  readonly errors: number;
  /** How many took up to each bound; the last one has none. */
  readonly buckets: readonly { readonly uptoMs: number; readonly count: number }[];
}

export interface MinuteFigures {
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  /** undefined: there was no request. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly storedBytes: number | undefined;
  readonly loopDelayMs: number | undefined;
  /** Connections that wait for changes. */
  readonly listeners: number | undefined;
}

export interface SeriesSteps {
  readonly stepMs: number;
  readonly stepsMax: number;
}

export interface SeriesSources {
  totals: () => RequestTotals;
  storedBytes: () => number | undefined;
  /** The worst since it was last asked. */
  loopDelayMs: () => number | undefined;
  listeners: () => number | undefined;
}

export class MinuteSeries {
  readonly #clock: Clock;
  readonly #sources: SeriesSources;
  readonly #minutes: MinuteFigures[] = [];
  readonly #steps: SeriesSteps;
  #last: RequestTotals;
  #cancel: () => void;

  /** Begins at once; `stop` ends it. */
  constructor(
    clock: Clock, sources: SeriesSources,
    steps: SeriesSteps = { stepMs: SERIES_STEP_MS, stepsMax: SERIES_STEPS_MAX },
  ) {
    this.#clock = clock;
    this.#steps = steps;
    this.#sources = sources;
    this.#last = sources.totals();
    this.#cancel = clock.after(this.#steps.stepMs, () => this.#look());
  }

  get stepMs(): number {
    return this.#steps.stepMs;
  }

  /** Oldest first. */
  list(): readonly MinuteFigures[] {
    return this.#minutes;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const now = this.#sources.totals();
    const before = this.#last;
    this.#last = now;
    const counts = now.buckets.map(({ uptoMs, count }, at) => (
      { uptoMs, count: count - (before.buckets[at]?.count ?? 0) }));
    this.#minutes.push({
      at: this.#clock.now(),
      requests: now.requests - before.requests, errors: now.errors - before.errors,
      p50Ms: percentile(counts, 0.5), p99Ms: percentile(counts, 0.99),
      storedBytes: this.#sources.storedBytes(), loopDelayMs: this.#sources.loopDelayMs(),
      listeners: this.#sources.listeners(),
    });
    if (this.#minutes.length > this.#steps.stepsMax) this.#minutes.shift();
    this.#cancel = this.#clock.after(this.#steps.stepMs, () => this.#look());
  }
}

/** The bound below which that share lies. */
function percentile(
  counts: readonly { uptoMs: number; count: number }[], share: number,
): number | undefined {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  let sum = 0;
  for (const { uptoMs, count } of counts) {
    sum += count;
    if (sum >= total * share) return uptoMs;
  }
  return counts.at(-1)?.uptoMs;
}
