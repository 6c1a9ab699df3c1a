/** A queue for one connection: bounded in length, and in how long anybody waits in it. */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import type { DatabaseWords } from './faults.ts';
import { FAILING_MAX_MS } from './patience.ts';

const WAITING_MAX = 1_024;

export class OneByOne {
  readonly #clock: Clock;
  readonly #words: DatabaseWords;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  constructor({ clock, words }: { clock: Clock; words: DatabaseWords }) {
    this.#clock = clock;
    this.#words = words;
  }

  /** After all that were given before. @throws busy: too many are, or they took too long; as
   *  `act`. */
  run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= WAITING_MAX) return Promise.reject(this.#tooBusy());
    this.#waitingCount += 1;
    const latest = this.#clock.monotonic() + FAILING_MAX_MS;
    const mine = this.#last.then(() => {
      // While the server is away, those before have each waited for it in vain.
      if (this.#clock.monotonic() > latest) throw this.#tooBusy();
      return act();
    }).finally(() => {
      this.#waitingCount -= 1;
    });
    this.#last = mine.catch(() => undefined); // Who asked hears of it.
    return mine;
  }

  /** Resolves when all that were given are over. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #tooBusy(): HoldfastError {
    const { op, database } = this.#words;
    return new HoldfastError('busy', op, `The ${database} is busy. Try again shortly.`);
  }
}
