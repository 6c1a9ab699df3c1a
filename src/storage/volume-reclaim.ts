import type { BlockId } from '../base/ids.ts';

/**
 * What a garbage collector needs of a store that keeps its blocks in volumes: room is given back
 * volume by volume. Compaction empties one: what is needed is copied to the volume that is being
 * written, what is condemned is dropped. The emptied volume goes to the trash, stays there for as
 * long as the collector wants, and is unlinked when the collector says so.
 *
 * One of these methods at a time; the store goes on working meanwhile. Nothing here decides what is
 * garbage, and only `unlink` cannot be undone.
 */
export interface VolumeReclaim {
  /** The sealed volumes that could be compacted, in order of their numbers. */
  listUses(signal?: AbortSignal): AsyncIterable<VolumeUse>;

  /** The same of the volume that is being written; undefined when there is none, or it is empty. */
  useOfOpen(): Promise<VolumeUse | undefined>;

  /** Ends that volume if it is still being written and holds anything: what comes from now on goes
   *  to a fresh one. Resolves when it is sealed, so that it can be compacted.
   *  @throws unavailable: the disk did not take the end of it. Nothing is lost with that. */
  sealOpen(volumeId: number): Promise<void>;

  /** Copies, verifies and drops until the volume holds nothing that the store relies on. Copies are
   *  read back by a handle of their own before anything points to them. When it is cut short or
   *  rejects, some blocks have moved, none is lost, and it can be called again.
   *  @throws not-found: no such sealed volume; corrupt: a block that is needed cannot be read, and
   *  the volume stays as it is; full: no room for the copies; unavailable. */
  compact(volumeId: number, options?: CompactOptions): Promise<Compaction>;

  /** Moves an emptied volume to the trash, durably, and leaves behind what recovery needs not to
   *  take it for lost. @throws conflict: something in it is still relied upon. */
  moveToTrash(volumeId: number): Promise<void>;

  /** The volumes in the trash, in order of their numbers. */
  listTrash(): Promise<TrashedVolume[]>;

  /** Begins to look whether these volumes of the trash may go.
   *  @throws not-found; too-large: they hold more than INSPECTED_BLOCKS_MAX blocks. */
  inspectTrash(volumeIds: readonly number[], signal?: AbortSignal): Promise<TrashInspection>;

  /** Takes a volume back. What the store has elsewhere stays there. @throws not-found; conflict: it
   *  belongs to another store. */
  restore(volumeId: number): Promise<void>;

  /** Removes a volume of the trash for ever, durably. @throws not-found. */
  unlink(volumeId: number): Promise<void>;
}

/** The memory of an inspection: 32 bytes for each block that is nowhere else. */
export const INSPECTED_BLOCKS_MAX = 4_000_000;

/** Every block of a volume is counted once: live, condemned, or elsewhere. */
export interface VolumeUse {
  volumeId: number;
  createdMs: number;
  /** Of the file. */
  sizeBytes: number;
  recordCount: number;
  /** Of the blocks of all records. */
  recordBytes: number;
  /** Relied upon. */
  liveBytes: number;
  condemnedCount: number;
  condemnedBytes: number;
  /** The store relies on another record of the block, or on none. */
  elsewhereBytes: number;
}

export interface CompactOptions {
  signal?: AbortSignal;
  /** Asked before each piece of work with the bytes that it reads. */
  pace?: (bytes: number) => Promise<void>;
}

/** `movedCount + elsewhereCount + droppedCount` is the number of the volume's records. */
export interface Compaction {
  volumeId: number;
  sizeBytes: number;
  recordCount: number;
  movedCount: number;
  movedBytes: number;
  /** Another record of the block was read back, or the block had been dropped before. */
  elsewhereCount: number;
  droppedCount: number;
  droppedBytes: number;
}

export interface TrashedVolume {
  volumeId: number;
  sizeBytes: number;
}

/** One look at volumes in the trash: it is told of everything that is referred to, and then says
 *  for each record why it is not needed, or that it is. */
export interface TrashInspection {
  /** These blocks are referred to. */
  need(ids: readonly BlockId[]): void;
  /** Puts what is needed and nowhere else back into the store, and answers for each volume. */
  finish(): Promise<InspectedVolume[]>;
}

/** `elsewhereCount + deadCount + rescuedCount` is the number of records. */
export interface InspectedVolume {
  volumeId: number;
  recordCount: number;
  /** The store has another record of the block, and it was read and hashed just now. */
  elsewhereCount: number;
  /** Nothing refers to the block. */
  deadCount: number;
  /** Needed, and only here: they were stored anew. The volume must not go. */
  rescuedCount: number;
}
