import type { Clock } from '../../../platform/index.ts';

const HOUR_MS = 60 * 60 * 1000;

export interface AgeWatchParts {
  clock: Clock;
  /** 0: no volume is ever too old. */
  sealAfterMs: number;
  /** The volume that is being written. */
  open: () => { readonly id: number; readonly createdMs: number } | undefined;
  end: (volumeId: number) => void;
}

/**
 * Ends the volume that is being written once it is old. Garbage in a volume that is not sealed
 * waits until it is, and on a small server that would be for ever.
 *
 * It looks now and then instead of setting an alarm: clocks are set and machines sleep. A clock
 * that jumps can only bring the end early, or late.
 */
export class AgeWatch {
  readonly #parts: AgeWatchParts;
  #stopTimer: () => void = () => undefined;

  constructor(parts: AgeWatchParts) {
    this.#parts = parts;
    this.#wait();
  }

  stop(): void {
    this.#stopTimer();
  }

  #wait(): void {
    const { clock, sealAfterMs } = this.#parts;
    if (sealAfterMs === 0) return;
    this.#stopTimer = clock.after(Math.min(sealAfterMs, HOUR_MS), () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    const { clock, sealAfterMs, open, end } = this.#parts;
    const volume = open();
    if (volume !== undefined && clock.now() - volume.createdMs >= sealAfterMs) end(volume.id);
  }
}
