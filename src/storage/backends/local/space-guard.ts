import type { Clock } from '../../../platform/index.ts';
import type { VolumeFiles } from './volume-files.ts';

const RESERVE_SHARE = 0.02;
const RESERVE_BYTES_MAX = 1024 ** 3;
const SMALL_BYTES = 64 * 1024;
const CHECK_EVERY_MS = 5000;
const CHECK_WHEN_FULL_EVERY_MS = 1000;
/** A batch asks again when the last answer is older than this. */
const CHECK_FRESH_MS = 250;

/**
 * Keeps a reserve of the disk free, so that there is room for the database, for the log and for
 * cleaning up. Below it puts are refused before anything is written, and are taken again by itself
 * when there is room.
 */
export class SpaceGuard {
  readonly #files: VolumeFiles;
  readonly #clock: Clock;
  readonly #reserveWanted: number | undefined;
  #reserveBytes = 0;
  /** At the last check, less what was written since. */
  #freeBytes = 0;
  #full = false;
  #checkedAtMs = 0;
  #checking: Promise<void> | undefined;
  #stopTimer: () => void = () => undefined;
  #stopped = false;

  constructor(files: VolumeFiles, clock: Clock, reserveBytes: number | undefined) {
    this.#files = files;
    this.#clock = clock;
    this.#reserveWanted = reserveBytes;
  }

  get full(): boolean {
    return this.#full;
  }

  /** May `bytes` more be taken, besides the `queuedBytes` that wait already? */
  admits(bytes: number, queuedBytes: number): boolean {
    if (this.#full) return false;
    if (this.#freeBytes - queuedBytes - bytes >= this.#reserveBytes) return true;
    // Not even a small block fits: that is a full disk, and whoever watches it should hear so.
    if (bytes <= SMALL_BYTES && this.#freeBytes - bytes < this.#reserveBytes) this.refuse();
    return false;
  }

  /** May `bytes` be copied from one volume to another? That may use half of the reserve, because it
   *  is on the way to more room. */
  admitsCopy(bytes: number, queuedBytes: number): boolean {
    return this.#freeBytes - queuedBytes - bytes >= this.#reserveBytes / 2;
  }

  /** The disk itself has said that it is full, whatever it answers when asked. */
  refuse(): void {
    this.#full = true;
    this.#schedule();
  }

  /** After each batch. */
  wrote(bytes: number): void {
    this.#freeBytes -= bytes;
    if (this.#freeBytes < this.#reserveBytes) this.#full = true;
    const stale = this.#clock.monotonic() - this.#checkedAtMs >= CHECK_FRESH_MS;
    if (stale || this.#freeBytes < this.#reserveBytes * 2) void this.check();
  }

  /** Asks the disk; calls that come meanwhile share the answer. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#ask().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  async #ask(): Promise<void> {
    this.#checkedAtMs = this.#clock.monotonic();
    try {
      const { freeBytes, totalBytes } = await this.#files.space();
      const share = Math.min(RESERVE_BYTES_MAX, Math.floor(totalBytes * RESERVE_SHARE));
      this.#reserveBytes = this.#reserveWanted ?? share;
      this.#freeBytes = freeBytes;
      // A little more than the reserve, else writes would come and go with every block.
      const enough = this.#reserveBytes * (this.#full ? 1.0625 : 1);
      this.#full = freeBytes < enough || freeBytes === 0;
    } catch {
      // A disk that does not even answer this will refuse the writes themselves, with a reason.
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#stopTimer();
    if (this.#stopped) return;
    const delayMs = this.#full ? CHECK_WHEN_FULL_EVERY_MS : CHECK_EVERY_MS;
    this.#stopTimer = this.#clock.after(delayMs, () => void this.check());
  }
}
