import type { Clock } from '../../platform/index.ts';

/** A volume of which no copy is known to be whole. */
export interface DamagedVolume {
  readonly volumeId: number;
  /** Disks that answer and have a copy, whatever it is worth. */
  readonly diskIds: readonly string[];
  /** Disks that do not answer, and may have a whole one. */
  readonly awayIds: readonly string[];
  /** Why the last try to put it together has failed; undefined: there was none yet. */
  readonly reason: string | undefined;
}

export interface RepairStatus {
  /** With fewer copies than they should have. */
  readonly volumesWaiting: number;
  /** Bytes that have to be written for them. */
  readonly toDoBytes: number;
  /** Written since the start. */
  readonly doneBytes: number;
  /** The volume that is being copied, and how far. */
  readonly current: {
    readonly volumeId: number; readonly doneBytes: number; readonly sizeBytes: number;
  } | undefined;
  /** Measured over the last copies; undefined before the first one. */
  readonly bytesPerSecond: number | undefined;
  /** For what can be copied now, at that rate, or at the permitted one when that is lower;
   *  undefined when nobody can tell. */
  readonly remainingMs: number | undefined;
  /** Volumes that cannot be repaired at the moment. */
  readonly blocked: readonly { readonly volumeId: number; readonly reason: string }[];
  /** Volumes without a whole copy, as far as known. They are among those that wait. */
  readonly damaged: readonly DamagedVolume[];
}

interface WaitingWork {
  volumesWaiting: number;
  toDoBytes: number;
  /** Of these, what nothing stands in the way of. */
  movableBytes: number;
  bytesPerSecondMax: number;
  blocked: readonly { volumeId: number; reason: string }[];
  damaged: readonly DamagedVolume[];
}

/** Older copies count half as much with each new one. */
const DECAY = 0.5;

export class RepairMeter {
  readonly #clock: Clock;
  #doneBytes = 0;
  #rateBytes = 0;
  #rateMs = 0;
  #current: { volumeId: number; sizeBytes: number; doneBytes: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async measure(
    { volumeId, sizeBytes }: { readonly volumeId: number; readonly sizeBytes: number },
    act: (onProgress: (doneBytes: number) => void) => Promise<boolean>,
  ): Promise<boolean> {
    const startMs = this.#clock.monotonic();
    const current = { volumeId, sizeBytes, doneBytes: 0 };
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
    const leftBytes = Math.max(0, work.movableBytes - (this.#current?.doneBytes ?? 0));
    const known = Number.isFinite(rate) && rate > 0;
    return {
      volumesWaiting: work.volumesWaiting, toDoBytes: work.toDoBytes, doneBytes: this.#doneBytes,
      current: this.#current === undefined ? undefined : { ...this.#current },
      bytesPerSecond: measured,
      remainingMs: known ? Math.ceil((leftBytes / rate) * 1000) : undefined,
      blocked: work.blocked, damaged: work.damaged,
    };
  }
}
