/**
 * Follows the records of a volume from batch to batch, and finds its way again behind damage.
 *
 * The walk stops being smooth at the first place that is not as the format says. That is only
 * damage if something proves that the bytes there had been acknowledged: a sound commit of a later
 * batch behind it, or a mark of which somebody knows that the volume was durable beyond it. Without
 * such a proof it is the end of what was written, or a write that is just under way.
 */
import { crc32 } from 'node:zlib';
import type { FindingKind } from '../finding.ts';
import type { ReadableVolume } from './volume-folder.ts';
import {
  addToHeadersSum, chainStart, hasHeadersSum, HEAD_BYTES, isPayloadSound, RECORD,
  RECORD_HEADER_BYTES, RECORD_MAGIC, readBlockHeader, readCommit, readSealHeader,
} from './volume-format.ts';
import type { CommitMark, RecordHeader, VolumeHead } from './volume-format.ts';
import { VolumeWindow } from './volume-window.ts';
import type { Pace, RecordWindow } from './volume-window.ts';

/** A place between two batches, from where a walk can go on. */
export interface WalkPoint {
  end: number;
  nextBatch: number;
  chain: string;
}

export interface VolumeFault {
  kind: FindingKind;
  offset: number;
  lengthBytes?: number;
  blockId?: string;
}

export interface FoundBlock {
  header: RecordHeader;
  position: number;
}

export interface WalkVisitor {
  /** Hears of each whole record, if the walk reads payloads, and where in the window's bytes it
   *  begins; before it is known whether its batch counts. What is wrong with a payload counts when
   *  the walk has come to an end behind it. */
  record?(block: FoundBlock, at: number): void;
  /** The blocks of a batch that counts, in order, and where the walk is after it. */
  batch(blocks: readonly FoundBlock[], point: WalkPoint): void | Promise<void>;
  fault(fault: VolumeFault): void;
}

export interface WalkInput {
  file: ReadableVolume;
  sizeBytes: number;
  head: VolumeHead;
  /** Undefined: from the first batch. */
  from: WalkPoint | undefined;
  /** The volume is known to have been durable up to here. */
  markEnd: number;
  /** Reads payloads too, through this window; left out: headers only. */
  window?: RecordWindow;
  pace: Pace;
  visitor: WalkVisitor;
}

export interface WalkEnd {
  point: WalkPoint;
  /** A sound seal record stands where the walk ended. */
  isAtSeal: boolean;
}

/** Headers are small: a walk that skips payloads reads in short pieces. */
const HEADER_PIECE_BYTES = 16 * 1024;

export function startOf(head: VolumeHead): WalkPoint {
  return { end: HEAD_BYTES, nextBatch: 1, chain: chainStart(head.seed) };
}

export async function walkVolume(input: WalkInput): Promise<WalkEnd> {
  return new VolumeWalk(input).run();
}

interface FoundCommit extends CommitMark {
  position: number;
}

class VolumeWalk {
  readonly #input: WalkInput;
  readonly #window: RecordWindow;
  #point: WalkPoint;
  /** Of the batch under way. */
  #blocks: FoundBlock[] = [];

  constructor(input: WalkInput) {
    this.#input = input;
    const { file, sizeBytes, pace, head, from, window } = input;
    this.#window = window ?? new VolumeWindow(file, sizeBytes, pace, HEADER_PIECE_BYTES);
    this.#point = from ?? startOf(head);
  }

  /** Each round takes a batch, gets past one damaged place, or ends the walk. */
  async run(): Promise<WalkEnd> {
    for (;;) {
      const stop = await this.#walkBatch();
      if (stop === undefined) continue;
      const next = stop.isAtSeal && this.#blocks.length === 0
        ? undefined : await this.#nextProof(stop.at);
      if (next !== undefined) {
        await this.#passDamage(stop.at, next);
        continue;
      }
      if (this.#input.markEnd > this.#point.end) await this.#reportLost(stop.at);
      return { point: this.#point, isAtSeal: stop.isAtSeal };
    }
  }

  /** Undefined when a whole batch was taken; else the first place that is not as it must be. */
  async #walkBatch(): Promise<{ at: number; isAtSeal: boolean } | undefined> {
    const { head, sizeBytes, window, visitor } = this.#input;
    this.#blocks = [];
    let headersCrc = 0;
    let headersSum = 0;
    for (let position = this.#point.end; ;) {
      let at = await this.#window.at(position, RECORD_HEADER_BYTES);
      if (at < 0) return { at: position, isAtSeal: false };
      const { bytes } = this.#window;
      if (bytes[at + 4] === RECORD.commit) {
        const commit = readCommit(bytes, at, { seed: head.seed, position });
        if (commit === undefined || !this.#fits(commit, headersCrc)
          || !hasHeadersSum(commit, headersSum)) {
          return { at: position, isAtSeal: false };
        }
        await this.#accept({ ...commit, position });
        return undefined;
      }
      const header = readBlockHeader(bytes, at);
      const isOfBatch = bytes.readUInt32LE(at + 56) === this.#point.nextBatch % 2 ** 32;
      if (header === undefined || !isOfBatch) {
        return { at: position, isAtSeal: readSealHeader(bytes, at) !== undefined };
      }
      headersCrc = crc32(bytes.subarray(at, at + RECORD_HEADER_BYTES), headersCrc);
      headersSum = addToHeadersSum(headersSum, bytes, at);
      const wholeBytes = RECORD_HEADER_BYTES + header.payloadBytes;
      if (position + wholeBytes > sizeBytes) return { at: position, isAtSeal: false };
      const block = { header, position };
      if (window !== undefined) {
        at = await window.at(position, wholeBytes);
        if (at < 0) return { at: position, isAtSeal: false };
        visitor.record?.(block, at);
      }
      this.#blocks.push(block);
      position += header.recordBytes;
    }
  }

  #fits(commit: CommitMark, headersCrc: number): boolean {
    const { end, nextBatch, chain } = this.#point;
    return commit.batch === nextBatch && commit.batchStart === end
      && commit.recordCount === this.#blocks.length && commit.headersCrc === headersCrc
      && commit.previousChain === chain;
  }

  async #accept(commit: FoundCommit): Promise<void> {
    const end = commit.position + RECORD_HEADER_BYTES;
    this.#point = { end, nextBatch: commit.batch + 1, chain: commit.chain };
    await this.#input.visitor.batch(this.#blocks, this.#point);
  }

  /** The first sound commit behind `badAt`, if it, a later one, or the mark proves that the bytes
   *  there were acknowledged. The batch's own commit proves nothing: both were one write. */
  async #nextProof(badAt: number): Promise<FoundCommit | undefined> {
    const { head, markEnd } = this.#input;
    let own: FoundCommit | undefined;
    for (let from = badAt; ; from += 8) {
      from = await this.#window.find(RECORD_MAGIC, from);
      if (from < 0) break;
      const at = await this.#window.at(from, RECORD_HEADER_BYTES);
      if (at < 0) break;
      const commit = readCommit(this.#window.bytes, at, { seed: head.seed, position: from });
      if (commit === undefined || commit.batchStart < this.#point.end) continue;
      const found = { ...commit, position: from };
      if (commit.batch > this.#point.nextBatch) return own ?? found;
      own ??= found;
    }
    return markEnd > this.#point.end ? own : undefined;
  }

  async #passDamage(badAt: number, next: FoundCommit): Promise<void> {
    const { visitor } = this.#input;
    const isOwn = next.batchStart === this.#point.end;
    const end = isOwn ? next.position : next.batchStart;
    const isCommit = isOwn ? next.position === badAt : end === badAt + RECORD_HEADER_BYTES;
    const lengthBytes = Math.max(RECORD_HEADER_BYTES, end - badAt);
    visitor.fault({
      kind: isCommit ? 'commit-damaged' : 'header-damaged', offset: badAt, lengthBytes,
    });
    const rescued = await this.#rescue(badAt, end);
    const after: WalkPoint = isOwn
      ? { end: end + RECORD_HEADER_BYTES, nextBatch: next.batch + 1, chain: next.chain }
      : { end, nextBatch: next.batch, chain: next.previousChain };
    this.#point = after;
    await visitor.batch([...this.#blocks, ...rescued], after);
  }

  /** Up to the mark bytes had been acknowledged, and nothing sound stands there. */
  async #reportLost(badAt: number): Promise<void> {
    const { visitor, markEnd, sizeBytes } = this.#input;
    const isCut = sizeBytes < markEnd;
    const isCommit = markEnd === badAt + RECORD_HEADER_BYTES;
    const kind = isCommit ? 'commit-damaged' : 'header-damaged';
    const lengthBytes = markEnd - badAt;
    visitor.fault({ kind: isCut ? 'volume-cut' : kind, offset: badAt, lengthBytes });
    const rescued = await this.#rescue(badAt, Math.min(markEnd, sizeBytes));
    this.#point = { ...this.#point, end: Math.min(markEnd, sizeBytes) };
    await visitor.batch([...this.#blocks, ...rescued], this.#point);
  }

  /** Whole blocks in a damaged stretch: header, checksums and all. */
  async #rescue(from: number, end: number): Promise<FoundBlock[]> {
    const found: FoundBlock[] = [];
    for (let position = from; ;) {
      position = await this.#window.find(RECORD_MAGIC, position);
      if (position < 0 || position >= end) return found;
      const block = await this.#wholeBlockAt(position);
      if (block !== undefined) found.push(block);
      position += block?.header.recordBytes ?? 8;
    }
  }

  async #wholeBlockAt(position: number): Promise<FoundBlock | undefined> {
    let at = await this.#window.at(position, RECORD_HEADER_BYTES);
    const header = at < 0 ? undefined : readBlockHeader(this.#window.bytes, at);
    if (header === undefined) return undefined;
    at = await this.#window.at(position, RECORD_HEADER_BYTES + header.payloadBytes);
    if (at < 0) return undefined;
    const begin = at + RECORD_HEADER_BYTES;
    const payload = this.#window.bytes.subarray(begin, begin + header.payloadBytes);
    return isPayloadSound(payload, header) ? { header, position } : undefined;
  }
}
