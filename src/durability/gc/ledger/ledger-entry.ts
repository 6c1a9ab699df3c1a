/** The entries of the ledger of volumes and their chain of hashes: docs/formats/ledger.md. */
import { chainLine, unchainLine } from '../../../base/hash-chain.ts';
import type { ErasureReason } from '../../../storage/index.ts';

interface EntryBase {
  seq: number;
  /** Milliseconds since 1970 UTC. */
  at: number;
  volume: number;
}

export interface TrashEntry extends EntryBase {
  act: 'trash';
  sizeBytes: number;
  records: number;
  moved: number;
  elsewhere: number;
  dropped: number;
  droppedBytes: number;
  /** Of the oldest and the latest census by which blocks were condemned; empty when none was. */
  censuses: number[];
}

export interface FoundEntry extends EntryBase {
  act: 'found';
  sizeBytes: number;
}

export interface InspectEntry extends EntryBase {
  act: 'inspect';
  records: number;
  elsewhere: number;
  dead: number;
  rescued: number;
}

export interface RestoreEntry extends EntryBase {
  act: 'restore';
}

export interface UnlinkEntry extends EntryBase {
  act: 'unlink';
  sizeBytes: number;
  /** `seq` of the two inspections. */
  inspections: number[];
}

/** One of several copies of a volume: the volume itself stays, or has left before. */
export interface EraseEntry extends EntryBase {
  act: 'erase';
  disk: string;
  name: string;
  reason: ErasureReason;
}

export type LedgerEntry =
  TrashEntry | FoundEntry | InspectEntry | RestoreEntry | UnlinkEntry | EraseEntry;
type WithoutSeq<E> = E extends LedgerEntry ? Omit<E, 'seq'> : never;
/** What the writer is told; it gives the number. */
export type NewEntry = WithoutSeq<LedgerEntry>;

/** One line with its end, and the hash that the next one goes on from. */
export function encodeLine(entry: LedgerEntry, previous: string): { line: string; hash: string } {
  return chainLine(JSON.stringify(entry), previous);
}

/** One line without its end; undefined when it does not go on from `previous`, or is no entry. */
export function decodeLine(
  line: string, previous: { seq: number; hash: string },
): { entry: LedgerEntry; hash: string } | undefined {
  const decoded = unchainLine(line, previous.hash);
  if (decoded === undefined) return undefined;
  const entry = JSON.parse(decoded.text) as LedgerEntry;
  return entry.seq === previous.seq + 1 ? { entry, hash: decoded.hash } : undefined;
}
