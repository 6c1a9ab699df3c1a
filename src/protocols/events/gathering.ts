/**
 * Changes that come close together are one page, and one look. Whoever is woken waits a moment with
 * all others, by one timer, and goes on in groups: between these the process answers requests.
 */
import type { Clock } from '../../platform/index.ts';

const GATHER_MS = 20;
/** Some milliseconds of work, when all are given the same page. */
const GROUP_MAX = 128;

export class Gathering {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves GATHER_MS after the first of those who wait together has begun to, or a little later,
   *  if they are many. */
  join(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length > 1) return;
      this.#clock.after(GATHER_MS, () => {
        const together = this.#waiting;
        this.#waiting = [];
        this.#release(together, 0);
      });
    });
  }

  #release(together: readonly (() => void)[], from: number): void {
    const to = Math.min(from + GROUP_MAX, together.length);
    for (const resolve of together.slice(from, to)) resolve();
    if (to < together.length) this.#clock.after(0, () => this.#release(together, to));
  }
}
