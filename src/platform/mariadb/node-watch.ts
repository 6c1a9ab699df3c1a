/**
 * Waits for answers of one node, of several or alone. A node that hangs refuses nothing: its
 * connections stay open, and say nothing for as long as one likes to wait. A statement may take its
 * time, too. So when one waits for long, the node is asked on another connection how it is; only if
 * that is not answered either, or not well, is the statement given up.
 */
import { systemClock } from '../clock.ts';
import { ServerError } from './faults.ts';
import { isNodeWell } from './node-health.ts';
import type { NodeAddress } from './nodes.ts';

/** A statement that waits for longer makes us ask, where there is another node to turn to; and
 *  again after as long. */
export const PATIENCE_MS = 500;

type GiveUp = (error: ServerError) => void;

export class NodeWatch {
  readonly #node: NodeAddress;
  readonly #patienceMs: number;
  readonly #onSilent: () => void;
  readonly #waiting = new Map<GiveUp, number>();
  #isLooking = false;

  /** `onSilent`: the node does not answer, or may not be worked on any more. */
  constructor(
    { node, patienceMs }: { node: NodeAddress; patienceMs: number }, onSilent: () => void,
  ) {
    this.#node = node;
    this.#patienceMs = patienceMs;
    this.#onSilent = onSilent;
  }

  /** @throws what the work does; ServerError: the node is not well. */
  async over<T>(work: Promise<T>): Promise<T> {
    const { promise: whenGivenUp, reject: giveUp } = Promise.withResolvers<never>();
    this.#waiting.set(giveUp, systemClock.monotonic());
    this.#lookLater();
    try {
      return await Promise.race([work, whenGivenUp]);
    } finally {
      this.#waiting.delete(giveUp);
    }
  }

  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    systemClock.after(this.#patienceMs, () => {
      this.#look().then((goesOn) => {
        this.#isLooking = false;
        if (goesOn) this.#lookLater();
      }, this.#giveUpAll);
    });
  }

  /** Whether somebody still waits. */
  async #look(): Promise<boolean> {
    const latest = systemClock.monotonic() - this.#patienceMs;
    const isLong = [...this.#waiting.values()].some((since) => since <= latest);
    if (!isLong || await isNodeWell(this.#node)) return this.#waiting.size > 0;
    this.#giveUpAll();
    return false;
  }

  readonly #giveUpAll = (): void => {
    this.#onSilent();
    const error = new ServerError({
      code: 'ETIMEDOUT', errno: 0, isLost: true, message: 'the node does not answer',
    });
    for (const giveUp of this.#waiting.keys()) giveUp(error);
  };
}
