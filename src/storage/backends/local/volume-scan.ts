/**
 * Reads what was written to a volume and says whether its end is torn or rotten.
 *
 * A crash leaves a torn tail: the last batch, whole, in part or not at all, of which nobody was
 * told that it was safe. A decaying disk damages bytes of which somebody was told so. The two look
 * alike, and must not be mixed up: a torn tail is cut off, so that writing can go on; damage must
 * be kept, shown and never cut. What tells them apart is proof that something behind the bad place
 * was acknowledged: the mark of a witness, or a sound commit record of a later batch, since a batch
 * is written only after the one before it became durable. A commit record is keyed with the
 * volume's random seed, so no user can plant one inside the bytes of a block.
 */
import type { VolumeKey, VolumePosition } from './hint-file.ts';
import type { VolumeFinding } from './findings.ts';
import {
  countCrc, HEADER_BYTES, isHeadersSum, isPackedBlock, isPlainBlock, isRecordHeader,
  readBlockHeader, readCommit, RECORD_MAGIC, storedRecordBytes, sumHeader, TYPE_COMMIT,
  type Commit,
} from './record-codec.ts';
import type { BlockSealer } from '../../sealing/block-sealer.ts';
import { isPayloadSound } from './payload.ts';
import { salvage } from './salvage.ts';
import { ScanWindow } from './scan-window.ts';
import { nextTurn } from './turn.ts';
import type { VolumeEntries } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';

export interface ScanInput {
  file: VolumeFile;
  sizeBytes: number;
  key: VolumeKey;
  from: VolumePosition;
  /** Up to here the volume's bytes are known to have been acknowledged. */
  markEnd: number;
  /** Receives what is found, in order. */
  entries: VolumeEntries;
  /** Unpacks what is found in damaged places. Judging needs no key. */
  sealing?: BlockSealer | undefined;
}

export interface ScanResult {
  verdict: 'clean' | 'torn' | 'rotten';
  /** After the last sound commit record. */
  position: VolumePosition;
  /** The last sound batch: the only one that may never have been synced. */
  lastBatch: { start: number; end: number } | undefined;
  findings: VolumeFinding[];
  /** Ids, as hex, of lost blocks whose header still names them. */
  lostIds: string[];
  lostCount: number;
}

export async function scanVolume(input: ScanInput): Promise<ScanResult> {
  return new VolumeScan(input).run();
}

/** Only goes as far as batch follows sound batch, and judges nothing behind that. */
export async function walkVolume(input: ScanInput): Promise<ScanResult> {
  return new VolumeScan(input).runOnce();
}

/** Why a walk along the records came to an end. */
interface Stop {
  /** The first place that is not right. */
  badAt: number;
}

class VolumeScan {
  readonly #input: ScanInput;
  readonly #window: ScanWindow;
  readonly #result: ScanResult;
  /** Of the batch that is being walked: id and place, kept until its commit has been read. */
  readonly #pending: { id: Buffer; offset: number; sizeBytes: number }[] = [];

  constructor(input: ScanInput) {
    this.#input = input;
    this.#window = new ScanWindow(input.file, input.sizeBytes);
    this.#result = {
      verdict: 'clean', position: input.from, lastBatch: undefined,
      findings: [], lostIds: [], lostCount: 0,
    };
  }

  async run(): Promise<ScanResult> {
    const result = this.#result;
    // Each round either gets past one damaged place or ends the scan.
    for (;;) {
      const { badAt } = await this.#walk();
      const next = await this.#nextProof(badAt);
      if (next === undefined && this.#input.markEnd <= result.position.end) {
        if (result.verdict === 'clean') await this.#judgeTail();
        return result;
      }
      result.verdict = 'rotten';
      await this.#passDamage(badAt, next);
      if (next === undefined) return result;
    }
  }

  async runOnce(): Promise<ScanResult> {
    await this.#walk();
    return this.#result;
  }

  /** Takes batch after batch until one is not sound. */
  async #walk(): Promise<Stop> {
    for (let batches = 0; ; batches++) {
      const stop = await this.#walkBatch();
      if (stop !== undefined) return stop;
      if (batches % 64 === 63) await nextTurn();
    }
  }

  async #walkBatch(): Promise<Stop | undefined> {
    const { end: start, nextBatch: batch } = this.#result.position;
    const window = this.#window;
    this.#pending.length = 0;
    let headersSum = 0;
    for (let position = start; ; ) {
      let at = window.offsetOf(position, HEADER_BYTES);
      if (at < 0) at = await window.load(position, HEADER_BYTES);
      if (at < 0 || !isRecordHeader(window.bytes, at)) return { badAt: position };
      if (window.bytes[at + 4] === TYPE_COMMIT) {
        const commit = readCommit(window.bytes, at, this.#input.key.seed, position);
        if (commit === undefined || !this.#fits(commit, headersSum)) return { badAt: position };
        this.#accept(commit, position + HEADER_BYTES);
        return undefined;
      }
      const known = isPlainBlock(window.bytes, at) || isPackedBlock(window.bytes, at);
      if (!known) return { badAt: position };
      const header = readBlockHeader(window.bytes, at);
      const { sizeBytes, payloadBytes } = header;
      // One of another batch, written where it does not belong, is sound by itself.
      if (header.batch !== batch >>> 0) return { badAt: position };
      headersSum = sumHeader(window.bytes, at, headersSum);
      at = window.offsetOf(position, HEADER_BYTES + payloadBytes);
      if (at < 0) at = await window.load(position, HEADER_BYTES + payloadBytes);
      if (at < 0) return { badAt: position };
      const payloadAt = at + HEADER_BYTES;
      const payload = window.bytes.subarray(payloadAt, payloadAt + payloadBytes);
      if (!isPayloadSound(payload, header)) return { badAt: position };
      const id = Buffer.from(window.bytes.subarray(at + 16, at + 48));
      this.#pending.push({ id, offset: position, sizeBytes });
      position += storedRecordBytes(header);
    }
  }

  #fits(commit: Commit, headersSum: number): boolean {
    const { position } = this.#result;
    return (
      commit.batch === position.nextBatch &&
      commit.batchStart === position.end &&
      commit.recordCount === this.#pending.length &&
      commit.headersCrc === countCrc(this.#pending.length) &&
      isHeadersSum(commit, headersSum) &&
      commit.previousChain.equals(position.chain)
    );
  }

  #accept({ batch, batchStart, chain }: Commit, end: number): void {
    for (const { id, offset, sizeBytes } of this.#pending) {
      this.#input.entries.add(id, 0, { offset, sizeBytes });
    }
    this.#result.position = { end, nextBatch: batch + 1, chain };
    this.#result.lastBatch = { start: batchStart, end };
  }

  /**
   * The first sound commit record behind `badAt`, if something proves that the bad place had been
   * acknowledged. The batch's own commit proves nothing: it was written in one go with the batch.
   */
  async #nextProof(badAt: number): Promise<FoundCommit | undefined> {
    const { nextBatch } = this.#result.position;
    let own: FoundCommit | undefined;
    for await (const found of this.#commitsFrom(badAt)) {
      if (found.commit.batch > nextBatch) return own ?? found;
      if (found.commit.batch === nextBatch) own ??= found;
    }
    return this.#input.markEnd > this.#result.position.end ? own : undefined;
  }

  async *#commitsFrom(badAt: number): AsyncGenerator<FoundCommit> {
    const window = this.#window;
    const { seed } = this.#input.key;
    const { end: start } = this.#result.position;
    for (let from = badAt; ; from += 8) {
      from = await window.findAligned(RECORD_MAGIC, from, window.sizeBytes);
      if (from < 0) return;
      const commit = readCommit(window.bytes, window.offsetOf(from, HEADER_BYTES), seed, from);
      if (commit !== undefined && commit.batchStart >= start) yield { commit, position: from };
    }
  }

  /** Rescues what can be rescued of the damaged stretch and stands behind it. */
  async #passDamage(badAt: number, next: FoundCommit | undefined): Promise<void> {
    const result = this.#result;
    const start = result.position.end;
    // The commit's batch begins right here, or at least one batch before it is beyond counting.
    const own = next !== undefined && next.commit.batchStart === start;
    const end = own ? next.position : (next?.commit.batchStart ?? this.#input.sizeBytes);
    const { entries, sealing } = this.#input;
    // Before the next batch stands a commit record; damage to that alone costs no block.
    const recordsEnd = own || next === undefined ? end : end - HEADER_BYTES;
    const first = result.position.nextBatch;
    const last = next === undefined ? Infinity : own ? first : next.commit.batch - 1;
    const place = { window: this.#window, entries, start, end: recordsEnd, sealing };
    const rescued = await salvage({ ...place, batches: [first, last] });
    const missing = next === undefined && this.#input.markEnd > this.#input.sizeBytes;
    const uncounted = rescued.gapBytes > 0 || missing ? 1 : 0;
    const lost = own ? next.commit.recordCount - rescued.count : rescued.lostIds.length + uncounted;
    const lostCount = Math.max(0, lost);
    result.lostCount += lostCount;
    result.lostIds.push(...rescued.lostIds);
    const { volumeId } = this.#input.key;
    const lengthBytes = end - badAt;
    const range = { volumeId, offset: badAt, lengthBytes, lostCount };
    result.findings.push({ kind: 'damaged-range', ...range });
    for (const blockId of rescued.lostIds) {
      result.findings.push({ kind: 'damaged-block', volumeId, blockId });
    }
    if (next === undefined) return;
    const { commit, position } = next;
    result.position = own
      ? { end: position + HEADER_BYTES, nextBatch: commit.batch + 1, chain: commit.chain }
      : { end, nextBatch: commit.batch, chain: commit.previousChain };
    result.lastBatch = own ? { start, end: position + HEADER_BYTES } : undefined;
  }

  /** Nothing behind the last sound batch was acknowledged: is there anything at all? */
  async #judgeTail(): Promise<void> {
    const { position, findings } = this.#result;
    let last = position.end;
    for await (const { bytes, position: from } of this.#tail()) {
      for (let at = bytes.length - 1; at >= 0; at--) {
        if (bytes[at] === 0) continue;
        last = Math.max(last, from + at + 1);
        break;
      }
    }
    if (last === position.end) return;
    this.#result.verdict = 'torn';
    const { volumeId } = this.#input.key;
    const lengthBytes = last - position.end;
    findings.push({ kind: 'torn-tail', volumeId, offset: position.end, lengthBytes });
  }

  async *#tail(): AsyncGenerator<{ bytes: Buffer; position: number }> {
    const { sizeBytes } = this.#input;
    for (let at = this.#result.position.end; at < sizeBytes; at += this.#window.bytes.length) {
      await this.#window.load(at, 1);
      const filled = Math.min(this.#window.bytes.length, sizeBytes - at);
      if (this.#window.offsetOf(at, filled) < 0) return;
      yield { bytes: this.#window.bytes.subarray(0, filled), position: at };
    }
  }
}

interface FoundCommit {
  commit: Commit;
  position: number;
}
