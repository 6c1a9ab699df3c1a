/**
 * Whether a piece of work has changed something already. Stores say so where they do; whoever may
 * do the work again, or must say what became of it, asks. It travels along with the work through
 * all that is awaited, so that nothing between has to hand it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const CURRENT = new AsyncLocalStorage<Effects | undefined>();

export class Effects {
  #isSeen = false;
  #outer: Effects | undefined;

  /** Something has changed for good, or nobody can say that nothing has. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** What happens in `act` is seen here, and by whoever watches around it. */
  watch<T>(act: () => T): T {
    this.#outer = CURRENT.getStore();
    return CURRENT.run(this, act);
  }

  /** What happens in `act` is nobody's effect: it is due whatever was asked for, and whether or not
   *  that is done again. */
  static aside<T>(act: () => T): T {
    return CURRENT.run(undefined, act);
  }

  /** Said by stores. Costs nothing where nobody watches. */
  static note(): void {
    for (let at = CURRENT.getStore(); at !== undefined; at = at.#outer) at.#isSeen = true;
  }
}
