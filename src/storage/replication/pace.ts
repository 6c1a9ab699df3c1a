import type { Clock } from '../../platform/index.ts';

/** So many seconds' worth may be taken at once after a rest. */
const BURST_SECONDS = 1;

/** Lets through so many bytes a second. Callers are served in their order. */
export class Pace {
  readonly #clock: Clock;
  #bytesPerSecond: number;
  /** On the monotonic clock: until then what was taken is paid for. */
  #paidUntilMs: number;
  #last: Promise<void> = Promise.resolve();

  /** `Infinity`: no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#paidUntilMs = clock.monotonic();
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  set bytesPerSecond(value: number) {
    this.#bytesPerSecond = value;
  }

  /** Resolves when `lengthBytes` more may be moved. */
  take(lengthBytes: number): Promise<void> {
    this.#last = this.#last.then(() => this.#wait(lengthBytes));
    return this.#last;
  }

  async #wait(lengthBytes: number): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return;
    const nowMs = this.#clock.monotonic();
    const earliestMs = nowMs - BURST_SECONDS * 1000;
    this.#paidUntilMs = Math.max(this.#paidUntilMs, earliestMs);
    this.#paidUntilMs += (lengthBytes / this.#bytesPerSecond) * 1000;
    const delayMs = this.#paidUntilMs - nowMs;
    if (delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }
}
