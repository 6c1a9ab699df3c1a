/**
 * One question that many ask all the time, and of which each wants an answer that is no older than
 * the moment of asking. Those who come in one turn of the event loop share a question; those who
 * come while as many are under way as may be share the next one. Nobody is told what was asked
 * before they came.
 */

const UNDER_WAY_MAX = 4;

export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>;
  /** Not asked yet: whoever comes may join. */
  #next: PromiseWithResolvers<T> | undefined;
  #underWayCount = 0;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** @throws as the question. */
  answer(): Promise<T> {
    if (this.#next === undefined) {
      this.#next = Promise.withResolvers<T>();
      if (this.#underWayCount < UNDER_WAY_MAX) setImmediate(() => this.#begin());
    }
    return this.#next.promise;
  }

  #begin(): void {
    const asked = this.#next;
    if (asked === undefined || this.#underWayCount >= UNDER_WAY_MAX) return;
    this.#next = undefined;
    this.#underWayCount += 1;
    this.#ask().then(asked.resolve, asked.reject).finally(() => {
      this.#underWayCount -= 1;
      this.#begin();
    });
  }
}
