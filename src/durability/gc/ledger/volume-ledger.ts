import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '../../../base/errors.ts';
import type { GcStore, LedgerHead } from '../gc-store.ts';
import { encodeLine, type LedgerEntry, type NewEntry } from './ledger-entry.ts';
import { readLedger } from './read-ledger.ts';

const OP = 'durability/VolumeLedger';

/** Appends to the ledger of volumes. One at a time, by one process. */
export class VolumeLedger {
  readonly #file: FileHandle;
  readonly #notes: Pick<GcStore, 'putLedgerHead'>;
  #head: LedgerHead;
  #sizeBytes: number;
  /** After a failed write or sync nothing more is appended by this process. */
  #failed = false;

  private constructor(
    file: FileHandle, notes: Pick<GcStore, 'putLedgerHead'>, at: { head: LedgerHead; size: number },
  ) {
    this.#file = file;
    this.#notes = notes;
    this.#head = at.head;
    this.#sizeBytes = at.size;
  }

  /** Makes the file when there is none, cuts off an entry that was never acknowledged, and answers
   *  what there is. @throws as readLedger. */
  static async open(
    path: string, notes: Pick<GcStore, 'findLedgerHead' | 'putLedgerHead'>,
  ): Promise<{ ledger: VolumeLedger; entries: LedgerEntry[] }> {
    const { entries, head, soundBytes, tornBytes } = await readLedger(path, notes.findLedgerHead());
    return explained(async () => {
      const file = await open(path, 'a+', 0o600);
      try {
        if (tornBytes > 0) await file.truncate(soundBytes);
        await file.sync();
        await syncFolder(dirname(path));
        notes.putLedgerHead(head);
        return { ledger: new VolumeLedger(file, notes, { head, size: soundBytes }), entries };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  get head(): LedgerHead {
    return this.#head;
  }

  /** Once resolved the entry survives a power cut. @throws unavailable: it may or may not be there,
   *  and nothing more is taken until a restart. */
  async append(entry: NewEntry): Promise<LedgerEntry> {
    if (this.#failed) throw refused();
    const numbered = { seq: this.#head.seq + 1, ...entry } as LedgerEntry;
    const { line, hash } = encodeLine(numbered, this.#head.hash);
    const bytes = Buffer.from(line);
    try {
      const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, null);
      if (bytesWritten !== bytes.length) throw new Error('the disk took a part of an entry');
      await this.#file.datasync();
    } catch (error) {
      this.#failed = !(await this.#takenBack(error));
      throw refused(error);
    }
    this.#sizeBytes += bytes.length;
    this.#head = { seq: numbered.seq, hash };
    this.#notes.putLedgerHead(this.#head);
    return numbered;
  }

  /** A disk without room has written a part of the entry at most: that can be cut off. After any
   *  other failure nobody knows what is on the disk. */
  async #takenBack(error: unknown): Promise<boolean> {
    if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    try {
      await this.#file.truncate(this.#sizeBytes);
      await this.#file.sync();
      return true;
    } catch {
      return false; // The next start cuts it off.
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function explained<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof HoldfastError ? error : refused(error);
  }
}

function refused(cause?: unknown): HoldfastError {
  const message = 'The ledger of volumes cannot be written: nothing is moved or removed.';
  return new HoldfastError('unavailable', OP, message, cause === undefined ? {} : { cause });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
