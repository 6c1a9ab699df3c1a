import type { HttpExchange } from './exchange.ts';

/** Exchanges that are not over yet, in no order. Each knows its place, so that adding and removing
 *  cost no look-up: a Set takes a hash of each object, a fiftieth of a small download. */
export class ExchangesInFlight {
  readonly #list: HttpExchange[] = [];

  get size(): number {
    return this.#list.length;
  }

  add(exchange: HttpExchange): void {
    exchange.place = this.#list.push(exchange) - 1;
  }

  /** False: it was not here any more. */
  delete(exchange: HttpExchange): boolean {
    const { place } = exchange;
    if (this.#list[place] !== exchange) return false;
    const last = this.#list.pop();
    if (last !== undefined && last !== exchange) {
      this.#list[place] = last;
      last.place = place;
    }
    exchange.place = -1;
    return true;
  }

  /** As they are now: what is done with one may end others. */
  now(): HttpExchange[] {
    return [...this.#list];
  }
}
