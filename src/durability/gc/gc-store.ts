import type { BlockId } from '../../base/ids.ts';

/** Two censuses that do not meet a block condemn it if they are this far apart. */
export const AGREEMENT_MS = 24 * 60 * 60 * 1000;

/**
 * The collector's notes: which blocks no census has met since when, what each census found, and
 * where the ledger ends. Losing them costs time, never data: every suspicion begins anew.
 *
 * All methods answer at once, and what a call has written survives a power cut. One process writes.
 * @throws unavailable, full, corrupt: the notes cannot be read or written.
 */
export interface GcStore {
  /** Answers the census's number, above all before. */
  beginCensus(at: number): number;

  /** The census did not meet these blocks: suspects from now on, if they are not already. Answers
   *  those that an earlier census, at least AGREEMENT_MS ago, had not met either. */
  noteUnmet(census: number, at: number, blocks: readonly SuspectBlock[]): BlockId[];

  /** The store condemned them. */
  noteCondemned(census: number, ids: readonly BlockId[]): void;

  /** The census is complete: whoever was met by it is no suspect any more. */
  endCensus(census: number, at: number, figures: CensusFigures): void;

  /** Every suspicion begins anew. */
  forgetSuspects(): void;

  /** Newest first, at most `limit`. */
  listCensuses(limit: number): CensusRecord[];

  countSuspects(at: number): SuspectCounts;

  /** Number of the oldest census that suspected any block that is condemned now. */
  oldestAccuser(): number | undefined;

  findLedgerHead(): LedgerHead | undefined;
  putLedgerHead(head: LedgerHead): void;

  close(): void;
}

export interface SuspectBlock {
  id: BlockId;
  sizeBytes: number;
}

export interface CensusFigures {
  /** Manifests met, and blocks that they refer to, each as often as it is named. */
  manifestCount: number;
  referenceCount: number;
  /** Bytes in parts of uploads that are not finished. */
  pendingBytes: number;
  /** Blocks that are referred to and that the store does not have. */
  absentCount: number;
  unmetCount: number;
  unmetBytes: number;
  condemnedCount: number;
  condemnedBytes: number;
}

export interface CensusRecord extends CensusFigures {
  census: number;
  begunAt: number;
  /** undefined: it was cut short, or is still going on. */
  endedAt: number | undefined;
}

export interface SuspectCounts {
  count: number;
  bytes: number;
  /** Of those, suspects for AGREEMENT_MS and longer. */
  agedCount: number;
  agedBytes: number;
  /** When the oldest became one; undefined when there is none. */
  oldestAt: number | undefined;
}

/** The last entry of the ledger that was acknowledged. */
export interface LedgerHead {
  seq: number;
  hash: string;
}
