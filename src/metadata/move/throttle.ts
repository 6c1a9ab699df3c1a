/** Holds a pace: so many rows in a second, on average. */
import type { Clock } from '../../platform/index.ts';

export class Throttle {
  readonly #clock: Clock;
  #rowsPerSecond: number;
  #freeAtMs: number;

  constructor(clock: Clock, rowsPerSecond: number) {
    this.#clock = clock;
    this.#rowsPerSecond = rowsPerSecond;
    this.#freeAtMs = clock.monotonic();
  }

  /** After so many rows: resolves when more may come. */
  async pass(rows: number): Promise<void> {
    const now = this.#clock.monotonic();
    this.#freeAtMs = Math.max(this.#freeAtMs, now) + rows / this.#rowsPerSecond * 1_000;
    if (this.#freeAtMs - now < 5) return;
    await new Promise<void>((resolve) => {
      this.#clock.after(this.#freeAtMs - now, resolve);
    });
  }
}
