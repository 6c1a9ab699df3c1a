/** Counts of failed sign-ins in memory, for tests. */
import { closed } from '../../identity-errors.ts';
import type { Clock } from '../../../platform/index.ts';
import type { CountsNow, FailureCounts, KeptCount } from '../../failure-counts.ts';

interface Row extends KeptCount {
  readonly untilMs: number;
}

export class MemoryFailureCounts implements FailureCounts {
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #rows = new Map<string, Row>();
  #isClosed = false;

  constructor(clock: Clock, countMax = 100_000) {
    this.#clock = clock;
    this.#countMax = countMax;
  }

  async read(names: readonly string[]): Promise<CountsNow> {
    return this.#read(names);
  }

  #read(names: readonly string[]): CountsNow {
    if (this.#isClosed) throw closed('identity/MemoryFailureCounts');
    const nowMs = this.#clock.now();
    const counts = names.flatMap((name) => {
      const row = this.#rows.get(name);
      return row === undefined || row.untilMs <= nowMs ? [] : [[name, row] as const];
    });
    return { counts: new Map(counts), nowMs };
  }

  async update(
    names: readonly string[],
    act: (now: CountsNow) => ReadonlyMap<string, KeptCount | undefined>,
  ): Promise<void> {
    const now = this.#read(names);
    for (const [name, row] of act(now)) {
      this.#rows.delete(name);
      if (row !== undefined) this.#rows.set(name, { ...row, untilMs: now.nowMs + row.keepMs });
    }
    const byEnd = [...this.#rows].toSorted(([, a], [, b]) => a.untilMs - b.untilMs);
    for (const [name] of byEnd.slice(0, Math.max(0, this.#rows.size - this.#countMax))) {
      this.#rows.delete(name);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
