/**
 * From a plan to bytes: any range of a zip, made as it goes out. In memory are two reads of one
 * file, one batch of small pieces, and the plan.
 *
 * A file's checksum stands behind it and again at the end. It is computed while the file goes out;
 * of a file that does not, because the range begins behind it, it is looked up, or else computed by
 * reading the file. That happens when the end of the zip is reached and not before, so whoever goes
 * on with a broken download gets the rest of the files at once.
 */
import { crc32 } from 'node:zlib';
import type { ByteRange } from '../download.ts';
import { centralHeader, descriptor, endRecords, localHeader } from './zip-format.ts';
import type { ZipPlan, ZipPlace } from './zip-plan.ts';

/** The content of one file. */
export interface ZipContent {
  /** As FileContent.read. */
  read(range: ByteRange, signal?: AbortSignal): AsyncIterable<Buffer>;
}

export interface ZipParts {
  readonly plan: ZipPlan;
  /** @throws not-found: it is not kept any more; corrupt; unavailable. */
  open(place: number): Promise<ZipContent>;
  /** A checksum that was computed before, if it is remembered. */
  findCrc(place: number): number | undefined;
  noteCrc(place: number, crc: number): void;
}

const BATCH_BYTES = 128 * 1024;
/** Larger pieces go out as they are. */
const SMALL_BYTES = 32 * 1024;

export class ZipStream {
  readonly #parts: ZipParts;
  readonly #crcs = new Map<number, number>();

  constructor(parts: ZipParts) {
    this.#parts = parts;
  }

  get sizeBytes(): number {
    return this.#parts.plan.sizeBytes;
  }

  /** The range of the zip, in pieces of at most READ_BYTES; each is valid until the next is asked
   *  for. @throws as ZipParts.open: nothing wrong is ever yielded. */
  async *read(range: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer> {
    yield* batched(this.#pieces(range, signal));
  }

  async *#pieces(range: ByteRange, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const { plan } = this.#parts;
    const { startBytes, endBytes } = range;
    if (startBytes < plan.directoryStartBytes) {
      for (let place = plan.placeAt(startBytes); place < plan.count; place += 1) {
        if (plan.offsetOf(place) >= endBytes) return;
        yield* this.#entry(place, range, signal);
      }
    }
    let at = plan.directoryStartBytes;
    for (let place = 0; place < plan.count && at < endBytes; place += 1) {
      const length = plan.centralBytes(place);
      if (overlaps(range, at, length)) {
        const crc = await this.#crcOf(place, signal);
        const header = centralHeader(plan.entry(place), { offsetBytes: plan.offsetOf(place), crc });
        yield clip(header, at, range);
      }
      at += length;
    }
    const endAt = plan.directoryStartBytes + plan.directoryBytes;
    if (endAt < endBytes) yield clip(endRecords(plan.end), endAt, range);
  }

  async *#entry(
    place: number, range: ByteRange, signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer> {
    const { plan } = this.#parts;
    const at = plan.place(place);
    if (overlaps(range, at.headerBytes, at.contentBytes - at.headerBytes)) {
      yield clip(localHeader(plan.entry(place)), at.headerBytes, range);
    }
    if (plan.isFolder(place)) return;
    yield* this.#content(place, at, { range, signal });
    const behind = at.endBytes - at.descriptorBytes;
    if (behind === 0 || !overlaps(range, at.descriptorBytes, behind)) return;
    const crc = await this.#crcOf(place, signal);
    yield clip(descriptor(plan.entry(place), crc), at.descriptorBytes, range);
  }

  async *#content(
    place: number, { contentBytes, descriptorBytes }: ZipPlace,
    { range, signal }: { range: ByteRange; signal: AbortSignal | undefined },
  ): AsyncGenerator<Buffer> {
    const sizeBytes = descriptorBytes - contentBytes;
    const startBytes = Math.max(0, range.startBytes - contentBytes);
    const endBytes = Math.min(sizeBytes, range.endBytes - contentBytes);
    if (startBytes >= endBytes) return;
    const isWhole = startBytes === 0 && endBytes === sizeBytes;
    const content = await this.#parts.open(place);
    let crc = 0;
    for await (const piece of content.read({ startBytes, endBytes }, signal)) {
      if (isWhole) crc = crc32(piece, crc);
      yield piece;
    }
    if (isWhole) this.#note(place, crc);
  }

  async #crcOf(place: number, signal: AbortSignal | undefined): Promise<number> {
    const { plan } = this.#parts;
    const sizeBytes = plan.sizeOf(place);
    if (sizeBytes === 0 || plan.isFolder(place)) return 0;
    const known = this.#crcs.get(place) ?? this.#parts.findCrc(place);
    if (known !== undefined) return known;
    const content = await this.#parts.open(place);
    let crc = 0;
    for await (const piece of content.read({ startBytes: 0, endBytes: sizeBytes }, signal)) {
      crc = crc32(piece, crc);
    }
    this.#note(place, crc);
    return crc;
  }

  #note(place: number, crc: number): void {
    this.#crcs.set(place, crc);
    this.#parts.noteCrc(place, crc);
  }
}

function overlaps({ startBytes, endBytes }: ByteRange, at: number, lengthBytes: number): boolean {
  return at < endBytes && at + lengthBytes > startBytes;
}

/** What of a piece that begins at `at` lies in the range. */
function clip(piece: Buffer, at: number, { startBytes, endBytes }: ByteRange): Buffer {
  return piece.subarray(
    Math.max(0, startBytes - at), Math.max(0, Math.min(piece.length, endBytes - at)),
  );
}

/** Small pieces go out together: one write for each of 70,000 small files would be far slower. */
async function* batched(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const batch = Buffer.allocUnsafe(BATCH_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    const isSmall = piece.length <= SMALL_BYTES;
    if (filled > 0 && (!isSmall || filled + piece.length > BATCH_BYTES)) {
      yield batch.subarray(0, filled);
      filled = 0;
    }
    if (isSmall) filled += piece.copy(batch, filled);
    else yield piece;
  }
  if (filled > 0) yield batch.subarray(0, filled);
}
