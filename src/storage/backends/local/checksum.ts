/**
 * CRC-32 (IEEE 802.3, reflected, as in zlib), the checksum of records on disk.
 *
 * The native package is about four times as fast as node:zlib on big blocks. It is taken only if it
 * gives the same answers, so a machine without it, or with a broken one, still reads every volume.
 */
import { createRequire } from 'node:module';
import { crc32 as zlibCrc32 } from 'node:zlib';

type Crc32 = (bytes: Uint8Array, before?: number) => number;

function fastestCrc32(): Crc32 {
  const portable: Crc32 = (bytes, before) => zlibCrc32(bytes, before);
  try {
    const load = createRequire(import.meta.url);
    const { crc32: native } = load('@node-rs/crc32') as { crc32: Crc32 };
    const sample = new Uint8Array(1021).map((_, at) => (at * 31 + 7) & 255);
    const same = [0, 1, 60, 1021].every((length) => {
      const part = sample.subarray(0, length);
      return native(part) === portable(part) && native(part, 0x1234) === portable(part, 0x1234);
    });
    return same ? native : portable;
  } catch {
    return portable; // The package has no build for this machine: slower, and as right.
  }
}

/** CRC-32 of `bytes`, going on from `before`, the CRC-32 of what came ahead of them. */
export const crc32: Crc32 = fastestCrc32();

const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** The same for a few bytes inside a buffer, where a native call costs more than the work. */
export function crc32Within(bytes: Uint8Array, start: number, end: number, before = 0): number {
  let value = ~before;
  for (let at = start; at < end; at++) {
    value = (TABLE[(value ^ (bytes[at] as number)) & 255] as number) ^ (value >>> 8);
  }
  return ~value >>> 0;
}
