/** Reads manifests as docs/formats/manifest.md has them, without the code that writes them. */

const HEADER_BYTES = 16;
const ENTRY_BYTES = 36;
const BLOCK_BYTES_MAX = 4 * 1024 * 1024;

export interface ManifestEntry {
  /** Lower-case hex. */
  id: string;
  sizeBytes: number;
}

export interface ReadManifest {
  sizeBytes: number;
  /** The blocks hold the entries of the content's blocks instead of the content. */
  isIndirect: boolean;
  blocks: ManifestEntry[];
}

/** Undefined when the bytes are no manifest of a known version, or contradict themselves. */
export function readManifest(raw: Uint8Array): ReadManifest | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < HEADER_BYTES || bytes[0] !== 1 || bytes[1] !== 1) return undefined;
  const flags = bytes[2] ?? 0;
  if (flags > 1 || bytes[3] !== 0) return undefined;
  const sizeBytes = Number(bytes.readBigUInt64LE(8));
  const blocks = readManifestEntries(bytes.subarray(HEADER_BYTES));
  if (blocks?.length !== bytes.readUInt32LE(4)) return undefined;
  const isIndirect = flags === 1;
  const sum = blocks.reduce((total, block) => total + block.sizeBytes, 0);
  return isIndirect || sum === sizeBytes ? { sizeBytes, isIndirect, blocks } : undefined;
}

/** Entries one after the other; undefined when that is not what the bytes are. */
export function readManifestEntries(bytes: Buffer): ManifestEntry[] | undefined {
  if (bytes.length % ENTRY_BYTES !== 0) return undefined;
  const entries: ManifestEntry[] = [];
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const sizeBytes = bytes.readUInt32LE(at + 32);
    if (sizeBytes < 1 || sizeBytes > BLOCK_BYTES_MAX) return undefined;
    entries.push({ id: bytes.toString('hex', at, at + 32), sizeBytes });
  }
  return entries;
}
