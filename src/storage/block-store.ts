import type { BlockId } from '../base/ids.ts';
import type { Block } from './block.ts';

/** What one checksum covers: the unit in which a block is read and checked. */
export const SEGMENT_BYTES = 256 * 1024;

/**
 * A BlockStore keeps immutable blocks, each named by the SHA-256 of its bytes.
 *
 * It knows nothing of files or users. All methods may run concurrently; blocks of concurrent puts
 * become durable in no particular order. It has no `delete`: nothing is erased in place because one
 * caller says so.
 *
 * Durability: once `put` has resolved, the block survives a power cut. A rejected `put` says
 * nothing: the block may or may not be there, and a later `put` of it is right either way.
 * Errors: `unavailable` from every method once the store is closed, others as listed. A fired
 * `signal` rejects with the signal's own reason, and may leave the block stored.
 */
export interface BlockStore {
  /** Stores a block. A second put of a block is no error and no second copy, and it too resolves
   *  only when the block is durable.
   *  @throws full: at low water, nothing is stored; busy: too many bytes are waiting already. */
  put(block: Block, signal?: AbortSignal): Promise<void>;

  /** Returns the whole block, checked against its checksum and id on the way out. The caller must
   *  not change the bytes.
   *  @throws not-found; corrupt: what is stored is no longer what was put. */
  get(id: BlockId, signal?: AbortSignal): Promise<Buffer>;

  /** Returns `lengthBytes` bytes of the block from `offsetBytes` on, checked on the way out. Costs
   *  reading the touched segments, not the block: every SEGMENT_BYTES of a block have a checksum of
   *  their own (a volume record of more than one segment carries a table of CRC-32s before its
   *  payload, and its header's checksum covers that table instead of the payload).
   *  `into` is memory that the store may use for the answer, or not. After a rejection a read may
   *  still be under way into it: then it must not be used again.
   *  @throws not-found; corrupt; invalid: the range is not inside the block. */
  read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal, into?: Buffer,
  ): Promise<Buffer>;

  /** Returns the size without reading the bytes; undefined when there is no durable block. */
  find(id: BlockId): Promise<{ sizeBytes: number } | undefined>;

  /** Yields ids in ascending order, strictly after `after`. Blocks put meanwhile may be missed. */
  list(after?: BlockId): AsyncIterable<BlockId>;

  /** What an operator and the admission of writes want to know. Cheap. */
  state(): BlockStoreState;

  /** Waits for what is being written, then releases files. Calm when called twice. */
  close(): Promise<void>;
}

export interface BlockStoreState {
  blockCount: number;
  /** Sum of the blocks' sizes. */
  storedBytes: number;
  /** Why writes are refused, or undefined when they are taken. */
  refusesWrites: 'full' | 'failed' | 'closed' | undefined;
  /** Bytes that wait for the disk. */
  queuedBytes: number;
  /** Blocks that were acknowledged and can no longer be read back, as far as known. */
  damagedCount: number;
}
