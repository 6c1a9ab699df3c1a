import type { OnFinding } from './findings.ts';
import { encodeFooter } from './footer-codec.ts';
import type { OpenVolume } from './open-volume.ts';
import { errorCode } from './volume-files.ts';

/** Above this the writer waits: each unfinished volume holds its list of blocks in memory. */
const UNFINISHED_MAX = 2;

/** Finishes volumes that take no more batches, one after the other, while others are written. */
export class VolumeSealer {
  readonly #onFinding: OnFinding;
  #last: Promise<void> = Promise.resolve();
  #unfinished = 0;

  constructor(onFinding: OnFinding) {
    this.#onFinding = onFinding;
  }

  /** `sound` volumes get their footer; the others are only closed. */
  take(open: OpenVolume, sound: boolean): void {
    this.#unfinished++;
    this.#last = this.#last.then(async () => {
      await this.#finish(open, sound);
      this.#unfinished--;
    });
  }

  /** Resolves when another volume may be begun. */
  async room(): Promise<void> {
    if (this.#unfinished > UNFINISHED_MAX) await this.#last;
  }

  /** Resolves when all that were taken are finished. */
  drain(): Promise<void> {
    return this.#last;
  }

  async #finish(open: OpenVolume, sound: boolean): Promise<void> {
    const { volume, position } = open;
    const { entries } = volume;
    try {
      if (sound && entries !== undefined) {
        const { end: dataEnd, chain } = position;
        const footer = await encodeFooter({ volumeId: volume.id, dataEnd, chain, entries });
        await open.seal(footer.pieces);
        volume.trailer = footer.trailer;
        volume.entries = undefined;
        await open.hint.discard();
      } else {
        await open.hint.finish(position);
      }
    } catch (error) {
      // All blocks are durable without the footer; the next start reads the volume whole.
      const code = errorCode(error);
      this.#onFinding({ kind: 'seal-failed', volumeId: volume.id, code });
      // Half of a footer that a power cut tears must not be taken for one.
      if (volume.entries !== undefined) await open.cutBack().catch(() => undefined);
    } finally {
      await open.close().catch(() => undefined); // What had to be safe was synced before.
    }
  }
}
