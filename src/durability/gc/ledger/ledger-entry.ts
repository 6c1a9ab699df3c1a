/** The entries of the ledger of volumes and their chain of hashes: docs/formats/ledger.md. */
import { hash } from 'node:crypto';

export const ZERO_HASH = '0'.repeat(64);
const LINE = /^([0-9a-f]{64}) (\{.*\})$/;

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

export type LedgerEntry = TrashEntry | FoundEntry | InspectEntry | RestoreEntry | UnlinkEntry;
type WithoutSeq<E> = E extends LedgerEntry ? Omit<E, 'seq'> : never;
/** What the writer is told; it gives the number. */
export type NewEntry = WithoutSeq<LedgerEntry>;

/** One line with its end, and the hash that the next one goes on from. */
export function encodeLine(entry: LedgerEntry, previous: string): { line: string; hash: string } {
  const json = JSON.stringify(entry);
  const chained = hash('sha256', `${previous} ${json}`);
  return { line: `${chained} ${json}\n`, hash: chained };
}

/** One line without its end; undefined when it does not go on from `previous`, or is no entry. */
export function decodeLine(
  line: string, previous: { seq: number; hash: string },
): { entry: LedgerEntry; hash: string } | undefined {
  const match = LINE.exec(line);
  const [, chained = '', json = ''] = match ?? [];
  if (match === null || hash('sha256', `${previous.hash} ${json}`) !== chained) return undefined;
  const entry = JSON.parse(json) as LedgerEntry;
  return entry.seq === previous.seq + 1 ? { entry, hash: chained } : undefined;
}
