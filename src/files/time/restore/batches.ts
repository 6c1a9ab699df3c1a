/**
 * Restores as batches: noted before their first change, gone on with after a crash, and taken back
 * as a whole. One batch of a space runs at a time.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { NodeId, SpaceId, UserId } from '../../../base/ids.ts';
import type {
  Actor, BatchKind, BatchRecord, Instant, MetadataStore,
} from '../../../metadata/index.ts';
import type { ContentDirectory } from '../../content-homes.ts';
import { restoredOn } from '../free-name.ts';
import { traceBatch } from './batch-trace.ts';
import { Restorer } from './restorer.ts';

/** Batches that a start finds unfinished, at most; one per space can be. */
const RESUMED_MAX = 1_000;

export type RunKeep = (
  batch: BatchRecord, run: { actor: () => Actor; signal: AbortSignal },
) => Promise<void>;

export interface BatchParts {
  metadata: MetadataStore;
  /** For `resume`: which may leave out what cannot be reached. */
  lists?: Pick<MetadataStore, 'listBatches'> | undefined;
  content: ContentDirectory;
  now: () => Instant;
  /** Runs a batch of the kind `keep`, and notes its end. */
  keep?: RunKeep | undefined;
  /** Where there are other servers: has the work done unless another one does it. `work` ends when
   *  the signal fires. Left out: done at once. */
  alone?: ((batchId: number, work: (signal: AbortSignal) => Promise<void>) => Promise<void>)
    | undefined;
  /** Told when a batch failed; it goes on at the next start. */
  onTrouble?: (batchId: number, error: unknown) => void;
}

export interface BatchOrder {
  spaceId: SpaceId;
  nodeId: NodeId;
  asOf: number;
  /** Permissions, shares and links too; the undo of such a batch takes them back too. */
  withSharing: boolean;
  user: UserId;
  device: string;
}

export class Batches {
  readonly #parts: BatchParts;
  readonly #abort = new AbortController();
  readonly #running = new Map<number, Promise<void>>();

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** Brings a file, folder or space back to a revision. Resolves once the batch is noted: it then
   *  runs to its end, also after a crash.
   *  @throws conflict `batch-running`; as MetadataStore.past. */
  async restore(order: BatchOrder): Promise<BatchRecord> {
    await this.#parts.metadata.past(order.spaceId, order.asOf);
    return this.#begin('restore', order, undefined);
  }

  /** Takes a batch back: what it touched and nobody has changed since becomes what it was before;
   *  the rest stays, and is counted as skipped.
   *  @throws not-found `batch-missing`; conflict `batch-open`: it runs, or was undone already. */
  async undo(
    batchId: number, by: Pick<BatchOrder, 'user' | 'device'>,
  ): Promise<BatchRecord> {
    const batch = await this.get(batchId);
    if (batch.state !== 'done') {
      const message = batch.state === 'running' ? 'This restore has not ended yet. Wait for it.'
        : 'This restore has been undone already.';
      throw new HoldfastError('conflict', 'files/Batches.undo', message, { code: 'batch-open' });
    }
    const { spaceId, revFrom, withSharing } = batch;
    const { rootId } = await this.#parts.metadata.getSpace(spaceId);
    await this.#parts.metadata.past(spaceId, revFrom);
    const order = { spaceId, nodeId: rootId, asOf: revFrom, withSharing, ...by };
    return this.#begin('undo', order, batchId);
  }

  /** @throws not-found `batch-missing`. */
  async get(batchId: number): Promise<BatchRecord> {
    const batch = await this.#parts.metadata.findBatch(batchId);
    if (batch !== undefined) return batch;
    throw new HoldfastError('not-found', 'files/Batches.get', 'There is no such restore.', {
      code: 'batch-missing', facts: { batchId },
    });
  }

  /** Resolves when a batch that was begun here has ended, or has failed. */
  async settled(batchId: number): Promise<BatchRecord> {
    await this.#running.get(batchId);
    return this.get(batchId);
  }

  /** Goes on with what a crash or a stop has left unfinished. Answers how many. */
  async resume(): Promise<number> {
    const { lists, metadata } = this.#parts;
    const open = await (lists ?? metadata).listBatches({ state: 'running' }, RESUMED_MAX);
    for (const batch of open) if (!this.#running.has(batch.id)) this.#start(batch);
    return open.length;
  }

  /** Stops after the changes in hand; the batches go on at the next start. */
  async close(): Promise<void> {
    this.#abort.abort(new HoldfastError('unavailable', 'files/Batches', 'Shutting down.'));
    await Promise.all(this.#running.values());
  }

  async #begin(
    kind: BatchKind, order: BatchOrder, undoes: number | undefined,
  ): Promise<BatchRecord> {
    const { spaceId, nodeId, asOf, withSharing, user, device } = order;
    const actor = { user, device, at: this.#parts.now(), lockTokens: [] };
    const { count: batchId } = await this.#parts.metadata.commit({
      op: 'begin-batch', spaceId, kind, nodeId, asOf, undoes, withSharing, actor,
    });
    const batch = await this.get(batchId);
    this.#start(batch);
    return batch;
  }

  #start(batch: BatchRecord): void {
    const work = this.#alone(batch).catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#parts.onTrouble?.(batch.id, error);
    }).finally(() => this.#running.delete(batch.id));
    this.#running.set(batch.id, work);
  }

  async #alone(batch: BatchRecord): Promise<void> {
    const { alone } = this.#parts;
    if (alone === undefined) return this.#run(batch, this.#abort.signal);
    return alone(batch.id, async (signal) => {
      const now = await this.get(batch.id); // Another server may have ended it a moment ago.
      const either = AbortSignal.any([signal, this.#abort.signal]);
      if (now.state === 'running') await this.#run(now, either);
    });
  }

  async #run(batch: BatchRecord, signal: AbortSignal): Promise<void> {
    const { metadata, content, now } = this.#parts;
    const { id: batchId, by: user, device } = batch;
    const actor = (): Actor => ({ user, device, at: now(), lockTokens: [], batchId });
    if (batch.kind === 'keep') return this.#parts.keep?.(batch, { actor, signal });
    const trace = await this.#trace(batch);
    const note = async (done: number, skipped: number, isDone: boolean): Promise<void> => {
      await metadata.commit({
        op: 'note-batch', batchId, isDone, at: now(),
        doneCount: done, skippedCount: skipped + (trace?.changedCount ?? 0),
      });
    };
    // What an earlier run of this batch has done is not done again, and not counted again.
    const before = batch.doneCount;
    try {
      const restorer = new Restorer({ metadata, content }, {
        space: await metadata.getSpace(batch.spaceId), nodeId: batch.nodeId, actor, signal,
        past: await metadata.past(batch.spaceId, batch.asOf), remark: restoredOn(batch.at),
        only: trace?.untouched,
        ...(batch.withSharing && { sharing: { only: trace?.grants } }),
        onProgress: (done, skipped) => note(before + done, skipped, false),
      });
      const { doneCount, skippedCount } = await restorer.run();
      await note(before + doneCount, skippedCount, true);
    } catch (error) {
      // The past that it leads to has been forgotten meanwhile: it can never end otherwise.
      if (!isKind(error, 'not-found') || error.code !== 'past-gone') throw error;
      await note(before, 0, true);
    }
  }

  async #trace(batch: BatchRecord) {
    if (batch.undoes === undefined) return undefined;
    const { metadata } = this.#parts;
    const undone = await this.get(batch.undoes);
    return traceBatch(metadata, undone, batch.id, this.#abort.signal);
  }
}
