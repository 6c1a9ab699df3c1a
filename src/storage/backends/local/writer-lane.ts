/**
 * The one writer of a store. Batches form by themselves: while one is being synced the next one
 * gathers, so under load a single sync serves hundreds of blocks, and a lone block waits for
 * nobody.
 */
import { assert } from '../../../base/assert.ts';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock } from '../../../platform/index.ts';
import type { Block } from '../../block.ts';
import type { PackedBlock } from '../../sealing/packed-block.ts';
import { BatchEncoder, itemBytes, type BatchItem } from './batch-encoder.ts';
import type { BlockIndex, BlockPlace } from './block-index.ts';
import type { OnFinding } from './findings.ts';
import type { OpenVolume } from './open-volume.ts';
import { PACKED_FORMAT_VERSION } from './record-codec.ts';
import type { SpaceGuard } from './space-guard.ts';
import { nextTurn } from './turn.ts';
import { errorCode, isOutOfRoom } from './volume-files.ts';

const OP = 'storage/LocalVolumeStore.put';
const TRIES_MAX = 3;

interface Waiting extends BatchItem {
  /** Of a block that lies in another volume already: not for the index, which its mover changes
   *  once the copy was read back. */
  readonly copy: { place: BlockPlace | undefined } | undefined;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export interface LaneLimits {
  volumeBytesMax: number;
  volumeBlocksMax: number;
  batchRecordsMax: number;
  batchBytesMax: number;
  queueBytesMax: number;
}

/** What the lane needs of the store around it. */
export interface LaneParts {
  limits: LaneLimits;
  clock: Clock;
  index: BlockIndex;
  guard: SpaceGuard;
  /** Compresses and encrypts a block before it is queued; undefined answers leave it as it is. May
   *  throw. */
  pack?: ((block: Block) => MaybePacked | Promise<MaybePacked>) | undefined;
  onFinding: OnFinding;
  /** The volume to go on with after a restart. */
  first: OpenVolume | undefined;
  /** Makes the next volume. */
  nextVolume: () => Promise<OpenVolume>;
  /** Takes a volume that gets no more batches. `sound`: it may be sealed. */
  retire: (volume: OpenVolume, sound: boolean) => void;
  /** The volume has become durable up to its position. */
  onDurable: (volume: OpenVolume) => void;
  /** A block has become durable. */
  onStored: (block: Block) => void;
}

type MaybePacked = PackedBlock | undefined;

export class WriterLane {
  readonly #parts: LaneParts;
  readonly #encoder = new BatchEncoder();
  /** Everything that waits or is being written, by id. */
  readonly #waiting = new Map<BlockId, Waiting>();
  /** What no batch has taken yet, in order; `#next` is the first of them. */
  #queue: Waiting[] = [];
  #next = 0;
  #queuedBytes = 0;
  /** Of blocks that are counted and not queued yet. The limit of bytes bounds it. */
  readonly #packing = new Set<Promise<void>>();
  #open: OpenVolume | undefined;
  /** The open volume is to be ended before the next batch. */
  #ending: { volumeId: number; promise: Promise<void>; resolve: () => void } | undefined;
  #failure: HoldfastError | undefined;
  #running: Promise<void> | undefined;
  /** The batch that is being written. */
  #writing: Promise<void> | undefined;
  /** Until it resolves no batch is begun. */
  #resting: Promise<void> | undefined;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#open = parts.first;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Why nothing can be written until a restart. */
  get failure(): HoldfastError | undefined {
    return this.#failure;
  }

  get open(): OpenVolume | undefined {
    return this.#open;
  }

  /** The promise of a block that is already on its way. */
  waitingFor(id: BlockId): Promise<void> | undefined {
    return this.#waiting.get(id)?.promise;
  }

  /** Resolves when the block is durable. */
  put(block: Block): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { sizeBytes } = block;
    const { guard } = this.#parts;
    if (!guard.admits(sizeBytes, this.#queuedBytes)) return Promise.reject(diskFull());
    const waiting = this.#admit(block, undefined);
    if (waiting === undefined) return Promise.reject(this.#tooMuch());
    this.#waiting.set(block.id, waiting);
    this.#prepare(waiting);
    return waiting.promise;
  }

  /** Writes another copy of a block, and answers where it lies. It is durable then, and nothing
   *  points to it. It may use half of the reserve of room: emptying volumes is what makes room.
   *  `packed`: what to write in the place of its bytes, which are not needed then. */
  async copy(block: Block, packed?: PackedBlock): Promise<BlockPlace> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#parts.guard.admitsCopy(block.sizeBytes, this.#queuedBytes)) throw diskFull();
    const copy: { place: BlockPlace | undefined } = { place: undefined };
    const waiting = this.#admit(block, copy);
    if (waiting === undefined) throw this.#tooMuch();
    if (packed === undefined) this.#prepare(waiting);
    else this.#enqueue(waiting, packed);
    await waiting.promise;
    assert(copy.place !== undefined, 'a copy that was written has a place');
    return copy.place;
  }

  /** Undefined when too much is waiting. */
  #admit(block: Block, copy: Waiting['copy']): Waiting | undefined {
    const { sizeBytes } = block;
    if (this.#queuedBytes + sizeBytes > this.#parts.limits.queueBytesMax) return undefined;
    const settled = Promise.withResolvers<void>();
    const waiting: Waiting = { block, offset: 0, headerAt: 0, copy, ...settled };
    this.#queuedBytes += sizeBytes;
    return waiting;
  }

  /** Queues it, at once or when it is packed. */
  #prepare(waiting: Waiting): void {
    try {
      const packed = this.#parts.pack?.(waiting.block);
      if (packed instanceof Promise) this.#enqueueLater(waiting, packed);
      else this.#enqueue(waiting, packed);
    } catch (error) {
      this.#settle([waiting], error);
    }
  }

  #enqueueLater(waiting: Waiting, packed: Promise<MaybePacked>): void {
    const queued = packed.then(
      (result) => this.#enqueue(waiting, result),
      (error: unknown) => this.#settle([waiting], error),
    );
    this.#packing.add(queued);
    void queued.then(() => this.#packing.delete(queued));
  }

  #enqueue(waiting: Waiting, packed: MaybePacked): void {
    // Writing may have come to its end while this one was packed.
    if (this.#failure !== undefined) {
      this.#settle([waiting], this.#failure);
      return;
    }
    waiting.packed = packed;
    this.#queue.push(waiting);
    this.#running ??= this.#run();
  }

  #tooMuch(): HoldfastError {
    const message = 'Too much is waiting to be written; try again in a moment.';
    return new HoldfastError('busy', OP, message, { facts: { queuedBytes: this.#queuedBytes } });
  }

  /** Ends the open volume if a copy of it is missing; while batches are written, they do that. */
  endDegraded(): void {
    if (this.#running !== undefined || this.#open?.degraded !== true) return;
    this.#end(this.#open, true);
  }

  /** Ends that volume if it is the open one and holds anything: at once, or before the next batch.
   *  Resolves when it has been handed on to be sealed. */
  endOpen(volumeId: number): Promise<void> {
    if (!this.#holdsAnything(volumeId)) return Promise.resolve();
    this.#ending ??= { volumeId, ...Promise.withResolvers<void>() };
    const { promise } = this.#ending;
    if (this.#running === undefined) this.#endIfAsked();
    return promise;
  }

  /** Ends the open volume, whatever it holds, and begins no batch until the answer is called: what
   *  is put meanwhile waits. Resolves when nothing is being written. */
  async rest(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resting = promise;
    while (this.#writing !== undefined) await this.#writing;
    if (this.#open !== undefined) this.#end(this.#open, true);
    return () => {
      this.#resting = undefined;
      resolve();
    };
  }

  #holdsAnything(volumeId: number): boolean {
    const volume = this.#open?.volume;
    return volume?.id === volumeId && (volume.entries?.count ?? 0) > 0;
  }

  #endIfAsked(): void {
    const open = this.#open;
    if (open !== undefined && open.volume.id === this.#ending?.volumeId) this.#end(open, true);
  }

  /** Whatever the reason: it gets no more batches. */
  #end(open: OpenVolume, sound: boolean): void {
    this.#open = undefined;
    this.#parts.retire(open, sound);
    this.#ending?.resolve();
    this.#ending = undefined;
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#running !== undefined || this.#packing.size > 0) {
      await (this.#running ?? Promise.all(this.#packing));
    }
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Whoever was answered just now gets the chance to bring his next block into this batch.
      await nextTurn();
      while (this.#resting !== undefined) await this.#resting;
      const batch = this.#takeBatch();
      try {
        const written = this.#write(batch);
        this.#writing = written.catch(() => undefined).then(() => {
          this.#writing = undefined;
        });
        await written;
        this.#settle(batch, undefined);
      } catch (error) {
        this.#settle(batch, error);
        if (this.#failure !== undefined) this.#settle(this.#takeAll(), error);
      }
    }
    this.#running = undefined;
    this.#endIfAsked();
  }

  #takeBatch(): Waiting[] {
    const { batchRecordsMax, batchBytesMax } = this.#parts.limits;
    const first = this.#next;
    let end = first;
    for (let bytes = 0; end < this.#queue.length && end - first < batchRecordsMax; end++) {
      bytes += itemBytes(this.#queue[end] as Waiting);
      if (bytes > batchBytesMax && end > first) break;
    }
    const batch = this.#queue.slice(first, end);
    this.#next = end;
    // Cutting off the front each time would cost more than the batch when much is waiting.
    if (end === this.#queue.length || end > 4096) {
      this.#queue = this.#queue.slice(end);
      this.#next = 0;
    }
    return batch;
  }

  #takeAll(): Waiting[] {
    const all = this.#queue.slice(this.#next);
    this.#queue = [];
    this.#next = 0;
    return all;
  }

  #settle(batch: readonly Waiting[], error: unknown): void {
    for (const waiting of batch) {
      this.#queuedBytes -= waiting.block.sizeBytes;
      if (waiting.copy === undefined) this.#waiting.delete(waiting.block.id);
      if (error === undefined) waiting.resolve();
      else waiting.reject(error);
    }
  }

  /** Resolves when the batch is durable and known to the index. */
  async #write(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      let open: OpenVolume | undefined;
      try {
        open = await this.#volumeFor(batch);
        const written = await this.#append(open, batch);
        this.#parts.guard.wrote(written);
        this.#record(open, batch);
        return;
      } catch (error) {
        await this.#giveUp(open, error);
        if (isOutOfRoom(error)) {
          this.#parts.guard.refuse();
          throw diskFull(error);
        }
        if (tries < TRIES_MAX) continue;
        // Not a disk that fails, but too few that answer: that may pass.
        if (isKind(error, 'unavailable')) throw error;
        const message = 'The disk refuses to write. The administrator has to look at it.';
        const facts = { code: errorCode(error) };
        this.#failure = new HoldfastError('internal', OP, message, { facts, cause: error });
        this.#parts.onFinding({ kind: 'writes-stopped', volumeId: 0, code: errorCode(error) });
        throw this.#failure;
      }
    }
  }

  /** The open volume, or a new one when it is too full for this batch. */
  async #volumeFor(batch: readonly Waiting[]): Promise<OpenVolume> {
    const { limits, nextVolume } = this.#parts;
    if (this.#open !== undefined) {
      let bytes = this.#open.position.end;
      for (const waiting of batch) bytes += itemBytes(waiting);
      const count = (this.#open.volume.entries?.count ?? 0) + batch.length;
      const empty = count === batch.length;
      const fits = empty || (bytes < limits.volumeBytesMax && count <= limits.volumeBlocksMax);
      const isAsked = !empty && this.#open.volume.id === this.#ending?.volumeId;
      if (fits && !isAsked && !this.#open.degraded) return this.#open;
      this.#end(this.#open, true);
    }
    this.#open = await nextVolume();
    return this.#open;
  }

  async #append(open: OpenVolume, batch: readonly Waiting[]): Promise<number> {
    const { seed, formatVersion } = open.volume;
    const fits = formatVersion === PACKED_FORMAT_VERSION || batch.every(isPlain);
    assert(fits, 'packed blocks go into volumes that say so');
    const writtenMs = this.#parts.clock.now();
    const encoded = this.#encoder.encode(batch, open.position, { seed, writtenMs });
    await open.append(encoded);
    return encoded.lengthBytes;
  }

  #record(open: OpenVolume, batch: readonly Waiting[]): void {
    const { volume, hint, position } = open;
    const { headers } = this.#encoder;
    this.#parts.onDurable(open);
    for (const { block, offset, headerAt, copy } of batch) {
      const { sizeBytes } = block;
      const place = { volumeId: volume.id, offset, sizeBytes };
      volume.entries?.add(headers, headerAt + 16, place);
      if (copy === undefined) {
        this.#parts.index.set(headers, headerAt + 16, place);
        this.#parts.onStored(block);
      } else copy.place = place;
    }
    hint.advance(position);
  }

  /**
   * After a failed write or sync this volume is never written again. A sync that failed may have
   * thrown the bytes away and would succeed the next time: a second answer is worth nothing.
   */
  async #giveUp(open: OpenVolume | undefined, error: unknown): Promise<void> {
    const { onFinding } = this.#parts;
    const volumeId = open?.volume.id ?? 0;
    onFinding({ kind: 'write-failed', volumeId, code: errorCode(error) });
    if (open === undefined) return;
    this.#open = undefined;
    try {
      await open.cutBack();
    } catch (cutError) {
      onFinding({ kind: 'write-failed', volumeId, code: errorCode(cutError) });
    }
    this.#end(open, false);
  }
}

function isPlain({ packed }: Waiting): boolean {
  return packed === undefined;
}

function diskFull(cause?: unknown): HoldfastError {
  const message = 'The server has no room left. Files can be read and deleted, not added.';
  return new HoldfastError('full', OP, message, cause === undefined ? {} : { cause });
}
