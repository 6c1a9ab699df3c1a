import { HoldfastError } from '../../base/errors.ts';
import {
  dialFiler, type Answer, type DialOptions, type FilerConnection,
} from './filer-connection.ts';
import { filerLost } from './wire-error.ts';

export interface Backoff {
  firstMs: number;
  longestMs: number;
}

export interface LinkOptions extends DialOptions {
  /** Asked before each attempt, for the key may have been replaced. When it fails, the ones that
   *  were known last are used. */
  readKeys?: (() => Promise<FilerKeys>) | undefined;
  backoff: Backoff;
  /** After each welcome. Throws to hang up again: then its reason is the link's. */
  onWelcome: (connection: FilerConnection) => void;
  onLost: (reason: Error) => void;
}

export interface FilerKeys {
  readonly key: Buffer;
  readonly previousKey?: Buffer;
}

/** What a request takes besides its bytes. */
const REQUEST_BYTES = 512;

/** A connection that is made again, by itself, whenever it is lost. */
export class FilerLink {
  readonly #options: LinkOptions;
  #keys: FilerKeys | undefined;
  #connection: FilerConnection | undefined;
  #failure: Error = filerLost('ECONNRESET');
  #attempts = 0;
  #inFlightBytes = 0;
  readonly #waiting: { bytes: number; go: () => void; fail: (error: Error) => void }[] = [];
  #stopTimer: () => void = () => undefined;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The connection as it is now: what belongs to it ends with it. */
  get connection(): FilerConnection | undefined {
    return this.#connection;
  }

  /** Why there is no connection. */
  get failure(): Error {
    return this.#failure;
  }

  /** Makes the first connection. When it fails, the link goes on trying unless it is closed.
   *  @throws see `dialFiler`. */
  async connect(): Promise<void> {
    try {
      this.#keys = (await this.#options.readKeys?.().catch(() => undefined)) ?? this.#keys;
      const connection = await dialFiler({ ...this.#options, ...this.#keys });
      if (this.#closed) {
        connection.close();
        throw filerLost('ENOTCONN');
      }
      this.#adopt(connection);
    } catch (error) {
      this.#lose(error instanceof Error ? error : filerLost('ECONNRESET', error));
      throw this.#failure;
    }
  }

  /**
   * As `FilerConnection.request`, on that connection alone: a file is open on one connection and
   * not on the next. Waits for room first. `answerBytes`: what the answer may bring.
   */
  async request(
    on: FilerConnection,
    type: number,
    fields: Buffer,
    { data, answerBytes = 0 }: { data?: readonly Uint8Array[]; answerBytes?: number } = {},
  ): Promise<Answer> {
    let bytes = REQUEST_BYTES + answerBytes;
    for (const { length } of data ?? []) bytes += length;
    const wait = this.#takeRoom(bytes);
    if (wait !== undefined) await wait;
    try {
      return await on.request(type, fields, data);
    } finally {
      this.#inFlightBytes -= bytes;
      this.#letOn();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimer();
    this.#failure = filerLost('ENOTCONN');
    this.#connection?.close();
    this.#connection = undefined;
    this.#failWaiting();
  }

  /** Undefined when there is room at once. */
  #takeRoom(bytes: number): Promise<void> | undefined {
    const { inFlightBytesMax, waitingRequestsMax } = this.#options.limits;
    const fits = this.#inFlightBytes + bytes <= inFlightBytesMax || this.#inFlightBytes === 0;
    if (fits && this.#waiting.length === 0) {
      this.#inFlightBytes += bytes;
      return undefined;
    }
    if (this.#waiting.length >= waitingRequestsMax) {
      const message = 'Too much waits for this filer. Try again in a moment.';
      throw new HoldfastError('busy', 'storage/filer', message, { code: 'filer-busy' });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        bytes, fail: reject,
        go: () => {
          this.#inFlightBytes += bytes;
          resolve();
        },
      });
    });
  }

  #letOn(): void {
    const { inFlightBytesMax } = this.#options.limits;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const fits = this.#inFlightBytes + first.bytes <= inFlightBytesMax;
      if (!fits && this.#inFlightBytes > 0) return;
      this.#waiting.shift();
      first.go();
    }
  }

  #failWaiting(): void {
    for (const { fail } of this.#waiting.splice(0)) fail(filerLost('ECONNRESET'));
  }

  #adopt(connection: FilerConnection): void {
    connection.onEnd = (reason) => {
      if (this.#connection === connection) this.#lose(reason);
    };
    if (connection.failure !== undefined) throw connection.failure;
    this.#connection = connection;
    try {
      this.#options.onWelcome(connection);
    } catch (error) {
      this.#connection = undefined;
      connection.close();
      throw error;
    }
    this.#attempts = 0;
  }

  #lose(reason: Error): void {
    this.#connection = undefined;
    if (this.#closed) return;
    this.#failure = reason instanceof HoldfastError ? reason : filerLost('ECONNRESET', reason);
    this.#failWaiting();
    this.#options.onLost(this.#failure);
    this.#retryLater();
  }

  /** Twice as long each time, and never all at the same moment after a filer has come back. */
  #retryLater(): void {
    const { backoff: { firstMs, longestMs }, clock, random } = this.#options;
    const stepMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#attempts, 20));
    this.#attempts += 1;
    const delayMs = stepMs / 2 + random.below(Math.max(1, Math.floor(stepMs / 2)));
    this.#stopTimer();
    this.#stopTimer = clock.after(delayMs, () => {
      // A failure has been told of by `onLost`, and the next attempt is on its way.
      if (!this.#closed) this.connect().catch(() => undefined);
    });
  }
}
