/** A BlockStore of objects in the bucket of a service. */
import { createHash } from 'node:crypto';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Block } from '../../block.ts';
import type { BlockStore, BlockStoreState } from '../../block-store.ts';
import { BlockObjects } from './block-objects.ts';
import { BlockTally } from './block-tally.ts';
import { crc32c } from './crc32c.ts';
import type { Dialect, ToldChecksums } from './dialect.ts';
import type { ObjectClient, StoreSettings } from './object-client.ts';
import { withDeadline } from './retrying.ts';
import { S3Client, type BucketPlace, type Call } from './s3-client.ts';
import { OBJECT_LIMITS } from './s3-options.ts';
import type { ObjectLimits, ObjectStoreOptions } from './s3-options.ts';
import { StoreMarker } from './store-marker.ts';
import { Turns } from './turns.ts';

/** A block on its way, and who waits for it. */
interface RunningPut {
  done: Promise<void>;
  waiters: number;
  /** Its turn has come: it is no longer given up when nobody waits. */
  begun: boolean;
  quit: AbortController;
}

interface ListedBlock {
  id: BlockId;
  sizeBytes: number;
}

interface Parts {
  options: StoreSettings;
  limits: ObjectLimits;
  name: string;
  client: ObjectClient;
  marker: StoreMarker;
  objects: BlockObjects;
}

/** Puts look again whether the store is still this one, when they have not for so long. */
const MARKER_TRUST_MS = 10_000;
/** A service that has said that it is full is tried again after this. */
const FULL_TRUST_MS = 30_000;

/**
 * One object for each block: docs/formats/object-store.md. A put is acknowledged after the service
 * was asked again and has the block whole. Every call ends within `operationTimeoutMs`.
 *
 * Several processes may put into one store at once: an object's name fixes its content. `state`
 * counts what was there at the opening and what this process has put.
 */
export class ObjectBlockStore implements BlockStore {
  readonly #parts: Parts;
  readonly #tally = new BlockTally();
  readonly #puts = new Map<BlockId, RunningPut>();
  readonly #putTurns: Turns;
  readonly #readTurns: Turns;
  /** Fires at the end of the store: what reads then gives up. */
  readonly #end = new AbortController();
  readonly #counted: Promise<void>;
  #queuedBytes = 0;
  #markerSeenMs: number;
  #markerLost = false;
  #fullUntilMs = -Infinity;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { limits, options } = parts;
    this.#putTurns = new Turns(limits.putsAtOnceMax, limits.putsWaitingMax);
    this.#readTurns = new Turns(limits.readsAtOnceMax, limits.readsWaitingMax);
    this.#markerSeenMs = options.clock.monotonic();
    this.#counted = this.#count();
  }

  /** Finds the store in its bucket, or founds it. Nothing is written unless all is right.
   *  @throws conflict: another store's place, a newer format, or no store where one must be;
   *    unavailable: no answer, or access refused: the message says what to do. */
  static async open(
    options: ObjectStoreOptions, place: BucketPlace, dialect: Dialect, name: string,
  ): Promise<ObjectBlockStore> {
    const limits = { ...OBJECT_LIMITS, ...options.limits };
    return this.over(new S3Client(options, limits, place, dialect), options, dialect, name);
  }

  /** The same over a client of another protocol, which is closed with the store. */
  static async over(
    client: ObjectClient, options: StoreSettings, dialect: Dialect, name: string,
  ): Promise<ObjectBlockStore> {
    const limits = { ...OBJECT_LIMITS, ...options.limits };
    const { prefix = '', storeId, clock, random, onFinding, putCheck = 'head' } = options;
    const marker = new StoreMarker({ client, dialect, prefix, storeId });
    const op = `storage/${name}.open`;
    try {
      const deadline = { clock, timeoutMs: limits.operationTimeoutMs, op, signal: undefined };
      const checksum = await withDeadline(deadline, async (signal) => {
        await marker.open(options.whenEmpty, { op, signal });
        const facts = await client.head(marker.key, { op, signal });
        if (facts === undefined) return 'none';
        return dialect.choose(facts.told, checksumsOf(marker.right));
      });
      const objects = new BlockObjects({
        client, marker, dialect, prefix, checksum, putCheck, limits, clock, random, onFinding,
      });
      return new ObjectBlockStore({ options, limits, name, client, marker, objects });
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Resolves when what was there at the opening has been counted, or could not be. */
  get counted(): Promise<void> {
    return this.#counted;
  }

  put(block: Block, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#closing !== undefined) return Promise.reject(this.#closed('put'));
    let running = this.#puts.get(block.id);
    if (running === undefined) {
      const isFull = this.#queuedBytes + block.sizeBytes > this.#parts.limits.queueBytesMax;
      if (isFull || this.#putTurns.full) return Promise.reject(this.#busy('put'));
      running = this.#begin(block);
    }
    return this.#waitFor(block.id, running, signal);
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    return this.#reading('get', signal, (call) => this.#parts.objects.get(id, call));
  }

  async read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    const range = { offsetBytes, lengthBytes };
    return this.#reading('read', signal, (call) => this.#parts.objects.read(id, range, call));
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    return this.#reading('find', undefined, (call) => this.#parts.objects.find(id, call));
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    for await (const page of this.#pages('list', after)) {
      for (const { id } of page) yield id;
    }
  }

  state(): BlockStoreState {
    return {
      blockCount: this.#tally.blockCount,
      storedBytes: this.#tally.storedBytes,
      refusesWrites: this.#refusal(),
      queuedBytes: this.#queuedBytes,
      damagedCount: this.#parts.objects.damagedCount,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#puts.values()].map(({ done }) => done));
    this.#end.abort(this.#closed('close'));
    await this.#counted;
    this.#parts.client.close();
  }

  #begin(block: Block): RunningPut {
    const { limits, options, name } = this.#parts;
    const { id, sizeBytes } = block;
    const quit = new AbortController();
    const running: RunningPut = { done: Promise.resolve(), waiters: 0, begun: false, quit };
    const op = `storage/${name}.put`;
    const deadline = {
      clock: options.clock, timeoutMs: limits.operationTimeoutMs, op, signal: quit.signal,
    };
    this.#puts.set(id, running);
    this.#queuedBytes += sizeBytes;
    const work = withDeadline(deadline, (signal) => this.#putTurns.take(signal, () => {
      running.begun = true;
      return this.#store(block, { op, signal });
    }));
    running.done = work.finally(() => {
      this.#queuedBytes -= sizeBytes;
      if (this.#puts.get(id) === running) this.#puts.delete(id);
    });
    return running;
  }

  /** Several callers may wait for one put. One that is waiting for its turn ends with the last. */
  #waitFor(id: BlockId, running: RunningPut, signal: AbortSignal | undefined): Promise<void> {
    running.waiters++;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        running.waiters--;
        reject(signal?.reason as Error);
        if (running.waiters > 0 || running.begun) return;
        if (this.#puts.get(id) === running) this.#puts.delete(id);
        running.quit.abort(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const settled = running.done.then(resolve, reject);
      void settled.finally(() => signal?.removeEventListener('abort', onAbort));
    });
  }

  async #store(block: Block, call: Call): Promise<void> {
    const { options, objects } = this.#parts;
    const nowMs = options.clock.monotonic();
    if (this.#markerLost || nowMs - this.#markerSeenMs > MARKER_TRUST_MS) await this.#confirm(call);
    const before = await objects.look(block, call);
    if (before !== 'right') await this.#write(block, before === 'absent', call);
    this.#tally.stored(block.id, block.sizeBytes, before === 'absent');
  }

  async #write(block: Block, isNew: boolean, call: Call): Promise<void> {
    const { options, objects } = this.#parts;
    if (isNew) this.#tally.expect(block.id);
    try {
      await objects.write(block, call);
    } catch (error) {
      if (isNew) this.#tally.doubt(block.id);
      if (isKind(error, 'full')) this.#fullUntilMs = options.clock.monotonic() + FULL_TRUST_MS;
      throw error;
    }
    this.#fullUntilMs = -Infinity;
  }

  async #confirm(call: Call): Promise<void> {
    const { marker, options } = this.#parts;
    const nowMs = options.clock.monotonic();
    try {
      await marker.confirm(call);
    } catch (error) {
      this.#noteMarker(error);
      throw error;
    }
    this.#markerSeenMs = nowMs;
    this.#markerLost = false;
  }

  /** Remembers that the store is gone, if that is what the error says. */
  #noteMarker(error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (code === undefined || !MARKER_CODES.includes(code)) return;
    if (!this.#markerLost) this.#parts.options.onFinding({ kind: 'store-replaced', code });
    this.#markerLost = true;
  }

  async #reading<T>(
    method: string, signal: AbortSignal | undefined, work: (call: Call) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#closing !== undefined) throw this.#closed(method);
    if (this.#readTurns.full) throw this.#busy(method);
    const { limits, options, name } = this.#parts;
    const op = `storage/${name}.${method}`;
    const end = this.#end.signal;
    const either = signal === undefined ? end : AbortSignal.any([signal, end]);
    const timeoutMs = limits.operationTimeoutMs;
    const deadline = { clock: options.clock, timeoutMs, op, signal: either };
    try {
      return await withDeadline(deadline, (both) => {
        return this.#readTurns.take(both, () => work({ op, signal: both }));
      });
    } catch (error) {
      this.#noteMarker(error);
      throw error;
    }
  }

  /** Pages of blocks in ascending order. It ends only where the listing of this store ends. */
  async *#pages(method: string, after?: BlockId): AsyncGenerator<ListedBlock[]> {
    const { client, marker, objects, options } = this.#parts;
    const { folder } = objects;
    let from = after === undefined ? undefined : folder + after;
    let foreign = false;
    for (let truncated = true; truncated;) {
      const page = await this.#reading(method, undefined, (call) => {
        return client.list(folder, from, call);
      });
      const blocks = page.objects.flatMap(({ key, sizeBytes }) => {
        const id = blockIdOf(key.slice(folder.length));
        return id === undefined ? [] : [{ id, sizeBytes }];
      });
      if (blocks.length < page.objects.length && !foreign) {
        foreign = true;
        options.onFinding({ kind: 'foreign-object' });
      }
      yield blocks;
      ({ truncated } = page);
      from = page.objects.at(-1)?.key ?? from;
    }
    // An emptied bucket has a short listing too.
    await this.#reading(method, undefined, (call) => marker.confirm(call));
  }

  async #count(): Promise<void> {
    this.#tally.startCounting();
    try {
      for await (const page of this.#pages('count')) {
        for (const { id, sizeBytes } of page) this.#tally.listed(id, sizeBytes);
      }
    } catch (error) {
      if (this.#closing !== undefined) return;
      const code = error instanceof HoldfastError ? error.code ?? error.kind : 'internal';
      this.#parts.options.onFinding({ kind: 'count-failed', code });
    } finally {
      this.#tally.endCounting();
    }
  }

  #refusal(): BlockStoreState['refusesWrites'] {
    if (this.#closing !== undefined) return 'closed';
    if (this.#markerLost) return 'failed';
    const isFull = this.#parts.options.clock.monotonic() < this.#fullUntilMs;
    return isFull ? 'full' : undefined;
  }

  #busy(method: string): HoldfastError {
    const message = 'Too much is waiting for the object store. Try again shortly.';
    return new HoldfastError('busy', `storage/${this.#parts.name}.${method}`, message);
  }

  #closed(method: string): HoldfastError {
    const op = `storage/${this.#parts.name}.${method}`;
    return new HoldfastError('unavailable', op, 'The server is stopping. Try again shortly.');
  }
}

const MARKER_CODES = [
  'store-gone', 'foreign-store', 'newer-format', 'marker-damaged', 'bucket-missing',
];

function blockIdOf(text: string): BlockId | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as BlockId) : undefined;
}

function checksumsOf(bytes: Buffer): ToldChecksums {
  const of = (name: string): string => createHash(name).update(bytes).digest('hex');
  const castagnoli = crc32c(bytes).toString(16).padStart(8, '0');
  return { sha256: of('sha256'), md5: of('md5'), crc32c: castagnoli };
}
