/**
 * How far a follower has come, as text that means nothing to clients: docs/formats/feed-cursor.md.
 *
 * It gives no rights: whatever it says, only what the caller sees now is told. So it is not signed,
 * only checked: the sum at its end also takes in the installation and the user, by which the cursor
 * of another server or person is known for what it is.
 */
import { hash } from 'node:crypto';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Instant } from '../../metadata/index.ts';
import { VarintReader, VarintWriter } from './varints.ts';

/** Spaces of others that one caller's feed follows. */
export const FEED_SPACES_MAX = 1_000;
/** Mounts that lead to nothing which the caller sees, remembered as such. */
export const FEED_HIDDEN_MAX = 1_000;
/** A thousand spaces, with the largest numbers there can be in practice. */
export const CURSOR_LENGTH_MAX = 24 * 1024;

const VERSION = 1;
const SUM_BYTES = 8;
const MARK_BYTES_MAX = 64;
const TEXT = /^[A-Za-z0-9_-]+$/;

/** How far the journal of one space was followed. */
export interface FeedPosition {
  rev: number;
  /** Tells the event at `rev` from another that has its number after a backup was restored. */
  print: number;
  /** The grants as of this revision were taken into account; not less than `rev`. */
  accessRev: number;
  /** Tells which grants had lapsed; 0: none. */
  lapsedPrint: number;
}

export interface FeedCursor {
  /** When the page before was made: of two instants the feed sees what has expired between. */
  at: Instant;
  groupsRev: number;
  /** Which view of a device that is held back; '' for none. */
  holdMark: string;
  /** All journals had been followed to their ends. */
  isComplete: boolean;
  own: FeedPosition;
  others: ReadonlyMap<SpaceId, FeedPosition>;
  /** Mounts at which the caller saw nothing. */
  hidden: ReadonlySet<NodeId>;
}

/** For whom it is good. */
export interface CursorOwner {
  installation: string;
  user: string;
}

export function formatCursor(cursor: FeedCursor, owner: CursorOwner): string {
  const writer = new VarintWriter();
  writer.number(VERSION);
  writer.number(cursor.at);
  writer.number(cursor.groupsRev);
  writer.text(cursor.holdMark);
  writer.number(cursor.isComplete ? 1 : 0);
  const others = [...cursor.others].toSorted(([a], [b]) => a - b);
  writer.ascending(others.map(([id]) => id));
  for (const position of [cursor.own, ...others.map(([, each]) => each)]) {
    writer.number(position.rev);
    writer.number(position.print);
    writer.number(position.accessRev);
    writer.number(position.lapsedPrint);
  }
  writer.ascending([...cursor.hidden].toSorted((a, b) => a - b));
  const bytes = writer.bytes();
  return Buffer.concat([bytes, sumOf(bytes, owner)]).toString('base64url');
}

/** undefined: it is damaged, of another format, or was not made for this owner. */
export function parseCursor(raw: string, owner: CursorOwner): FeedCursor | undefined {
  if (raw.length > CURSOR_LENGTH_MAX || !TEXT.test(raw)) return undefined;
  const whole = Buffer.from(raw, 'base64url');
  const bytes = whole.subarray(0, -SUM_BYTES);
  if (!sumOf(bytes, owner).equals(whole.subarray(-SUM_BYTES))) return undefined;
  const reader = new VarintReader(bytes);
  if (reader.number() !== VERSION) return undefined;
  const at = reader.number();
  const groupsRev = reader.number();
  const holdMark = reader.text(MARK_BYTES_MAX);
  const isComplete = reader.number() === 1;
  const ids = reader.ascending(FEED_SPACES_MAX);
  const own = readPosition(reader);
  const others = new Map(ids.map((id) => [id as SpaceId, readPosition(reader)]));
  const hidden = new Set(reader.ascending(FEED_HIDDEN_MAX) as NodeId[]);
  if (holdMark === undefined || !reader.isAtEnd) return undefined;
  const positions = [own, ...others.values()].flatMap((each) => Object.values(each) as number[]);
  // The sum is no secret: numbers that are none must not come through with a right one.
  if ([at, groupsRev, ...ids, ...hidden, ...positions].some(Number.isNaN)) return undefined;
  return { at, groupsRev, holdMark, isComplete, own, others, hidden };
}

function readPosition(reader: VarintReader): FeedPosition {
  return {
    rev: reader.number(), print: reader.number(), accessRev: reader.number(),
    lapsedPrint: reader.number(),
  };
}

function sumOf(bytes: Buffer, { installation, user }: CursorOwner): Buffer {
  const whole = Buffer.concat([Buffer.from(`${installation}\n${user}\n`), bytes]);
  return hash('sha256', whole, 'buffer').subarray(0, SUM_BYTES);
}

/** A number of 32 bits by which two texts are told apart; never 0. */
export function printOf(text: string): number {
  return Math.max(1, hash('sha256', text, 'buffer').readUInt32BE(0));
}
