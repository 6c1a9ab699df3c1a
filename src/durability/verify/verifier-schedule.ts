/** Lets all verifiers of a server run in the background, for as long as it serves. */
import type { Clock, Logger, MetricCounter, MetricGauge, Metrics } from '../../platform/index.ts';
import { PacedBudget, Pacer, pause } from './budget.ts';
import type { Budget } from './budget.ts';
import type { RunNote } from './coverage.ts';
import { DayTally } from './day-tally.ts';
import type { Verifier, VerifierId, WorkUnit } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

export interface ScheduleParts {
  verifiers: readonly Verifier[];
  store: VerifyStore;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** True while users are waiting for this machine. Cheap. */
  isLoaded: () => boolean;
  /** The greatest share of the time for all verifiers together. */
  loadedShare?: number;
  idleShare?: number;
  /** The greatest rate of one verifier. */
  perSecond?: Partial<Record<WorkUnit, number>>;
}

const PER_SECOND: Readonly<Record<WorkUnit, number>> = {
  bytes: 64 * 1024 * 1024, items: 20_000,
};
/** How often each verifier looks for what is due; sampled writes want their minute. */
const LOOK_EVERY_MS = 10 * 60 * 1000;
const LOOK_EVERY: Partial<Record<VerifierId, number>> = { 'write-rereader': 15 * 1000 };
/** The start of a server belongs to its users. */
const FIRST_AFTER_MS = 30 * 1000;

export class VerifierSchedule {
  readonly #parts: ScheduleParts;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #runs: MetricGauge;
  readonly #checked: MetricCounter;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
    this.#runs = parts.metrics.gauge({
      name: 'verify_last_run_timestamp_seconds', labels: ['verifier'],
      help: 'When a verifier last came to the end of a run.',
    });
    this.#checked = parts.metrics.counter({
      name: 'verify_checked_total', labels: ['verifier', 'unit'],
      help: 'Bytes or items that verifiers have looked at.',
    });
    this.#publish();
  }

  start(): void {
    const { clock, isLoaded, verifiers, loadedShare, idleShare, perSecond } = this.#parts;
    const pacer = new Pacer({
      clock, isLoaded, ...(loadedShare !== undefined && { loadedShare }),
      ...(idleShare !== undefined && { idleShare }),
    });
    for (const verifier of verifiers) {
      const rate = perSecond?.[verifier.unit] ?? PER_SECOND[verifier.unit];
      const budget = new PacedBudget({ pacer, clock, perSecond: rate });
      this.#loops.push(this.#loop(verifier, this.#counted(verifier, budget)));
    }
  }

  /** Resolves when no verifier works any more. Calm when called twice. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  #counted({ id: verifier, unit }: Verifier, budget: Budget): Budget {
    const { store, clock } = this.#parts;
    const tally = new DayTally(store, verifier, clock);
    return {
      isEager: budget.isEager,
      take: async (amount, signal) => {
        await budget.take(amount, signal);
        this.#checked.inc({ verifier, unit }, amount);
        tally.add(amount);
      },
      rest: () => {
        tally.flush();
        budget.rest();
      },
    };
  }

  async #loop(verifier: Verifier, budget: Budget): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    const everyMs = LOOK_EVERY[verifier.id] ?? LOOK_EVERY_MS;
    for (let waitMs = FIRST_AFTER_MS; !signal.aborted; waitMs = everyMs) {
      await pause(clock, waitMs, signal).catch(ignoreStop(signal));
      if (!signal.aborted) await this.#runOnce(verifier, budget);
    }
  }

  async #runOnce(verifier: Verifier, budget: Budget): Promise<void> {
    const { clock, log, store } = this.#parts;
    const { signal } = this.#stop;
    try {
      await noteRun(verifier, { store, clock }, () => verifier.run(budget, signal));
      this.#runs.set(clock.now() / 1000, { verifier: verifier.id });
    } catch (err) {
      if (signal.aborted) return;
      log.error({ err, verifier: verifier.id }, 'a verifier could not go on; it will try again');
    } finally {
      budget.rest();
    }
  }

  /** Figures that are read when somebody asks for them. */
  #publish(): void {
    const { metrics, verifiers, store, clock } = this.#parts;
    // Made first, so that it is asked first, and sets the others before they are read.
    metrics.gaugeOf({ name: 'verify_verifiers', help: 'Verifiers of this server.' }, () => {
      setCoverage();
      setFindings();
      return verifiers.length;
    });
    const age = metrics.gauge({
      name: 'verify_oldest_unchecked_seconds', labels: ['verifier'],
      help: 'How long ago the thing that waits longest for its next check was last checked.',
    });
    const share = metrics.gauge({
      name: 'verify_covered_ratio', labels: ['verifier'],
      help: 'The share of what a verifier watches that it checked within its cycle; none while it '
        + 'knows of nothing to check, or never ran.',
    });
    const watched = metrics.gauge({
      name: 'verify_watched', labels: ['verifier', 'unit'],
      help: 'How much a verifier knows of that is to be checked. 0: it has nothing to check, or '
        + 'never ran; holdfast verify status says which.',
    });
    const open = metrics.gauge({
      name: 'verify_findings_open', labels: ['verifier', 'kind'],
      help: 'Findings that are open.',
    });
    const setCoverage = (): void => {
      for (const one of verifiers) {
        const { id: verifier, unit } = one;
        const { oldestUncheckedMs, checked, total } = one.status().coverage;
        watched.set(total, { verifier, unit });
        if (total === 0) share.clear({ verifier });
        else share.set(checked / total, { verifier });
        if (oldestUncheckedMs === undefined) age.clear({ verifier });
        else age.set(Math.max(0, (clock.now() - oldestUncheckedMs) / 1000), { verifier });
      }
    };
    const setFindings = (): void => {
      const sums = new Map<string, { labels: Record<string, string>; count: number }>();
      for (const { verifier, kind, state, count } of store.countFindings()) {
        const sum = sums.get(`${verifier}/${kind}`) ?? { labels: { verifier, kind }, count: 0 };
        if (state === 'open') sum.count += count;
        sums.set(`${verifier}/${kind}`, sum);
      }
      for (const { labels, count } of sums.values()) open.set(count, labels);
    };
  }
}

/** Runs a verifier and notes when, for its status. */
export async function noteRun<T extends { reason?: string }>(
  verifier: Verifier, parts: { store: VerifyStore; clock: Clock }, run: () => Promise<T>,
): Promise<T> {
  const { store, clock } = parts;
  const known = store.findNote(verifier.id, 'run') as RunNote | undefined;
  const note: RunNote = { ...known, begunMs: clock.now() };
  store.putNote(verifier.id, 'run', note);
  const outcome = await run();
  const ended: RunNote = {
    begunMs: note.begunMs, endedMs: clock.now(),
    ...(outcome.reason !== undefined && { idleReason: outcome.reason }),
  };
  store.putNote(verifier.id, 'run', ended);
  return outcome;
}

function ignoreStop(signal: AbortSignal): (reason: unknown) => void {
  return (reason) => {
    if (!signal.aborted) throw reason;
  };
}
