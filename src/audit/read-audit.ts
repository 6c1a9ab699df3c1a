/** Reads audit logs front to back and checks their chain. Writes nothing; memory is bounded by the
 *  longest line. */
import { createReadStream } from 'node:fs';
import { HoldfastError } from '../base/errors.ts';
import { ZERO_HASH } from '../base/hash-chain.ts';
import { decodeEntry, decodeHeader, LINE_BYTES_MAX } from './audit-entry.ts';
import type { AuditEntry, ChainPlace, SegmentHeader } from './audit-entry.ts';
import { listSegments } from './segments.ts';
import type { Segment } from './segments.ts';

const OP = 'audit/read';
const LINE_END = 10;

/** Why a log is not whole. */
export interface AuditBreak {
  /** The last entry that can be trusted. */
  afterSeq: number;
  segment: string;
  reason: 'header' | 'line' | 'order' | 'shorter';
}

export interface AuditVerdict {
  entries: number;
  segments: number;
  /** Compare it with one noted elsewhere: it stands for everything before it. */
  place: ChainPlace;
  /** Bytes of an entry that was being written when the program ended. */
  tornBytes: number;
  breaks: AuditBreak[];
}

/** One segment's lines, as far as they go on from each other. */
export interface SegmentReading {
  header: SegmentHeader | undefined;
  place: ChainPlace;
  /** Up to here it is sound. */
  soundBytes: number;
  sizeBytes: number;
  /** True when a whole line, not only a piece at the end, is wrong. */
  isBroken: boolean;
}

/** Told of each sound line in order: of an entry, or, without one, of a segment's header. */
export type Visit = (entry: AuditEntry | undefined, place: ChainPlace) => void | Promise<void>;

/** Answers how far the segment is sound. @throws unavailable: it cannot be read. */
export async function readSegment(
  path: string, visit: Visit = () => undefined,
): Promise<SegmentReading> {
  const reading: SegmentReading = {
    header: undefined, place: { seq: 0, hash: ZERO_HASH }, soundBytes: 0, sizeBytes: 0,
    isBroken: false,
  };
  for await (const line of linesOf(path, reading)) {
    if (reading.isBroken) continue; // Only its size is still of interest.
    const text = line.toString('utf8');
    const isFirst = reading.header === undefined;
    const decoded = isFirst ? decodeHeader(text) : decodeEntry(text, reading.place);
    if (decoded === undefined) {
      reading.isBroken = true;
      continue;
    }
    reading.place = decoded.place;
    reading.soundBytes += line.length + 1;
    if ('header' in decoded) reading.header = decoded.header;
    await visit('entry' in decoded ? decoded.entry : undefined, decoded.place);
  }
  return reading;
}

async function* linesOf(path: string, reading: SegmentReading): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of createReadStream(path)) {
      const bytes = piece as Buffer;
      reading.sizeBytes += bytes.length;
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let at = 0;
      for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END, at)) {
        yield rest.subarray(at, end);
        at = end + 1;
      }
      rest = rest.subarray(at);
      if (rest.length > LINE_BYTES_MAX) {
        reading.isBroken = true;
        rest = Buffer.alloc(0);
      }
    }
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const message = 'The audit log cannot be read. Look at the disk and at its permissions.';
    throw new HoldfastError('unavailable', OP, message, { facts: { code }, cause: error });
  }
}

/** Reads all of one tenant's log. It goes on behind a break, to show what else is there.
 *  `known`, a place noted earlier, must lie on the chain. */
export async function verifyAudit(
  folder: string, known?: ChainPlace, visit: Visit = () => undefined,
): Promise<AuditVerdict> {
  const segments = await listSegments(folder);
  const verdict: AuditVerdict = {
    entries: 0, segments: segments.length, place: { seq: 0, hash: ZERO_HASH }, tornBytes: 0,
    breaks: [],
  };
  let isKnownMet = known === undefined || known.seq === 0;
  for (const [at, segment] of segments.entries()) {
    const reading = await readSegment(segment.path, async (entry, place) => {
      if (entry !== undefined) verdict.entries += 1;
      isKnownMet ||= known?.seq === place.seq && known.hash === place.hash;
      await visit(entry, place);
    });
    const isLast = at === segments.length - 1;
    const reason = breakOf(segment, reading, { before: verdict.place, isLast });
    if (reason !== undefined) verdict.breaks.push(breakAt(segment, reading, reason));
    if (isLast && !reading.isBroken) verdict.tornBytes = reading.sizeBytes - reading.soundBytes;
    verdict.place = reading.place;
  }
  if (!isKnownMet) {
    const segment = segments.at(-1)?.path ?? folder;
    verdict.breaks.push({ afterSeq: verdict.place.seq, segment, reason: 'shorter' });
  }
  return verdict;
}

function breakOf(
  { first }: Segment, { header, isBroken, soundBytes, sizeBytes }: SegmentReading,
  { before, isLast }: { before: ChainPlace; isLast: boolean },
): AuditBreak['reason'] | undefined {
  if (header === undefined) return isLast && !isBroken ? undefined : 'header';
  if (header.first !== first || header.previous !== before.hash || first !== before.seq + 1) {
    return 'order';
  }
  if (isBroken) return 'line';
  return !isLast && sizeBytes > soundBytes ? 'line' : undefined;
}

function breakAt(
  { path }: Segment, { place }: SegmentReading, reason: AuditBreak['reason'],
): AuditBreak {
  return { afterSeq: place.seq, segment: path.slice(path.lastIndexOf('/') + 1), reason };
}
