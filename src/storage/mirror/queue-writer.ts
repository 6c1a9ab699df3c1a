import { HoldfastError } from '../../base/errors.ts';
import type { QueueFile } from './queue-file.ts';
import { encodeRecord, RECORD_BYTES, type QueueRecord } from './queue-record.ts';

/** Records that nobody waits for are written along with others, or when so many have gathered. */
const LAZY_RECORDS_MAX = 1024;
/** A file is written anew when it has so many more records than it needs: 3.4 MB, read in a moment.
 *  Making a new file durable takes as long as dozens of syncs, so it must be seldom. */
const SLACK_RECORDS = 65_536;

export interface QueueWriterOptions {
  readonly file: QueueFile;
  /** The fewest records that say all that is to be known now. */
  readonly snapshot: () => Iterable<QueueRecord>;
  /** How many those are, roughly. */
  readonly snapshotLength: () => number;
}

/**
 * Makes records durable: all that arrive while one sync runs share the next. A file of which an
 * append has failed is never appended to again; a new one takes its place, with all that is known.
 */
export class QueueWriter {
  readonly #options: QueueWriterOptions;
  #batch: Buffer[] = [];
  #wanted: PromiseWithResolvers<void> | undefined;
  #writing: Promise<void> | undefined;
  #recordCount = 0;
  /** False until there is a file that may be appended to. */
  #isAppendable = false;

  constructor(options: QueueWriterOptions) {
    this.#options = options;
  }

  /** Resolves when the record, and the state that `snapshot` shows now, is durable.
   *  @throws unavailable: it could not be written; it may be durable all the same. */
  write(record: QueueRecord): Promise<void> {
    this.#batch.push(encodeRecord(record));
    return this.flush();
  }

  /** For a record that may be lost: then some work is done twice. */
  writeLazily(record: QueueRecord): void {
    this.#batch.push(encodeRecord(record));
    if (this.#batch.length < LAZY_RECORDS_MAX) return;
    // Its failure will be met again by whoever has to wait.
    this.flush().catch(() => undefined);
  }

  /** Resolves when all records given so far are durable. @throws unavailable. */
  flush(): Promise<void> {
    this.#wanted ??= Promise.withResolvers();
    const { promise } = this.#wanted;
    this.#writing ??= this.#run();
    return promise;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#options.file.close();
  }

  async #run(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
      // One turn, so that all who come with this event share the sync.
      await new Promise((resolve) => setImmediate(resolve));
      this.#wanted = undefined;
      const batch = this.#batch;
      this.#batch = [];
      try {
        await this.#writeBatch(batch);
        wanted.resolve();
      } catch (error) {
        wanted.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #writeBatch(batch: readonly Buffer[]): Promise<void> {
    const { file, snapshotLength } = this.#options;
    const isLong = this.#recordCount > 2 * snapshotLength() + SLACK_RECORDS;
    if (this.#isAppendable && !isLong) {
      try {
        if (batch.length > 0) await file.append(Buffer.concat(batch));
        this.#recordCount += batch.length;
        return;
      } catch {
        // A failed sync is final for its file; a new one is written below.
      }
    }
    await this.#writeAnew();
  }

  /** The snapshot holds what the batch says: whoever gives a record has changed the state first. */
  async #writeAnew(): Promise<void> {
    this.#isAppendable = false;
    try {
      const records = [...this.#options.snapshot()].map(encodeRecord);
      await this.#options.file.replace(Buffer.concat(records, records.length * RECORD_BYTES));
      this.#recordCount = records.length;
      this.#isAppendable = true;
    } catch (error) {
      const message = 'The queue of the mirror could not be written. Check the disk that holds it.';
      throw new HoldfastError('unavailable', 'storage/MirrorStore.put', message, { cause: error });
    }
  }
}
