/**
 * Small files that say something about volumes: one line with kind, version and checksum, then
 * JSON. docs/formats/copies.md.
 */
import { crc32 } from '../backends/local/checksum.ts';
import { errorCode, type VolumeFile, type VolumeFiles } from '../backends/local/volume-files.ts';

/** Far above what such a file needs; a bigger one is not ours. */
const CHECKED_BYTES_MAX = 4 * 1024 ** 2;

export function encodeChecked(kind: string, version: number, value: unknown): Buffer {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  const sum = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`holdfast ${kind} ${version} ${sum}\n`), body]);
}

export type Checked =
  | { readonly sound: true; readonly value: unknown }
  | { readonly sound: false; readonly fault: 'damaged' | 'newer' };

export function decodeChecked(kind: string, version: number, bytes: Buffer): Checked {
  const end = bytes.indexOf(10);
  const line = bytes.toString('latin1', 0, Math.max(0, Math.min(end, 200)));
  const head = /^holdfast ([a-z-]+) (\d{1,6}) ([0-9a-f]{8})$/.exec(line);
  if (head?.[1] !== kind) return { sound: false, fault: 'damaged' };
  const body = bytes.subarray(end + 1);
  const sum = crc32(body).toString(16).padStart(8, '0');
  if (sum !== head[3]) return { sound: false, fault: 'damaged' };
  if (Number(head[2]) !== version) return { sound: false, fault: 'newer' };
  try {
    return { sound: true, value: JSON.parse(body.toString()) as unknown };
  } catch {
    return { sound: false, fault: 'damaged' }; // The checksum is right: it was written like this.
  }
}

/** Undefined when there is no such file. */
export async function readSmall(
  files: {
    open(name: string, how: 'read'): Promise<Pick<VolumeFile, 'size' | 'read' | 'close'>>;
  },
  name: string,
): Promise<Buffer | undefined> {
  let file;
  try {
    file = await files.open(name, 'read');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const sizeBytes = await file.size();
    if (sizeBytes > CHECKED_BYTES_MAX) return Buffer.alloc(0);
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

/** Once resolved, the file has the new bytes, also after a power cut; before, the old or these. */
export async function replaceSmall(
  files: VolumeFiles,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const draft = `${name}.new`;
  await removeIfThere(files, draft);
  const file = await files.open(draft, 'create');
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(draft, name);
  await files.syncFolder();
}

export async function removeIfThere(files: VolumeFiles, name: string): Promise<void> {
  try {
    await files.remove(name);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
