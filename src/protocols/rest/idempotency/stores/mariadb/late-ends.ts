/**
 * Notes later what could not be noted when it was to be: how keyed requests ended, and that some
 * never began, while the database is away. Without it their keys would count as being worked on for
 * as long as this server lives.
 */
import { HoldfastError } from '../../../../../base/errors.ts';
import type { Clock } from '../../../../../platform/index.ts';

export const AGAIN_MS = 1_000;
/** More than a server works on at the same time. */
const WAITING_MAX = 1_000;
/** So long a database that stood still may take to do what it was asked before. */
const LATE_MS_MAX = 60_000;

interface LateEnd {
  readonly act: () => Promise<unknown>;
  /** Not before that; undefined: at once. */
  readonly notBeforeMs: number | undefined;
  /** When it is done for the last time; undefined: once is enough. */
  readonly lastAtMs: number | undefined;
}

export class LateEnds {
  readonly #clock: Clock;
  #waiting: LateEnd[] = [];
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An end. `act` may be done twice. */
  note(act: () => Promise<unknown>): void {
    this.#add({ act, notBeforeMs: undefined, lastAtMs: undefined });
  }

  /** Of a beginning that failed and may still come about: done as soon as possible, and once
   *  more. */
  undo(act: () => Promise<unknown>): void {
    const lastAtMs = this.#clock.monotonic() + LATE_MS_MAX;
    this.#add({ act, notBeforeMs: undefined, lastAtMs });
  }

  /** Where too many wait, beginnings give way first: most of them never came about. */
  #add(end: LateEnd): void {
    if (this.#waiting.length >= WAITING_MAX) {
      const at = this.#waiting.findIndex(({ lastAtMs }) => lastAtMs !== undefined);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
    }
    this.#waiting.push(end);
    this.#plan();
  }

  #plan(): void {
    if (this.#isClosed || this.#cancel !== undefined || this.#waiting.length === 0) return;
    this.#cancel = this.#clock.after(AGAIN_MS, () => {
      this.#running = this.#round().finally(() => {
        this.#cancel = undefined;
        this.#plan();
      });
    });
  }

  /** In their order; the first that fails ends it. */
  async #round(): Promise<void> {
    for (const end of [...this.#waiting]) {
      const nowMs = this.#clock.monotonic();
      if (this.#isClosed) return;
      if (end.notBeforeMs !== undefined && nowMs < end.notBeforeMs) continue;
      try {
        await end.act();
      } catch (error) {
        if (error instanceof HoldfastError) return; // It is away still.
        throw error;
      }
      const { act, lastAtMs } = end;
      this.#waiting = this.#waiting.filter((one) => one !== end);
      if (lastAtMs !== undefined && nowMs < lastAtMs) {
        this.#add({ act, notBeforeMs: lastAtMs, lastAtMs });
      }
    }
  }

  /** What was not noted is `unknown` once this server is missed. Calm when called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#running;
  }
}
