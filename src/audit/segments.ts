/** The files of one tenant's audit log, in order: `00000000000000000001.log` and so on, named after
 *  the number of their first entry. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A new segment is begun above this. */
export const SEGMENT_BYTES_MAX = 64 * 1024 ** 2;
const NAME = /^(\d{20})\.log$/;
const DIGITS = 20;

export interface Segment {
  path: string;
  first: number;
}

export function segmentName(first: number): string {
  return `${String(first).padStart(DIGITS, '0')}.log`;
}

/** Ascending; none when the folder is not there. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => NAME.test(name)).sort()
    .map((name) => ({ path: join(folder, name), first: Number(NAME.exec(name)?.[1]) }));
}
