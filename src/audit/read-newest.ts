/** The newest entries of a log, for people who look at it: page by page, from the end. */
import type { AuditEntry } from './audit-entry.ts';
import { readSegment } from './read-audit.ts';
import { listSegments } from './segments.ts';

/** Files of 64 MiB at most that one page reads; the next page goes on. */
const SEGMENTS_MAX = 4;
/** A clock may have been set back by so much. */
const CLOCK_STEP_MS = 24 * 60 * 60 * 1000;

export interface NewestWish {
  /** Entries with smaller numbers only. */
  before: number | undefined;
  limit: number;
  /** Of this user only. */
  user: string | undefined;
  /** Of this kind only. */
  act: string | undefined;
  /** Not earlier and not later than these; undefined: whenever. */
  sinceMs?: number | undefined;
  untilMs?: number | undefined;
}

export interface NewestPart {
  /** Newest first; fewer than `limit` say nothing. */
  entries: AuditEntry[];
  /** Go on before this number; undefined: that was all. */
  next: number | undefined;
}

/** What lies behind damage within a file is passed over: `verifyAudit` tells of it.
 *  @throws unavailable: it cannot be read. */
export async function readNewestAudit(
  folder: string, { before = Number.MAX_SAFE_INTEGER, limit, ...wish }: NewestWish,
): Promise<NewestPart> {
  const entries: AuditEntry[] = [];
  const segments = (await listSegments(folder)).filter(({ first }) => first < before);
  const read = segments.slice(-SEGMENTS_MAX);
  for (const { path } of read.toReversed()) {
    const wanted = limit - entries.length;
    // One more tells whether there is more; older ones fall out at the front.
    const ring: AuditEntry[] = [];
    let newestAt = 0;
    await readSegment(path, (entry) => {
      if (entry === undefined || entry.seq >= before) return;
      newestAt = Math.max(newestAt, entry.at);
      if (!isWanted(entry, wish)) return;
      ring.push(entry);
      if (ring.length > wanted + 1) ring.shift();
    });
    entries.push(...ring.slice(-wanted).reverse());
    if (ring.length > wanted) return { entries, next: entries.at(-1)?.seq };
    if (entries.length >= limit) break;
    // What lies in front of it is older still, as far as clocks can be trusted.
    const isOver = wish.sinceMs !== undefined && newestAt > 0
      && newestAt < wish.sinceMs - CLOCK_STEP_MS;
    if (isOver) return { entries, next: undefined };
  }
  const oldest = read[0]?.first ?? 0;
  const last = entries.length >= limit ? entries.at(-1)?.seq : undefined;
  const isMore = segments.length > read.length || (last !== undefined && oldest < last);
  return { entries, next: isMore ? last ?? oldest : undefined };
}

function isWanted(
  entry: AuditEntry, { user, act, sinceMs, untilMs }: Omit<NewestWish, 'before' | 'limit'>,
): boolean {
  return (user === undefined || entry.user === user) && (act === undefined || entry.act === act)
    && (sinceMs === undefined || entry.at >= sinceMs)
    && (untilMs === undefined || entry.at <= untilMs);
}
