/** Turns: at most so many at once, the others wait in the order they came, at most so many. */

interface Waiting {
  begin: () => void;
}

export class Turns {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<Waiting>();
  #running = 0;

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  /** Nobody else may wait now. */
  get full(): boolean {
    return this.#running >= this.#atOnceMax && this.#waiting.size >= this.#waitingMax;
  }

  /** Runs `work` when its turn comes. @throws the signal's reason, if it fires while waiting. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnceMax) this.#running++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
      };
      const waiting = {
        begin: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The turn goes to the next one, or back. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next.begin();
  }
}
