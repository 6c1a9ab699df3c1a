/** Waiting that can be given up, and lines of a stated length. */
import { HoldfastError } from '../base/errors.ts';

/** Settles as `work` does, or rejects with the signal's reason, whichever is first. The work itself
 *  goes on: whoever shares it may still need it. */
export function orAbort<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const done = (): void => signal.removeEventListener('abort', giveUp);
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error as Error);
      },
    );
  });
}

export interface GateLimits {
  /** For the error: module and method. */
  readonly op: string;
  /** How many may be inside at once. */
  readonly activeMax: number;
  /** How many may stand in line; the next one is refused as `busy`. */
  readonly waitingMax: number;
}

/** Lets a bounded number in at once, in the order of arrival. */
export class Gate {
  readonly #limits: GateLimits;
  readonly #line = new Set<() => void>();
  #active = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Runs `act` when its turn has come. A fired `signal` leaves the line; it does not end `act`.
   *  @throws busy: the line is too long. */
  async run<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#active < this.#limits.activeMax) this.#active += 1;
    else await this.#stand(signal);
    try {
      return await act();
    } finally {
      this.#leave();
    }
  }

  get activeCount(): number {
    return this.#active;
  }

  #stand(signal?: AbortSignal): Promise<void> {
    if (this.#line.size >= this.#limits.waitingMax) {
      const message = 'Too much is being read and written at once. Try again shortly.';
      throw new HoldfastError('busy', this.#limits.op, message, {
        facts: { waitingMax: this.#limits.waitingMax },
      });
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#line.delete(enter);
        reject(signal?.reason as Error);
      };
      this.#line.add(enter);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** The place is handed on, not freed: else a newcomer could take it before the first in line. */
  #leave(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#active -= 1;
      return;
    }
    this.#line.delete(next);
    next();
  }
}
