/**
 * Gives the room of condemned blocks back: docs/formats/object-store.md, "The trash".
 *
 * To the collector a volume is what goes to the trash together: condemned blocks in a batch, with
 * nothing in it that is needed. Emptying one copies each object to the batch's folder, reads the
 * copy back, and only then forgets the block; moving it to the trash removes the objects where they
 * were. So until the last step every block is in one of the two places, whenever this is cut short.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock } from '../../../platform/index.ts';
import type {
  Compaction, CompactOptions, TrashedVolume, TrashInspection, VolumeReclaim, VolumeUse,
} from '../../volume-reclaim.ts';
import { LISTED_MAX } from '../../shared/leaving-list.ts';
import type { LeavingView } from '../../shared/leaving-view.ts';
import type { BlockObjects } from './block-objects.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { ObjectBody } from './object-body.ts';
import { inspectBatches } from './object-trash-inspection.ts';
import type { ListedBlock } from './object-listing.ts';
import type { Call } from './s3-client.ts';

const OP = 'storage/VolumeReclaim';
/** Of one batch. */
const BLOCKS_MAX = 4_096;
const BYTES_MAX = 4 * 1024 ** 3;
/** In one run of the collector; the rest is still condemned in the next one. */
const BATCHES_MAX = 64;
const BATCH_DIGITS = 10;

export interface KeeperParts {
  known: KnownBlocks;
  clock: Clock;
  /** Of a store that others write to as well. */
  leaving: LeavingView | undefined;
  /** The objects of the store, and of the trash in all. */
  blocks: BlockObjects;
  /** Those of one folder in the trash. */
  trash: (folder: string) => BlockObjects;
  /** All blocks in ascending order. */
  list: () => AsyncIterable<BlockId>;
  /** Pages of all that lies in a folder of the trash; it ends where the listing does. */
  listTrash: (folder: string) => AsyncIterable<readonly ListedBlock[]>;
  /** One request, in time. @throws unavailable: the store is closed, or does not answer. */
  call: <T>(method: string, work: (call: Call) => Promise<T>) => Promise<T>;
  /** Stores a block that came back from the trash, as it lay there. */
  write: (body: ObjectBody, method: string) => Promise<void>;
  /** Removes the object of a block that the store has forgotten, unless it is being put again. */
  removeForgotten: (id: BlockId) => Promise<void>;
  /** Removes an object of the trash. */
  removeTrashed: (folder: string, id: BlockId) => Promise<void>;
  /** @throws unavailable: it is not known yet which blocks there are. */
  checkKnown: () => void;
}

/** VolumeReclaim on objects. */
export class ObjectKeeper implements VolumeReclaim {
  readonly #parts: KeeperParts;
  /** Batches that were told of, and what is condemned in them. */
  readonly #planned = new Map<number, readonly BlockId[]>();
  /** Batches that are in the trash and whose objects are where they were as well. */
  readonly #emptied = new Map<number, readonly ListedBlock[]>();
  #lastNumber = 0;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  async *listUses(signal?: AbortSignal): AsyncGenerator<VolumeUse> {
    const { known, list, checkKnown, leaving } = this.#parts;
    checkKnown();
    this.#planned.clear();
    if (known.index.condemnedCount === 0) return;
    for (const { volumeId } of await this.listTrash()) this.#noteNumber(volumeId);
    let ids: BlockId[] = [];
    let sizeBytes = 0;
    const early: BlockId[] = [];
    for await (const id of list()) {
      signal?.throwIfAborted();
      if (!known.isCondemned(id)) continue;
      if (leaving?.isDue(id) === false) {
        if (early.length < LISTED_MAX) early.push(id);
        continue;
      }
      ids.push(id);
      sizeBytes += known.find(id) ?? 0;
      if (ids.length < BLOCKS_MAX && sizeBytes < BYTES_MAX) continue;
      yield this.#plan(ids, sizeBytes);
      [ids, sizeBytes] = [[], 0];
      if (this.#planned.size >= BATCHES_MAX) break;
    }
    await leaving?.announce(early); // They may leave after another census.
    if (ids.length > 0) yield this.#plan(ids, sizeBytes);
  }

  /** Objects are written one by one: nothing is ever half full. */
  useOfOpen(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  sealOpen(): Promise<void> {
    return Promise.resolve();
  }

  async compact(batch: number, { signal, pace }: CompactOptions = {}): Promise<Compaction> {
    const ids = this.#planned.get(batch);
    if (ids === undefined) throw notThere(batch);
    const { known } = this.#parts;
    const trash = this.#parts.trash(folderOf(batch));
    const dropped: ListedBlock[] = [];
    let copiedBytes = 0;
    let copiedCount = 0;
    try {
      for (const id of ids) {
        signal?.throwIfAborted();
        const sizeBytes = known.isCondemned(id) ? known.find(id) : undefined;
        if (sizeBytes === undefined) continue;
        await pace?.(2 * sizeBytes);
        if (!(await this.#copy(id, trash))) continue;
        copiedCount++;
        copiedBytes += sizeBytes;
        // Needed again meanwhile: then its copy in the trash is one too many, and does no harm.
        if (known.drop(id)) dropped.push({ id, sizeBytes });
      }
      if (copiedCount === 0) throw neededAgain(batch);
    } catch (error) {
      for (const { id, sizeBytes } of dropped) known.listed(id, sizeBytes);
      throw error;
    }
    this.#planned.delete(batch);
    this.#emptied.set(batch, dropped);
    return {
      volumeId: batch, sizeBytes: copiedBytes, recordCount: copiedCount, movedCount: 0,
      movedBytes: 0, elsewhereCount: copiedCount - dropped.length, droppedCount: dropped.length,
      droppedBytes: dropped.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  }

  /** Stops at the first object of which nobody knows whether it is gone: that one is forgotten
   *  until the next start lists it, the others are blocks of the store again. */
  async moveToTrash(batch: number): Promise<void> {
    const { known, removeForgotten, leaving } = this.#parts;
    const blocks = this.#emptied.get(batch);
    if (blocks === undefined) throw notThere(batch);
    this.#emptied.delete(batch);
    if (leaving !== undefined) {
      await this.#removeShared(blocks, leaving);
      return;
    }
    for (const [at, { id }] of blocks.entries()) {
      try {
        await removeForgotten(id);
      } catch (error) {
        for (const rest of blocks.slice(at + 1)) known.listed(rest.id, rest.sizeBytes);
        throw error;
      }
    }
  }

  /** What somebody else has needed since is a block of the store again, and so is what may be. */
  async #removeShared(blocks: readonly ListedBlock[], leaving: LeavingView): Promise<void> {
    const { known, removeForgotten } = this.#parts;
    const kept = new Map(blocks.map(({ id, sizeBytes }) => [id, sizeBytes]));
    try {
      await leaving.remove(blocks.map(({ id }) => id), async (id) => {
        await removeForgotten(id);
        kept.delete(id);
      });
    } finally {
      for (const [id, sizeBytes] of kept) known.listed(id, sizeBytes);
    }
  }

  async listTrash(): Promise<TrashedVolume[]> {
    const sizes = new Map<number, number>();
    for await (const page of this.#parts.listTrash('')) {
      for (const { folder, sizeBytes } of page) {
        const batch = batchOf(folder ?? '');
        if (batch !== undefined) sizes.set(batch, (sizes.get(batch) ?? 0) + sizeBytes);
      }
    }
    return [...sizes].sort(([a], [b]) => a - b)
      .map(([volumeId, sizeBytes]) => ({ volumeId, sizeBytes }));
  }

  async inspectTrash(
    batches: readonly number[], signal?: AbortSignal,
  ): Promise<TrashInspection> {
    this.#parts.checkKnown();
    const { known, blocks, call, write } = this.#parts;
    return inspectBatches({
      known, isShared: this.#parts.leaving !== undefined, blocks, call, write,
      trash: (batch) => this.#parts.trash(folderOf(batch)),
      blocksOf: (batch) => this.#blocksOf(batch),
    }, batches, signal);
  }

  async restore(batch: number): Promise<void> {
    const { known, write, call, checkKnown, removeTrashed } = this.#parts;
    checkKnown();
    const found = await this.#blocksOf(batch);
    const trash = this.#parts.trash(folderOf(batch));
    for (const { id } of found) {
      if (this.#parts.leaving === undefined && known.find(id) !== undefined) continue;
      await write(await call('restore', (one) => trash.getBody(id, one)), 'restore');
    }
    for (const { id } of found) await removeTrashed(folderOf(batch), id);
  }

  async unlink(batch: number): Promise<void> {
    await this.#parts.leaving?.permit();
    for (const { id } of await this.#blocksOf(batch)) {
      await this.#parts.removeTrashed(folderOf(batch), id);
    }
  }

  /** False when the block's object is not the block any more: it stays where it is. */
  async #copy(id: BlockId, trash: BlockObjects): Promise<boolean> {
    const { blocks, call } = this.#parts;
    try {
      const body = await call('compact', (one) => blocks.getBody(id, one));
      await call('compact', (one) => trash.writeBody(body, one));
      return true;
    } catch (error) {
      if (isKind(error, 'corrupt') || isKind(error, 'not-found')) return false;
      throw error;
    }
  }

  async #blocksOf(batch: number): Promise<ListedBlock[]> {
    const found: ListedBlock[] = [];
    for await (const page of this.#parts.listTrash(folderOf(batch))) found.push(...page);
    if (found.length === 0) throw notThere(batch);
    return found;
  }

  #plan(ids: readonly BlockId[], sizeBytes: number): VolumeUse {
    const nowMs = this.#parts.clock.now();
    // No number comes twice as long as the clock is not set back: the ledger keeps them for ever.
    this.#noteNumber(Math.max(this.#lastNumber + 1, Math.floor(nowMs / 1000)));
    const volumeId = this.#lastNumber;
    this.#planned.set(volumeId, ids);
    return {
      volumeId, createdMs: nowMs, sizeBytes, recordCount: ids.length, recordBytes: sizeBytes,
      liveBytes: 0, condemnedCount: ids.length, condemnedBytes: sizeBytes, elsewhereBytes: 0,
    };
  }

  #noteNumber(batch: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, batch);
  }
}

function folderOf(batch: number): string {
  return `${String(batch).padStart(BATCH_DIGITS, '0')}/`;
}

/** Undefined: that is not a folder of the trash. */
export function batchOf(folder: string): number | undefined {
  return /^\d{10}\/$/.test(folder) ? Number(folder.slice(0, -1)) : undefined;
}

function notThere(volumeId: number): HoldfastError {
  const message = 'There is no such batch here.';
  return new HoldfastError('not-found', OP, message, { facts: { volumeId } });
}

function neededAgain(volumeId: number): HoldfastError {
  const message = 'Nothing of the batch can go: all of it is needed again, or damaged.';
  return new HoldfastError('conflict', OP, message, {
    code: 'nothing-to-move', facts: { volumeId },
  });
}
