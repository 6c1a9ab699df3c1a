/** Work that comes round every hour, in slices with a rest after each. */
import type { Clock } from '../platform/index.ts';

const HOUR_MS = 60 * 60 * 1000;
/** A slice takes some milliseconds: users have nearly all of the time. */
const REST_MS = 100;

export class HourlyRounds {
  readonly #clock: Clock;
  /** Handles its own errors. */
  readonly #round: (signal: AbortSignal) => Promise<void>;
  readonly #abort = new AbortController();
  #cancel: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(clock: Clock, round: (signal: AbortSignal) => Promise<void>) {
    this.#clock = clock;
    this.#round = round;
  }

  start(firstAfterMs: number): void {
    if (this.#abort.signal.aborted) return;
    this.#cancel = this.#clock.after(firstAfterMs, () => {
      this.#running = this.#round(this.#abort.signal);
      void this.#running.finally(() => this.start(HOUR_MS));
    });
  }

  /** Resolves after a moment, or at once when it is time to stop. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#abort;
      if (signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(REST_MS, done);
      signal.addEventListener('abort', done, { once: true });
      return undefined;
    });
  }

  /** Ends after the slice in hand. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancel();
    await this.#running;
  }
}
