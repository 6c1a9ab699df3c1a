/**
 * The bytes of a zip around the contents: APPNOTE.TXT of PKWARE, version 6.3.10. Everything is
 * stored, nothing compressed, and the checksum of a file follows it (bit 3), so that the length is
 * known before a byte of any file was read. Sizes and offsets take 64 bits where 32 do not do.
 */
export interface ZipEntry {
  /** UTF-8, with slashes; of a folder ending in one. */
  readonly path: Buffer;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  /** Milliseconds since 1970 UTC. */
  readonly modifiedAt: number;
}

/** Sizes and offsets from here on do not fit in 32 bits: this very value says so. */
const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;
const MAX_SIGNED_32 = 0x7fff_ffff;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const TIMES_BYTES = 9;
const LOCAL_64_BYTES = 20;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_BYTES = 20;

const VERSION = 45;
const MADE_BY_UNIX = 3 << 8;
/** Names are UTF-8. */
const UTF8 = 1 << 11;
/** The checksum follows the content. */
const CHECKSUM_BEHIND = 1 << 3;
const FILE_MODE = 0o100644;
const FOLDER_MODE = 0o040755;
const DOS_FOLDER = 0x10;

type Sized = Pick<ZipEntry, 'isFolder' | 'sizeBytes'>;
type Measured = Sized & { readonly pathBytes: number };

function isLarge({ sizeBytes }: Sized): boolean {
  return sizeBytes >= MAX_32;
}

export function localHeaderBytes(entry: Measured): number {
  return LOCAL_BYTES + entry.pathBytes + TIMES_BYTES + (isLarge(entry) ? LOCAL_64_BYTES : 0);
}

/** What follows the content; nothing where there is none. */
export function descriptorBytes(entry: Sized): number {
  return entry.isFolder || entry.sizeBytes === 0 ? 0 : isLarge(entry) ? 24 : 16;
}

export function centralHeaderBytes(entry: Measured, offsetBytes: number): number {
  return CENTRAL_BYTES + entry.pathBytes + TIMES_BYTES + central64Bytes(entry, offsetBytes);
}

function central64Bytes(entry: Sized, offsetBytes: number): number {
  const values = (isLarge(entry) ? 2 : 0) + (offsetBytes >= MAX_32 ? 1 : 0);
  return values === 0 ? 0 : 4 + values * 8;
}

export function localHeader(entry: ZipEntry): Buffer {
  const { path } = entry;
  const out = Buffer.alloc(localHeaderBytes({ ...entry, pathBytes: path.length }));
  out.writeUInt32LE(0x04034b50, 0);
  writeCommon(out, 4, entry);
  const size32 = isLarge(entry) ? MAX_32 : 0; // The true sizes follow the content.
  out.writeUInt32LE(size32, 18);
  out.writeUInt32LE(size32, 22);
  out.writeUInt16LE(path.length, 26);
  out.writeUInt16LE(out.length - LOCAL_BYTES - path.length, 28);
  path.copy(out, LOCAL_BYTES);
  const at = writeTimes(out, LOCAL_BYTES + path.length, entry);
  if (isLarge(entry)) {
    out.writeUInt16LE(1, at);
    out.writeUInt16LE(LOCAL_64_BYTES - 4, at + 2);
  }
  return out;
}

/** Of a file with content. */
export function descriptor(entry: ZipEntry, crc: number): Buffer {
  const out = Buffer.alloc(descriptorBytes(entry));
  out.writeUInt32LE(0x08074b50, 0);
  out.writeUInt32LE(crc, 4);
  if (isLarge(entry)) {
    out.writeBigUInt64LE(BigInt(entry.sizeBytes), 8);
    out.writeBigUInt64LE(BigInt(entry.sizeBytes), 16);
  } else {
    out.writeUInt32LE(entry.sizeBytes, 8);
    out.writeUInt32LE(entry.sizeBytes, 12);
  }
  return out;
}

export function centralHeader(
  entry: ZipEntry, { offsetBytes, crc }: { offsetBytes: number; crc: number },
): Buffer {
  const { path, sizeBytes, isFolder } = entry;
  const out = Buffer.alloc(centralHeaderBytes({ ...entry, pathBytes: path.length }, offsetBytes));
  out.writeUInt32LE(0x02014b50, 0);
  out.writeUInt16LE(MADE_BY_UNIX | VERSION, 4);
  writeCommon(out, 6, entry);
  out.writeUInt32LE(crc, 16);
  const size32 = Math.min(sizeBytes, MAX_32);
  out.writeUInt32LE(size32, 20);
  out.writeUInt32LE(size32, 24);
  out.writeUInt16LE(path.length, 28);
  out.writeUInt16LE(out.length - CENTRAL_BYTES - path.length, 30);
  const mode = isFolder ? FOLDER_MODE : FILE_MODE;
  out.writeUInt32LE(mode * 0x1_0000 + (isFolder ? DOS_FOLDER : 0), 38);
  out.writeUInt32LE(Math.min(offsetBytes, MAX_32), 42);
  path.copy(out, CENTRAL_BYTES);
  const at = writeTimes(out, CENTRAL_BYTES + path.length, entry);
  writeCentral64(out, at, { entry, offsetBytes });
  return out;
}

function writeCentral64(
  out: Buffer, start: number, { entry, offsetBytes }: { entry: ZipEntry; offsetBytes: number },
): void {
  const length = central64Bytes(entry, offsetBytes);
  if (length === 0) return;
  let at = start;
  out.writeUInt16LE(1, at);
  out.writeUInt16LE(length - 4, at + 2);
  at += 4;
  const size = BigInt(entry.sizeBytes);
  const values = [
    ...(isLarge(entry) ? [size, size] : []),
    ...(offsetBytes >= MAX_32 ? [BigInt(offsetBytes)] : []),
  ];
  for (const value of values) at = out.writeBigUInt64LE(value, at);
}

export interface ZipEnd {
  readonly entryCount: number;
  /** Where the central directory begins, and how long it is. */
  readonly startBytes: number;
  readonly lengthBytes: number;
}

function needs64({ entryCount, startBytes, lengthBytes }: ZipEnd): boolean {
  return entryCount >= MAX_16 || startBytes >= MAX_32 || lengthBytes >= MAX_32;
}

export function endBytes(end: ZipEnd): number {
  return END_BYTES + (needs64(end) ? END_64_BYTES + LOCATOR_BYTES : 0);
}

export function endRecords(end: ZipEnd): Buffer {
  const { entryCount, startBytes, lengthBytes } = end;
  const out = Buffer.alloc(endBytes(end));
  let at = 0;
  if (needs64(end)) {
    out.writeUInt32LE(0x06064b50, 0);
    out.writeBigUInt64LE(BigInt(END_64_BYTES - 12), 4);
    out.writeUInt16LE(MADE_BY_UNIX | VERSION, 12);
    out.writeUInt16LE(VERSION, 14);
    out.writeBigUInt64LE(BigInt(entryCount), 24);
    out.writeBigUInt64LE(BigInt(entryCount), 32);
    out.writeBigUInt64LE(BigInt(lengthBytes), 40);
    out.writeBigUInt64LE(BigInt(startBytes), 48);
    out.writeUInt32LE(0x07064b50, END_64_BYTES);
    out.writeBigUInt64LE(BigInt(startBytes + lengthBytes), END_64_BYTES + 8);
    out.writeUInt32LE(1, END_64_BYTES + 16);
    at = END_64_BYTES + LOCATOR_BYTES;
  }
  out.writeUInt32LE(0x06054b50, at);
  out.writeUInt16LE(Math.min(entryCount, MAX_16), at + 8);
  out.writeUInt16LE(Math.min(entryCount, MAX_16), at + 10);
  out.writeUInt32LE(Math.min(lengthBytes, MAX_32), at + 12);
  out.writeUInt32LE(Math.min(startBytes, MAX_32), at + 16);
  return out;
}

/** Version, flags, method 0 (stored), and the time in DOS' own way. */
function writeCommon(out: Buffer, at: number, entry: ZipEntry): void {
  out.writeUInt16LE(VERSION, at);
  out.writeUInt16LE(UTF8 | (descriptorBytes(entry) > 0 ? CHECKSUM_BEHIND : 0), at + 2);
  const { time, date } = dosTime(entry.modifiedAt);
  out.writeUInt16LE(time, at + 6);
  out.writeUInt16LE(date, at + 8);
}

/** DOS knows no time zone: programs that know better read the field that `writeTimes` writes. */
function dosTime(modifiedAt: number): { time: number; date: number } {
  const when = new Date(modifiedAt);
  const year = when.getUTCFullYear() - 1980;
  if (!(year >= 0)) return { time: 0, date: (1 << 5) | 1 };
  if (year > 127) return { time: 0xbf7d, date: 0xff9f };
  return {
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
    date: (year << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
  };
}

/** The extra field `UT` of Info-ZIP: the time of change in seconds since 1970 UTC. */
function writeTimes(out: Buffer, at: number, { modifiedAt }: ZipEntry): number {
  const seconds = Math.floor(modifiedAt / 1000);
  out.writeUInt16LE(0x5455, at);
  out.writeUInt16LE(TIMES_BYTES - 4, at + 2);
  out.writeUInt8(1, at + 4);
  return out.writeInt32LE(Math.max(-MAX_SIGNED_32, Math.min(MAX_SIGNED_32, seconds)), at + 5);
}
