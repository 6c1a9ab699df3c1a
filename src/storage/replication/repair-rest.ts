import { hash } from 'node:crypto';
import type { Clock } from '../../platform/index.ts';

/** After the first failure; twice as long after each further one. */
const REST_FIRST_MS = 10_000;
const REST_LAST_MS = 60 * 60_000;

interface Failure {
  /** What the repair would start from: with anything else it may succeed. */
  readonly from: string;
  readonly reason: string;
  readonly count: number;
  readonly untilMs: number;
}

/**
 * Volumes whose repair has failed although nothing but they themselves stood in the way: all copies
 * are damaged. Reading them whole every few seconds would change nothing, and take its time from
 * repairs that can succeed. At most as many entries as there are volumes.
 */
export class RepairRest {
  readonly #clock: Clock;
  readonly #failures = new Map<number, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns why it is not tried now; undefined: it should be. */
  reasonToWait(volumeId: number, from: string): string | undefined {
    const failure = this.#failures.get(volumeId);
    if (failure === undefined || failure.from !== from) return undefined;
    return failure.untilMs > this.#clock.monotonic() ? failure.reason : undefined;
  }

  noteFailure(volumeId: number, from: string, reason: string): void {
    const before = this.#failures.get(volumeId);
    const count = before?.from === from ? before.count + 1 : 1;
    const restMs = Math.min(REST_LAST_MS, REST_FIRST_MS * 2 ** Math.min(count - 1, 30));
    const drawn = hash('sha256', `${volumeId} ${count}`, 'buffer').readUInt16BE(0) / 2 ** 16;
    const untilMs = this.#clock.monotonic() + restMs * (0.75 + drawn / 2);
    this.#failures.set(volumeId, { from, reason, count, untilMs });
  }

  /** It was repaired, or is gone. */
  forget(volumeId: number): void {
    this.#failures.delete(volumeId);
  }

  /** The others are gone. */
  keepOnly(exists: (volumeId: number) => boolean): void {
    for (const volumeId of this.#failures.keys()) {
      if (!exists(volumeId)) this.#failures.delete(volumeId);
    }
  }

  /** Why the last repair of it has failed; undefined: it has not. */
  failureOf(volumeId: number): string | undefined {
    return this.#failures.get(volumeId)?.reason;
  }
}
