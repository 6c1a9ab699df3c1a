/** Reads one volume from end to end and says everything that is wrong with it. */
import { crc32 } from 'node:zlib';
import { nextTurn } from '../budget.ts';
import { CheckCrew } from './check-crew.ts';
import type { BadPayload } from './payload-checks.ts';
import { SlabShelf } from './slab.ts';
import type { Slab } from './slab.ts';
import { CALM_PLAN, StretchWindow } from './stretch-window.ts';
import type { StretchPlan } from './stretch-window.ts';
import type { ReadableVolume } from './volume-folder.ts';
import {
  hasTailMagic, HEAD_BYTES, LISTED_BYTES, readHead, readSealHeader, readTail,
  RECORD_HEADER_BYTES, TAIL_BYTES, toEight, FANOUT_BYTES,
} from './volume-format.ts';
import type { HeadFault, VolumeHead, VolumeTail } from './volume-format.ts';
import { walkVolume } from './volume-walk.ts';
import type { FoundBlock, VolumeFault, WalkEnd, WalkPoint } from './volume-walk.ts';
import type { Pace } from './volume-window.ts';
import { PIECE_BYTES } from './volume-window.ts';

/** Where a check can go on, and what it has counted up to there. Plain data. */
export interface CheckPoint extends WalkPoint {
  blockCount: number;
  storedBytes: number;
  /** Sum of the checksums of the entries that a footer must hold: it does not ask for an order. */
  entrySum: number;
}

export interface CheckInput {
  file: ReadableVolume;
  volumeId: number;
  /** Compute the SHA-256 of each block as well. */
  hashes: boolean;
  from: CheckPoint | undefined;
  /** The volume is known to have been durable up to here. */
  markEnd: number;
  /** It had a sound footer at an earlier check. */
  wasSealed: boolean;
  pace: Pace;
  /** By whom and in what portions it is done; left out: here, in small ones. */
  means?: CheckMeans;
  /** Hears now and then up to where everything was checked and sound, so that a later check could
   *  go on from there. */
  onPoint?: (point: CheckPoint) => void;
}

export interface CheckMeans {
  plan: StretchPlan;
  crew: CheckCrew;
  shelf: SlabShelf;
}

const USUAL_MEANS: CheckMeans = {
  plan: CALM_PLAN, crew: new CheckCrew(0), shelf: new SlabShelf(CALM_PLAN.slabsMax),
};

export interface CheckResult {
  faults: VolumeFault[];
  isSealed: boolean;
  sizeBytes: number;
  /** Up to here the file was read and judged. */
  checkedEnd: number;
  point: CheckPoint | undefined;
}

const SUM_MODULUS = 2 ** 52;
/** Faults of one volume that are told one by one. */
export const FAULTS_MAX = 1_000;

export async function checkVolume(input: CheckInput): Promise<CheckResult> {
  const { file, volumeId } = input;
  const { shelf } = input.means ?? USUAL_MEANS;
  const sizeBytes = await file.size();
  const head = readHead(await shelf.readFrom(file, 0, HEAD_BYTES));
  const wrong = typeof head === 'string' ? headFault(head) : headMismatch(head, volumeId);
  if (typeof head === 'string' || wrong !== undefined) {
    const faults = wrong === undefined ? [] : [wrong];
    return { faults, isSealed: false, sizeBytes, checkedEnd: 0, point: undefined };
  }
  return new VolumeCheck(input, head, sizeBytes).run();
}

function headFault(fault: HeadFault): VolumeFault {
  const kinds = {
    cut: 'volume-cut', newer: 'format-newer', magic: 'superblock-damaged',
    checksum: 'superblock-damaged',
  } as const;
  return { kind: kinds[fault], offset: 0, lengthBytes: HEAD_BYTES };
}

function headMismatch(head: VolumeHead, volumeId: number): VolumeFault | undefined {
  if (head.volumeId === volumeId) return undefined;
  return { kind: 'superblock-damaged', offset: 0, lengthBytes: HEAD_BYTES };
}

class VolumeCheck {
  readonly #input: CheckInput;
  readonly #means: CheckMeans;
  readonly #head: VolumeHead;
  readonly #sizeBytes: number;
  readonly #faults: VolumeFault[] = [];
  /** Of payloads: they count if the walk gets beyond them. */
  readonly #payloadFaults: VolumeFault[] = [];
  readonly #entry = Buffer.alloc(LISTED_BYTES);
  #blockCount: number;
  #storedBytes: number;
  #entrySum: number;
  /** Whole records in the present stretch, and where in memory each begins. */
  #records: FoundBlock[] = [];
  #places: number[] = [];
  /** After the last batch that counts. */
  #reached: CheckPoint | undefined;
  /** Resolves when all stretches that were left have been checked. */
  #checked: Promise<void> = Promise.resolve();

  constructor(input: CheckInput, head: VolumeHead, sizeBytes: number) {
    this.#input = input;
    this.#means = input.means ?? USUAL_MEANS;
    this.#head = head;
    this.#sizeBytes = sizeBytes;
    this.#blockCount = input.from?.blockCount ?? 0;
    this.#storedBytes = input.from?.storedBytes ?? 0;
    this.#entrySum = input.from?.entrySum ?? 0;
  }

  async run(): Promise<CheckResult> {
    const { file, volumeId } = this.#input;
    const sizeBytes = this.#sizeBytes;
    const ending = await this.#means.shelf.readFrom(
      file, Math.max(0, sizeBytes - TAIL_BYTES), TAIL_BYTES,
    );
    const tail = readTail(ending, { volumeId, sizeBytes });
    const { point, isAtSeal } = await this.#walk(tail);
    const isWholeWalk = this.#faults.length === 0;
    if (tail !== undefined) await this.#checkFooter(tail, isWholeWalk ? point : undefined);
    else if (isAtSeal || this.#input.wasSealed || hasTailMagic(ending)) {
      this.#add({ kind: 'footer-damaged', offset: point.end });
    }
    return {
      faults: this.#faults, sizeBytes,
      isSealed: tail !== undefined,
      checkedEnd: tail === undefined ? point.end : sizeBytes,
      point: this.#pointAt(point),
    };
  }

  async #walk(tail: VolumeTail | undefined): Promise<WalkEnd> {
    const { file, pace, markEnd, from } = this.#input;
    const { plan, shelf } = this.#means;
    const sizeBytes = tail?.dataEnd ?? this.#sizeBytes;
    const window = new StretchWindow({
      file, sizeBytes, pace, plan, shelf, leaving: (slab) => this.#leave(slab),
    });
    try {
      const end = await walkVolume({
        file, head: this.#head, from, pace, sizeBytes, window,
        markEnd: Math.max(markEnd, tail?.dataEnd ?? 0),
        visitor: {
          record: (block, at) => {
            this.#records.push(block);
            this.#places.push(at);
          },
          batch: (blocks, at) => this.#take(blocks, at),
          fault: (fault) => this.#add(fault),
        },
      });
      await window.finish();
      // What lies behind the end was never acknowledged.
      for (const fault of this.#payloadFaults) {
        if (fault.offset < end.point.end) this.#add(fault);
      }
      this.#faults.sort((a, b) => a.offset - b.offset);
      return end;
    } finally {
      await window.close();
    }
  }

  #add(fault: VolumeFault): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(fault);
  }

  /** Resolves when everything in the slab has been checked, and in all that were left before. */
  #leave({ memory }: Slab): Promise<void> {
    const [records, places] = [this.#records, this.#places];
    this.#records = [];
    this.#places = [];
    const sizeBytes = records.reduce((sum, { header }) => sum + header.recordBytes, 0);
    const task = { memory, places: Uint32Array.from(places), hashes: this.#input.hashes };
    const answer = records.length === 0 ? [] : this.#means.crew.check(task, sizeBytes);
    const reached = this.#reached;
    const before = this.#checked;
    this.#checked = (async () => {
      const bad = await answer;
      await before;
      this.#note(records, bad);
      // A check that goes on behind damage would not tell of it again.
      const isSound = this.#payloadFaults.length + this.#faults.length === 0;
      if (isSound && reached !== undefined) this.#input.onPoint?.(reached);
    })();
    return this.#checked;
  }

  #note(records: readonly FoundBlock[], bad: readonly BadPayload[]): void {
    for (const { index, kind } of bad) {
      const found = records[index];
      if (found === undefined || this.#payloadFaults.length >= FAULTS_MAX) continue;
      const { header: { id, recordBytes }, position } = found;
      this.#payloadFaults.push({ kind, offset: position, lengthBytes: recordBytes, blockId: id });
    }
  }

  #take(blocks: readonly FoundBlock[], at: WalkPoint): void {
    for (const { header, position } of blocks) {
      this.#blockCount++;
      this.#storedBytes += header.blockBytes;
      this.#entrySum = (this.#entrySum + this.#entryCrc(header.id, position, header.blockBytes))
        % SUM_MODULUS;
    }
    this.#reached = this.#pointAt(at);
  }

  #entryCrc(id: string, position: number, sizeBytes: number): number {
    const entry = this.#entry;
    entry.write(id, 0, 32, 'hex');
    entry.writeUInt32LE(position % 2 ** 32, 32);
    entry.writeUInt32LE(Math.floor(position / 2 ** 32), 36);
    entry.writeUInt32LE(sizeBytes, 40);
    entry.writeUInt32LE(sizeBytes, 44);
    return crc32(entry);
  }

  #pointAt(at: WalkPoint): CheckPoint {
    return {
      ...at, blockCount: this.#blockCount, storedBytes: this.#storedBytes,
      entrySum: this.#entrySum,
    };
  }

  /** `walked` is undefined when damage kept the records from being counted. */
  async #checkFooter(tail: VolumeTail, walked: WalkPoint | undefined): Promise<void> {
    const listed = await this.#readBody(tail);
    if (listed === undefined) {
      this.#add({ kind: 'footer-damaged', offset: tail.dataEnd });
      return;
    }
    if (walked === undefined) return;
    const isSame = walked.end === tail.dataEnd && walked.chain === tail.chain
      && tail.entryCount === this.#blockCount && tail.storedBytes === this.#storedBytes
      && listed.entrySum === this.#entrySum;
    if (!isSame) this.#add({ kind: 'footer-differs', offset: tail.dataEnd });
  }

  /** Undefined when the seal record, the body or its order is not as it must be. */
  async #readBody(tail: VolumeTail): Promise<{ entrySum: number } | undefined> {
    const { file } = this.#input;
    const { shelf } = this.#means;
    const sealBytes = await shelf.readFrom(file, tail.dataEnd, RECORD_HEADER_BYTES);
    const seal = sealBytes.length < RECORD_HEADER_BYTES ? undefined : readSealHeader(sealBytes, 0);
    const isAnnounced = seal?.bodyBytes === tail.bodyBytes && seal.bodyCrc === tail.bodyCrc;
    if (!isAnnounced) return undefined;
    const body = new FooterBody(tail.entryCount);
    // A multiple of an entry's length, so that no entry lies across two pieces.
    const pieceBytes = PIECE_BYTES - (PIECE_BYTES % LISTED_BYTES);
    const paddedBytes = toEight(tail.bodyBytes);
    for (let at = 0; at < paddedBytes; at += pieceBytes) {
      const lengthBytes = Math.min(pieceBytes, paddedBytes - at);
      await this.#input.pace.budget?.take(lengthBytes, this.#input.pace.signal);
      const piece = await shelf.readFrom(file, tail.bodyAt + at, lengthBytes);
      if (piece.length < lengthBytes) return undefined;
      body.take(piece.subarray(0, Math.min(lengthBytes, tail.bodyBytes - at)), at);
      await nextTurn();
    }
    return body.crc === tail.bodyCrc && body.isOrdered() ? body : undefined;
  }
}

/** Takes a footer's body piece by piece. */
class FooterBody {
  crc = 0;
  entrySum = 0;
  readonly #entriesEnd: number;
  readonly #counts = new Uint32Array(256);
  readonly #fanout = Buffer.alloc(FANOUT_BYTES);
  #last = '';
  #isAscending = true;

  constructor(entryCount: number) {
    this.#entriesEnd = entryCount * LISTED_BYTES;
  }

  take(piece: Buffer, position: number): void {
    this.crc = crc32(piece, this.crc);
    let at = 0;
    for (; at < piece.length && position + at < this.#entriesEnd; at += LISTED_BYTES) {
      const entry = piece.subarray(at, at + LISTED_BYTES);
      this.entrySum = (this.entrySum + crc32(entry)) % SUM_MODULUS;
      const first = entry[0] ?? 0;
      this.#counts[first] = (this.#counts[first] ?? 0) + 1;
      const id = entry.toString('latin1', 0, 32);
      if (id <= this.#last) this.#isAscending = false;
      this.#last = id;
    }
    piece.copy(this.#fanout, Math.max(0, position + at - this.#entriesEnd), at);
  }

  /** Ids ascend, and the fan-out counts them rightly. */
  isOrdered(): boolean {
    let sum = 0;
    const isRight = this.#counts.every((count, first) => {
      sum += count;
      return this.#fanout.readUInt32LE(first * 4) === sum;
    });
    return isRight && this.#isAscending;
  }
}
