/** Time, passed in, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since 1970 UTC. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never run backwards, from an arbitrary start. */
  monotonic(): number;
  /** Runs `act` once after `delayMs`; the timer does not keep the process alive.
   *  Returns what cancels it. */
  after(delayMs: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock for tests: it stands still until it is told to move. */
export class ManualClock implements Clock {
  #nowMs: number;
  #waiting: { dueMs: number; act: () => void }[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, act: () => void): () => void {
    const entry = { dueMs: this.#nowMs + delayMs, act };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** Moves on and runs, in order of time, what falls due. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    const due = this.#waiting.filter((entry) => entry.dueMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter((entry) => entry.dueMs > this.#nowMs);
    for (const entry of due.sort((a, b) => a.dueMs - b.dueMs)) entry.act();
  }
}

const AWAKE_MS = 60_000;

/** Our timers do not keep a process alive: a command that waits for nothing but one of them would
 *  end in the middle. Until the returned function is called, the process stays. */
export function stayAwake(): () => void {
  const timer = setInterval(() => undefined, AWAKE_MS);
  return () => clearInterval(timer);
}
