import type { Clock } from '../../platform/index.ts';

export interface RepairStatus {
  /** With fewer copies than they should have. */
  readonly volumesWaiting: number;
  /** Bytes that have to be written for them. */
  readonly toDoBytes: number;
  /** Written since the start. */
  readonly doneBytes: number;
  /** The volume that is being copied, and how far. */
  readonly current: { readonly volumeId: number; readonly doneBytes: number } | undefined;
  /** Measured over the last copies; undefined before the first one. */
  readonly bytesPerSecond: number | undefined;
  /** At that rate, or at the permitted one when that is lower; undefined when nobody can tell. */
  readonly remainingMs: number | undefined;
  /** Volumes that cannot be repaired at the moment. */
  readonly blocked: readonly { readonly volumeId: number; readonly reason: string }[];
}

interface WaitingWork {
  volumesWaiting: number;
  toDoBytes: number;
  bytesPerSecondMax: number;
  blocked: readonly { volumeId: number; reason: string }[];
}

/** Older copies count half as much with each new one. */
const DECAY = 0.5;

export class RepairMeter {
  readonly #clock: Clock;
  #doneBytes = 0;
  #rateBytes = 0;
  #rateMs = 0;
  #current: { volumeId: number; doneBytes: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async measure(
    volumeId: number,
    act: (onProgress: (doneBytes: number) => void) => Promise<boolean>,
  ): Promise<boolean> {
    const startMs = this.#clock.monotonic();
    const current = { volumeId, doneBytes: 0 };
    this.#current = current;
    try {
      return await act((doneBytes) => {
        this.#doneBytes += doneBytes - current.doneBytes;
        current.doneBytes = doneBytes;
      });
    } finally {
      this.#current = undefined;
      this.#rateBytes = this.#rateBytes * DECAY + current.doneBytes;
      this.#rateMs = this.#rateMs * DECAY + (this.#clock.monotonic() - startMs);
    }
  }

  status(work: WaitingWork): RepairStatus {
    const measured = this.#rateMs > 0 ? (this.#rateBytes / this.#rateMs) * 1000 : undefined;
    const rate = Math.min(measured ?? Infinity, work.bytesPerSecondMax);
    const leftBytes = Math.max(0, work.toDoBytes - (this.#current?.doneBytes ?? 0));
    const known = Number.isFinite(rate) && rate > 0;
    return {
      volumesWaiting: work.volumesWaiting, toDoBytes: work.toDoBytes, doneBytes: this.#doneBytes,
      current: this.#current === undefined ? undefined : { ...this.#current },
      bytesPerSecond: measured,
      remainingMs: known ? Math.ceil((leftBytes / rate) * 1000) : undefined,
      blocked: work.blocked,
    };
  }
}
