/** Many who want the same thing at once share one errand. */
import { orAbort } from './waiting.ts';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  passengerCount: number;
}

/**
 * While an errand for a key is under way, whoever asks for the same key waits for it instead of
 * starting another. Everybody can give up alone; when the last one has, the errand's own signal
 * fires, and the next to ask starts a new one.
 */
export class SingleFlight<K, T> {
  readonly #flights = new Map<K, Flight<T>>();
  #joinedCount = 0;

  async run(
    key: K, act: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    let flight = this.#flights.get(key);
    if (flight === undefined) flight = this.#start(key, act);
    else this.#joinedCount += 1;
    flight.passengerCount += 1;
    try {
      return await orAbort(flight.result, signal);
    } finally {
      flight.passengerCount -= 1;
      // Also after its end, when this changes nothing any more.
      if (flight.passengerCount === 0) this.#abandon(key, flight);
    }
  }

  /** How many were spared an errand of their own. */
  get joinedCount(): number {
    return this.#joinedCount;
  }

  #start(key: K, act: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { result: act(abort.signal), abort, passengerCount: 0 };
    this.#flights.set(key, flight);
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then(land, land);
    return flight;
  }

  #abandon(key: K, flight: Flight<T>): void {
    if (this.#flights.get(key) !== flight) return;
    this.#flights.delete(key);
    flight.abort.abort(new Error('nobody waits for this any more'));
  }
}
