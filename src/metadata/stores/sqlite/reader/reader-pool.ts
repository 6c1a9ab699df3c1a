/**
 * Read connections for listings. Each listing holds one for as long as it runs, because a snapshot
 * belongs to a connection; there are few, and who finds none waits in a queue with an end.
 */
import { tooBusy, storeClosed } from '../../../refusals.ts';
import type { Clock } from '../../../../platform/index.ts';
import { openConnection } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { prepareReads } from './read-statements.ts';
import type { ReadStatements } from './read-statements.ts';
import { TreeReader } from './tree-reader.ts';

export const READERS_MAX = 8;
export const READERS_WAITING_MAX = 256;
export const READER_WAIT_MAX_MS = 15_000;
const CACHE_KIB = 2 * 1024;

export interface ListingReader {
  connection: Connection;
  reads: ReadStatements;
  tree: TreeReader;
}

interface Waiting {
  readonly give: (reader: ListingReader) => void;
  readonly refuse: (reason: unknown) => void;
}

export class ReaderPool {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #all: ListingReader[] = [];
  #idle: ListingReader[] = [];
  #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** @throws busy: too many wait already, or waited for READER_WAIT_MAX_MS; unavailable: closed;
   *  the signal's reason. */
  async take(signal: AbortSignal | undefined): Promise<ListingReader> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.length < READERS_MAX) return this.#open();
    if (this.#waiting.length >= READERS_WAITING_MAX) throw tooBusy();
    return this.#wait(signal);
  }

  #open(): ListingReader {
    const connection = openConnection(this.#file, { readonly: true, cacheKib: CACHE_KIB });
    const reads = prepareReads(connection);
    const reader = { connection, reads, tree: new TreeReader(reads, neverTheSame()) };
    this.#all.push(reader);
    return reader;
  }

  #wait(signal: AbortSignal | undefined): Promise<ListingReader> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        signal?.removeEventListener('abort', onAbort);
        forgetTimer();
      };
      const refuse = (reason: unknown): void => {
        leave();
        reject(reason as Error);
      };
      const give = (reader: ListingReader): void => {
        leave();
        resolve(reader);
      };
      const onAbort = (): void => refuse(signal?.reason);
      const forgetTimer = this.#clock.after(READER_WAIT_MAX_MS, () => refuse(tooBusy()));
      const waiting: Waiting = { give, refuse };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  giveBack(reader: ListingReader): void {
    if (this.#isClosed) {
      reader.connection.close();
      return;
    }
    const [next] = this.#waiting;
    if (next !== undefined) next.give(reader);
    else this.#idle.push(reader);
  }

  /** Those in use are closed when they come back. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of [...this.#waiting]) refuse(storeClosed());
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }
}

/** These readers check folders and follow no paths: nothing is remembered for them. */
function neverTheSame(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}
