/**
 * How fast verifiers may go.
 *
 * Two limits hold at once. A rate says how many bytes or items a second one verifier may check. And
 * all verifiers of a server share one `Pacer`: one of them works at a time, and after each slice it
 * rests in proportion to how long the slice took, disk included. So the share of the machine that
 * they take is bounded however slow the disk or the machine is, which no rate alone can promise.
 */
import type { Clock } from '../../platform/index.ts';

export interface Budget {
  /** Somebody waits for the end: long stretches and work side by side, not short slices. */
  readonly isEager: boolean;
  /** Resolves when `amount` more may be checked. @throws the signal's reason. */
  take(amount: number, signal: AbortSignal): Promise<void>;
  /** The caller has stopped working for now; the next `take` begins a new slice. */
  rest(): void;
}

/** Lets everything else that is due have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** For runs that somebody waits for: as fast as it goes, but others get their turn. */
export class EagerBudget implements Budget {
  readonly isEager = true;
  readonly #amountPerTurn: number;
  #sinceTurn = 0;

  constructor(amountPerTurn: number) {
    this.#amountPerTurn = amountPerTurn;
  }

  async take(amount: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#sinceTurn += amount;
    if (this.#sinceTurn < this.#amountPerTurn) return;
    this.#sinceTurn = 0;
    await nextTurn();
    signal.throwIfAborted();
  }

  rest(): void {
    this.#sinceTurn = 0;
  }
}

export interface PacerOptions {
  clock: Clock;
  /** True while users are waiting for this machine. Asked before each slice; cheap. */
  isLoaded: () => boolean;
  /** The greatest share of the time that verifiers work, under load and without. */
  loadedShare?: number;
  idleShare?: number;
}

const LOADED_SHARE = 0.1;
const IDLE_SHARE = 0.5;
/** While a rest lasts longer than this, the load is looked at again: it may be gone. */
const REST_STEP_MS = 250;
/** However slow a slice was: a disk that hangs must not put verifying off for hours. */
const REST_MS_MAX = 60_000;

/** Hands out turns, one at a time and in the order asked for. At most one turn for each verifier
 *  waits, so the queue is as long as there are verifiers. */
export class Pacer {
  readonly #options: Required<PacerOptions>;
  #isTaken = false;
  #begunMs = 0;
  #workedMs = 0;
  #restedSinceMs = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: PacerOptions) {
    this.#options = { loadedShare: LOADED_SHARE, idleShare: IDLE_SHARE, ...options };
  }

  /** Waits for a turn. @throws the signal's reason; then no turn was taken. */
  async begin(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#take(signal);
    try {
      await this.#restAfterLast(signal);
    } catch (error) {
      this.#give();
      throw error;
    }
    this.#begunMs = this.#options.clock.monotonic();
  }

  end(): void {
    const now = this.#options.clock.monotonic();
    this.#workedMs = now - this.#begunMs;
    this.#restedSinceMs = now;
    this.#give();
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const go = (): void => resolve(undefined);
    this.#waiting.push(go);
    await promise;
    if (!signal.aborted) return;
    this.#give();
    signal.throwIfAborted();
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }

  async #restAfterLast(signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.#restEndsMs() - this.#options.clock.monotonic();
      if (leftMs <= 0) return;
      await pause(this.#options.clock, Math.min(leftMs, REST_STEP_MS), signal);
    }
  }

  #restEndsMs(): number {
    const { isLoaded, loadedShare, idleShare } = this.#options;
    const share = isLoaded() ? loadedShare : idleShare;
    const restMs = Math.min(REST_MS_MAX, this.#workedMs * (1 / share - 1));
    return this.#restedSinceMs + restMs;
  }
}

/** A verifier's own rate on top of the turns that it shares with the others. */
export class PacedBudget implements Budget {
  readonly isEager = false;
  readonly #pacer: Pacer;
  readonly #clock: Clock;
  readonly #perSecond: number;
  #hasTurn = false;
  /** When the rate allows more: it runs ahead of the clock by what was taken. */
  #allowedMs = 0;

  constructor(parts: { pacer: Pacer; clock: Clock; perSecond: number }) {
    this.#pacer = parts.pacer;
    this.#clock = parts.clock;
    this.#perSecond = parts.perSecond;
  }

  async take(amount: number, signal: AbortSignal): Promise<void> {
    this.rest();
    signal.throwIfAborted();
    const now = this.#clock.monotonic();
    const waitMs = this.#allowedMs - now;
    if (waitMs > 0) await pause(this.#clock, waitMs, signal);
    this.#allowedMs = Math.max(this.#allowedMs, now) + (amount / this.#perSecond) * 1000;
    await this.#pacer.begin(signal);
    this.#hasTurn = true;
  }

  rest(): void {
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#pacer.end();
  }
}

/** @throws the signal's reason, at once when it fires. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
