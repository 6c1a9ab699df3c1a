/**
 * Appends to one tenant's audit log. One process at a time; whoever opens it holds the lock of the
 * data directory.
 *
 * Entries gather while the disk is busy and are written and synced together. What is behind the
 * last sound line when the log is opened was never acknowledged if the note of the log's end is no
 * further: it is cut off, and an entry says so. A log that is damaged otherwise is left as it is:
 * a new segment begins behind it, with a number that tells how many are known to be lost, and
 * `verifyAudit` goes on reporting it.
 */
import { copyFile, mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { ZERO_HASH } from '../base/hash-chain.ts';
import { encodeEntry, encodeHeader } from './audit-entry.ts';
import type { ChainPlace, NewAuditEntry } from './audit-entry.ts';
import { readHead, writeHead } from './head-note.ts';
import { readSegment } from './read-audit.ts';
import type { Visit } from './read-audit.ts';
import { listSegments, SEGMENT_BYTES_MAX, segmentName } from './segments.ts';

const OP = 'audit/AuditLog';
/** Entries that may wait for the disk; one more is refused. */
export const QUEUE_MAX = 10_000;
const BATCH_ENTRIES_MAX = 1_000;
/** So often the end is noted apart, at least. */
const NOTE_EVERY_ENTRIES = 1_000;

interface Waiting {
  readonly entries: readonly NewAuditEntry[];
  readonly resolve: () => void;
  readonly reject: (error: HoldfastError) => void;
}

export interface AuditLogOptions {
  /** Made when it is not there. */
  folder: string;
  tenant: string;
  now(): number;
  /** For tests. */
  segmentBytesMax?: number;
  /** Told of the last segment's lines while the log is opened. */
  visit?: Visit;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  #file: FileHandle;
  #sizeBytes: number;
  #place: ChainPlace;
  #notedSeq: number;
  #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #writing: Promise<void> | undefined;
  #refusal: HoldfastError | undefined;

  private constructor(
    options: AuditLogOptions,
    { file, sizeBytes, place }: { file: FileHandle; sizeBytes: number; place: ChainPlace },
  ) {
    this.#options = options;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#place = place;
    this.#notedSeq = place.seq;
  }

  /** @throws unavailable: it cannot be read or written. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const { folder, visit } = options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const known = await readHead(folder);
      const last = (await listSegments(folder)).at(-1);
      if (last === undefined) return await AuditLog.#begin(options, known);
      const reading = await readSegment(last.path, visit);
      const torn = reading.sizeBytes - reading.soundBytes;
      const isKnownThere = reading.header !== undefined && reading.place.seq >= known.seq;
      if (!isKnownThere) return await AuditLog.#begin(options, known);
      const { place, soundBytes: sizeBytes } = reading;
      if (torn > 0) await copyFile(last.path, `${last.path}.${place.seq}.cut`);
      const file = await open(last.path, 'a', 0o600);
      if (torn > 0) await file.truncate(sizeBytes);
      await file.sync();
      const log = new AuditLog(options, { file, sizeBytes, place });
      const note = `${torn} bytes that were never acknowledged`;
      if (torn > 0) await log.append({ at: options.now(), act: 'log-cut', user: '', note });
      return log;
    } catch (error) {
      throw error instanceof HoldfastError ? error : failed(error);
    }
  }

  /** A segment of its own: at the beginning, when one is full, or behind one that is damaged. */
  static async #begin(options: AuditLogOptions, after: ChainPlace): Promise<AuditLog> {
    const { file, sizeBytes, place } = await beginSegment(options, after);
    return new AuditLog(options, { file, sizeBytes, place });
  }

  /** Where the chain ends; note it elsewhere to notice a log that was exchanged as a whole. */
  get place(): ChainPlace {
    return this.#place;
  }

  /** Once resolved, the entry survives a power cut. Entries keep the order of the calls.
   *  @throws busy: too many wait; unavailable: it could not be written. Unless the disk was merely
   *  full, no entry of this process will be any more. */
  append(entry: NewAuditEntry): Promise<void> {
    return this.appendAll([entry]);
  }

  /** In order, with nothing in between. @throws as append: then none, or the first of them, may be
   *  in the log. */
  appendAll(entries: readonly NewAuditEntry[]): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (entries.length === 0) return Promise.resolve();
    if (this.#waitingEntries + entries.length > QUEUE_MAX) {
      const message = 'The audit log cannot keep up. Try again in a moment.';
      return Promise.reject(new HoldfastError('busy', OP, message));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ entries, resolve, reject });
    this.#waitingEntries += entries.length;
    this.#writing ??= this.#drain();
    return promise;
  }

  /** What is written together next. */
  #take(): Waiting[] {
    let count = 0;
    const end = this.#waiting.findIndex(({ entries }) => {
      count += entries.length;
      return count >= BATCH_ENTRIES_MAX;
    });
    const batch = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end + 1);
    this.#waitingEntries -= count;
    return batch;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const refusal = failed(error);
        if (!(await this.#takenBack(error))) this.#refusal = refusal;
        this.#waitingEntries = 0;
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(refusal);
      }
    }
    // At once: an entry that comes a moment later must find that nobody writes.
    this.#writing = undefined;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    if (this.#sizeBytes >= (this.#options.segmentBytesMax ?? SEGMENT_BYTES_MAX)) {
      await this.#file.close();
      const next = await beginSegment(this.#options, this.#place);
      ({ file: this.#file, sizeBytes: this.#sizeBytes, place: this.#place } = next);
    }
    let place = this.#place;
    let lines = '';
    for (const entry of batch.flatMap(({ entries }) => entries)) {
      const encoded = encodeEntry(entry, place);
      place = encoded.place;
      lines += encoded.line;
    }
    const bytes = Buffer.from(lines);
    const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, null);
    if (bytesWritten !== bytes.length) throw new Error('the disk took a part of the entries');
    await this.#file.datasync();
    this.#place = place;
    this.#sizeBytes += bytes.length;
    if (place.seq - this.#notedSeq >= NOTE_EVERY_ENTRIES) await this.#note();
  }

  /** A disk without room has written a part of the batch at most: that can be cut off. After any
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

  async #note(): Promise<void> {
    await writeHead(this.#options.folder, this.#place);
    this.#notedSeq = this.#place.seq;
  }

  /** Waits for what is being written. Calm when called twice. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#refusal?.op === `${OP}.close`) return;
    if (this.#refusal === undefined) await this.#note();
    this.#refusal = new HoldfastError('unavailable', `${OP}.close`, 'The audit log is closed.');
    await this.#file.close();
  }
}

async function beginSegment(
  { folder, tenant }: AuditLogOptions, after: ChainPlace,
): Promise<{ file: FileHandle; sizeBytes: number; place: ChainPlace }> {
  const first = after.seq + 1;
  const previous = after.seq === 0 ? ZERO_HASH : after.hash;
  const { line, place } = encodeHeader({ format: 1, tenant, first, previous });
  // `ax`: a file of that number is somebody's log, whatever it holds.
  const file = await open(join(folder, segmentName(first)), 'ax', 0o600);
  try {
    await file.writeFile(line);
    await file.sync();
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
    await writeHead(folder, place);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, sizeBytes: Buffer.byteLength(line), place };
}

function failed(cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const message = 'The audit log cannot be written. Look at the disk; a restart tries again.';
  return new HoldfastError('unavailable', OP, message, { facts: { code }, cause });
}
