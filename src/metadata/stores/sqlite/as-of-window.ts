/**
 * How far one page of a past listing goes.
 *
 * The members of a folder as of a revision are in two tables, each of which holds rows of other
 * times too. A search that just asks for the next 500 that fit may have to pass over all the rest
 * of the folder to find them, and again for the next page. So a page is first given an end, by
 * counting rows of either table whatever their time: it then looks at a bounded number of rows, and
 * answers as many members as fit among them, perhaps none.
 */
import type { SqlStatement } from './statements.ts';

/** Rows that one page looks at. A file with more old versions than that is looked at in one go. */
const LIVE_ROWS = 500;
const CLOSED_ROWS = 2_000;

/** Behind every canonical name. */
const LAST_NAME = '\u{10FFFF}'.repeat(512);

export const WINDOW_SQL = {
  findLiveEnd: `SELECT canon FROM node WHERE space_id = ? AND parent_id = ? AND canon > ?
    ORDER BY canon LIMIT 1 OFFSET ?`,
  findClosedEnd: `SELECT canon FROM node_past WHERE space_id = ? AND parent_id = ? AND canon > ?
    ORDER BY canon LIMIT 1 OFFSET ?`,
} as const;

export interface Window {
  /** Canonical name of the last member that may be in the page. */
  end: string;
  /** Whether members may follow behind it. */
  isLast: boolean;
}

export function windowAfter(
  sql: Readonly<Record<keyof typeof WINDOW_SQL, SqlStatement>>,
  { spaceId, folderId, after }: { spaceId: number; folderId: number; after: string },
): Window {
  const live = sql.findLiveEnd.get(spaceId, folderId, after, LIVE_ROWS - 1) as
    [string] | undefined;
  const closed = sql.findClosedEnd.get(spaceId, folderId, after, CLOSED_ROWS - 1) as
    [string] | undefined;
  const ends = [live?.[0], closed?.[0]].filter((end) => end !== undefined);
  const [first, second] = ends;
  if (first === undefined) return { end: LAST_NAME, isLast: true };
  const isFirst = second === undefined
    || Buffer.compare(Buffer.from(first), Buffer.from(second)) <= 0;
  return { end: isFirst ? first : second, isLast: false };
}
