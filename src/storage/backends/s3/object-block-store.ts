/** A BlockStore of objects in the bucket of a service. */
import { createHash } from 'node:crypto';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Block } from '../../block.ts';
import type { BlockStore, BlockStoreState } from '../../block-store.ts';
import { LocalReclaim } from '../local/local-reclaim.ts';
import type { OtherWriters } from '../local/local-reclaim.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { LeavingView } from '../../shared/leaving-view.ts';
import { BlockObjects } from './block-objects.ts';
import { crc32c } from './crc32c.ts';
import type { Dialect, ToldChecksums } from './dialect.ts';
import { KnownBlocks } from './known-blocks.ts';
import { LeavingBlocks } from './leaving-blocks.ts';
import { blockBytesOf } from './object-body.ts';
import type { ObjectClient, StoreSettings } from './object-client.ts';
import { batchOf, ObjectKeeper } from './object-keeper.ts';
import { listAll, listFolder } from './object-listing.ts';
import type { ListedBlock, ListingParts } from './object-listing.ts';
import { withDeadline } from './retrying.ts';
import { S3Client, type BucketPlace, type Call } from './s3-client.ts';
import { OBJECT_LIMITS } from './s3-options.ts';
import type { ObjectLimits, ObjectStoreOptions } from './s3-options.ts';
import { BLOCKS_FOLDER, StoreMarker, TRASH_FOLDER } from './store-marker.ts';
import { Turns } from './turns.ts';

/** A block on its way, and who waits for it. */
interface RunningPut {
  done: Promise<void>;
  waiters: number;
  /** Its turn has come: it is no longer given up when nobody waits. */
  begun: boolean;
  quit: AbortController;
}

interface Parts {
  options: StoreSettings;
  limits: ObjectLimits;
  name: string;
  client: ObjectClient;
  marker: StoreMarker;
  objects: BlockObjects;
  /** Those in a folder of the trash. */
  trashed: (folder: string) => BlockObjects;
}

/** What lies in the store, unjudged. Sizes and bytes are those of objects. */
export interface StoredBlocks {
  /** Whether some may be sealed. */
  readonly maySeal: boolean;
  /** Pages in ascending order, strictly after `after`; it ends only where the listing does. */
  list(after: string | undefined): AsyncIterable<readonly ListedBlock[]>;
  /** Undefined: there is no such object, in a store that is there. */
  read(id: string): Promise<Buffer | undefined>;
  /** The same as `list` of the trash, by batches. */
  listTrash(): AsyncIterable<readonly (ListedBlock & { batch: number })[]>;
}

/** Puts look again whether the store is still this one, when they have not for so long. */
const MARKER_TRUST_MS = 10_000;
/** A service that has said that it is full is tried again after this. */
const FULL_TRUST_MS = 30_000;

/**
 * One object for each block: docs/formats/object-store.md. A put is acknowledged after the service
 * was asked again and has the block whole. Every call ends within `operationTimeoutMs`.
 *
 * One process at a time, unless it is shared (see ../../shared): which blocks there are is known
 * from a listing at the opening, and from what this process has put and removed since.
 */
export class ObjectBlockStore implements BlockStore {
  /** What a collector needs of this store: what is garbage… */
  readonly reclaim: LocalReclaim;
  /** …and how its room is given back. */
  readonly keeper: ObjectKeeper;
  /** What is about to leave; undefined: nobody else writes to the store. */
  readonly leaving: LeavingView | undefined;
  readonly #parts: Parts;
  readonly #known = new KnownBlocks();
  readonly #leaving: LeavingBlocks;
  readonly #puts = new Map<BlockId, RunningPut>();
  readonly #putTurns: Turns;
  readonly #readTurns: Turns;
  /** Fires at the end of the store: what reads then gives up. */
  readonly #end = new AbortController();
  readonly #counted: Promise<void>;
  #queuedBytes = 0;
  #markerSeenMs: number;
  #markerLost = false;
  #isCounted = false;
  #foreignTold = false;
  #fullUntilMs = -Infinity;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { limits, options } = parts;
    this.#putTurns = new Turns(limits.putsAtOnceMax, limits.putsWaitingMax);
    this.#readTurns = new Turns(limits.readsAtOnceMax, limits.readsWaitingMax);
    this.#markerSeenMs = options.clock.monotonic();
    this.#leaving = new LeavingBlocks(options.clock);
    const { sharing, storeId, clock } = options;
    this.leaving = sharing && new LeavingView(sharing, { store: storeId, clock });
    this.reclaim = new LocalReclaim(
      this.#known.index, () => this.list(), this.leaving && this.#othersBy(this.leaving),
    );
    this.keeper = this.#makeKeeper();
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
      const { checksum, sealer } = await withDeadline(deadline, async (signal) => {
        const call = { op, signal };
        await marker.open(options.whenEmpty, call);
        const found = await openSealing(marker, options, call);
        const facts = await client.head(marker.key, call);
        const told = facts && dialect.choose(facts.told, checksumsOf(marker.right));
        return { checksum: told ?? 'none', sealer: found };
      });
      const objectsIn = (folder: string): BlockObjects => new BlockObjects({
        client, marker, dialect, folder, checksum, sealer, putCheck, limits, clock, random,
        onFinding,
      });
      const objects = objectsIn(prefix + BLOCKS_FOLDER);
      const trashed = (folder: string): BlockObjects => objectsIn(prefix + TRASH_FOLDER + folder);
      return new ObjectBlockStore({ options, limits, name, client, marker, objects, trashed });
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Resolves when what was there at the opening has been listed, or could not be. */
  get counted(): Promise<void> {
    return this.#counted;
  }

  /** Resolves when it is known which blocks there are: before that nothing may refer to one.
   *  @throws unavailable: they could not be listed. */
  async ready(): Promise<void> {
    await this.#counted;
    this.#checkKnown();
  }

  #checkKnown(): void {
    if (this.#isCounted) return;
    const message = 'The blocks in the object store could not be listed yet. Try again later.';
    const op = `storage/${this.#parts.name}.list`;
    throw new HoldfastError('unavailable', op, message, { code: 'not-listed' });
  }

  put(block: Block, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#closing !== undefined) return Promise.reject(this.#closed('put'));
    this.#known.touch(block.id);
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
    const { folder } = this.#parts.objects;
    for await (const page of listFolder(this.#listing('list'), folder, after)) {
      for (const { id } of page) yield id;
    }
  }

  /** For verifiers: objects as they lie there, past everything that this store makes of them. */
  asStored(): StoredBlocks {
    const { client, objects, marker, options: { prefix = '' } } = this.#parts;
    const trash = prefix + TRASH_FOLDER;
    return {
      maySeal: marker.maySeal,
      list: (after) => listFolder(this.#listing('asStored'), objects.folder, after),
      read: (id) => this.#reading('asStored', undefined, async (call) => {
        const found = await client.get(objects.folder + id, undefined, call);
        if (found !== 'absent' && found !== 'outside') return found.bytes;
        await marker.confirm(call);
        return undefined;
      }),
      listTrash: () => this.#listTrash(trash),
    };
  }

  async *#listTrash(trash: string): AsyncGenerator<(ListedBlock & { batch: number })[]> {
    for await (const page of listFolder(this.#listing('asStored'), trash)) {
      yield page.flatMap((block) => {
        const batch = batchOf(block.folder ?? '');
        return batch === undefined ? [] : [{ ...block, batch }];
      });
    }
  }

  state(): BlockStoreState {
    return {
      blockCount: this.#known.index.count,
      storedBytes: this.#known.index.storedBytes,
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
    await this.#leaving.mayBePut(block.id, call.op);
    await this.leaving?.need(block.id);
    if (await objects.look(block, call) !== 'right') await this.#write(block, call);
    this.#known.stored(block.id, block.sizeBytes);
  }

  async #write(block: Block, call: Call): Promise<void> {
    const { options, objects } = this.#parts;
    try {
      await objects.write(block, call);
    } catch (error) {
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

  #listing(method: string): ListingParts {
    const { client, marker, options } = this.#parts;
    return {
      client, marker,
      call: (work) => this.#reading(method, undefined, work),
      onForeign: () => {
        if (!this.#foreignTold) options.onFinding({ kind: 'foreign-object' });
        this.#foreignTold = true;
      },
    };
  }

  async #count(): Promise<void> {
    try {
      await listAll(this.#listing('count'), this.#parts.objects.folder, (blocks) => {
        for (const { id, sizeBytes } of blocks) this.#known.listed(id, sizeBytes);
      });
      this.#isCounted = true;
    } catch (error) {
      if (this.#closing !== undefined) return;
      const code = error instanceof HoldfastError ? error.code ?? error.kind : 'internal';
      this.#parts.options.onFinding({ kind: 'count-failed', code });
    }
  }

  #othersBy(leaving: LeavingView): OtherWriters {
    const look = async (id: BlockId): Promise<boolean> => {
      const found = await this.find(id);
      if (found !== undefined) this.#known.stored(id, found.sizeBytes);
      return found !== undefined;
    };
    return {
      round: () => leaving.round,
      hold: async (id) => {
        await leaving.need(id);
        return look(id);
      },
      prepare: async () => {
        await leaving.beginCensus();
        const listed = new KnownBlocks();
        await listAll(this.#listing('list'), this.#parts.objects.folder, (blocks) => {
          for (const { id, sizeBytes } of blocks) listed.listed(id, sizeBytes);
        });
        this.#known.relist(listed);
      },
      lookFor: async (ids) => {
        const absent: BlockId[] = [];
        for (const id of ids) if (!(await look(id))) absent.push(id);
        return absent;
      },
    };
  }

  #makeKeeper(): ObjectKeeper {
    const { client, options, objects, trashed } = this.#parts;
    const { prefix = '', clock } = options;
    const folder = prefix + TRASH_FOLDER;
    return new ObjectKeeper({
      known: this.#known, clock, blocks: objects, trash: trashed, leaving: this.leaving,
      list: () => this.list(),
      listTrash: (within) => listFolder(this.#listing('listTrash'), folder + within),
      call: (method, work) => this.#reading(method, undefined, work),
      write: (body, method) => this.#reading(method, undefined, async (call) => {
        await this.#leaving.mayBePut(body.id, call.op);
        await this.leaving?.need(body.id);
        await objects.writeBody(body, call);
        this.#known.stored(body.id, blockBytesOf(body));
      }),
      removeForgotten: (id) => this.#removeForgotten(id),
      removeTrashed: (within, id) => this.#reading('unlink', undefined, (call) => {
        return client.delete(folder + within + id, call);
      }),
      checkKnown: () => this.#checkKnown(),
    });
  }

  async #removeForgotten(id: BlockId): Promise<void> {
    const { client, objects, options } = this.#parts;
    // Nothing may be awaited between this look and `remove`.
    if (this.#puts.has(id) || this.#known.find(id) !== undefined) return;
    await this.#leaving.remove(id, () => this.#reading('moveToTrash', undefined, (call) => {
      return client.delete(objects.folder + id, call);
    }));
    await options.onRemoved?.(id);
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

/** With the marker saying what may be found here from now on. */
async function openSealing(
  marker: StoreMarker, { openSealer }: StoreSettings, call: Call,
): Promise<BlockSealer> {
  const opened = await openSealer?.(() => Promise.resolve(marker.mayEncrypt));
  const sealer = opened ?? new BlockSealer({ compression: 'off' });
  if (sealer.packs) await marker.raise(sealer.encrypts ? 'encrypted' : 'compressed', call);
  return sealer;
}

function checksumsOf(bytes: Buffer): ToldChecksums {
  const of = (name: string): string => createHash(name).update(bytes).digest('hex');
  const castagnoli = crc32c(bytes).toString(16).padStart(8, '0');
  return { sha256: of('sha256'), md5: of('md5'), crc32c: castagnoli };
}
