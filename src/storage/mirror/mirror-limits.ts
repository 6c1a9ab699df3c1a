/** The bounds of a mirror, and what it shows. */
import type { ErrorKind } from '../../base/errors.ts';
import type { Lag } from './copy-queue.ts';

/**
 * When a put is acknowledged. `sync`: both stores have the block. `async`: the first store has it,
 * and the copy is durably queued.
 */
export type MirrorPolicy = 'sync' | 'async';

export interface MirrorLimits {
  /** Blocks queued one by one; each costs about 300 bytes of memory and 52 of disk. */
  readonly queueBlocksMax: number;
  /** Copies under way at once; each holds a block in memory. */
  readonly copiesMax: number;
  /** What the copies may take of the line to the second store. */
  readonly copyBytesPerSecondMax: number;
  /** A copy that takes longer is given up and tried again. */
  readonly copyDeadlineMs: number;
  /** The first pause when the second store refuses; it doubles up to the second. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** How long a block that the first store cannot read waits before it is tried again. */
  readonly stuckRetryMs: number;
  /** How often all blocks of both stores are compared, although nothing seems to lack. */
  readonly compareEveryMs: number;
  /** Blocks that wait to be written anew into the first store. */
  readonly repairsMax: number;
}

const HOUR_MS = 3_600_000;

export const MIRROR_DEFAULTS: MirrorLimits = {
  queueBlocksMax: 100_000,
  copiesMax: 8,
  copyBytesPerSecondMax: Infinity,
  copyDeadlineMs: 120_000,
  retryMs: 1000,
  retryMsMax: 60_000,
  stuckRetryMs: HOUR_MS,
  compareEveryMs: 7 * 24 * HOUR_MS,
  repairsMax: 1000,
};

/** Counted since the start. */
export interface MirrorCounters {
  /** Blocks copied to the second store, and their bytes. */
  copied: number;
  copiedBytes: number;
  failedCopies: number;
  /** Queued blocks that neither store has: their puts had failed. */
  absent: number;
  /** Puts that were acknowledged when both stores had the block, as the queue was not writable. */
  unqueuedPuts: number;
  /** Reads that the second store answered in place of the first. */
  failovers: number;
  /** Blocks written anew into the first store, and those that could not be. */
  repaired: number;
  failedRepairs: number;
  skippedRepairs: number;
  /** Blocks that comparisons found in the first store only; they were copied. */
  foundMissing: number;
  /** Blocks that comparisons found in the second store only; nothing was done to them. */
  foundExtra: number;
  comparisons: number;
}

export function noCounts(): MirrorCounters {
  return {
    copied: 0, copiedBytes: 0, failedCopies: 0, absent: 0, unqueuedPuts: 0, failovers: 0,
    repaired: 0, failedRepairs: 0, skippedRepairs: 0, foundMissing: 0, foundExtra: 0,
    comparisons: 0,
  };
}

export interface MirrorStatus extends MirrorCounters {
  policy: MirrorPolicy;
  lag: Lag;
  /** Queued blocks that the first store cannot read, and the second lacks. */
  stuckBlocks: number;
  comparison: {
    isDue: boolean;
    /** What share of all blocks the pass that is due has compared, from 0 to 1. */
    progress: number;
    /** When the last complete one began, in milliseconds since 1970. */
    comparedMs: number | undefined;
  };
  /** Why copying pauses, or undefined while the second store takes blocks. */
  refusal: { kind: ErrorKind; message: string; sinceMs: number } | undefined;
}
