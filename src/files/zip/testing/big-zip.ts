/** A zip of many small files and one large one, as the server makes it, into a file. By itself:
 *  node src/files/zip/testing/big-zip.ts FILE [ENTRIES] [GIB], then `unzip -t FILE`. */
import { open } from 'node:fs/promises';
import { ZipPlan } from '../zip-plan.ts';
import { ZipStream } from '../zip-stream.ts';
import { addFile, addFolder, contentOfZeros } from './made-up-plans.ts';

const GIB = 1024 ** 3;
const SMALL_BYTES = 100;
/** Pieces of this size and above hold zeros alone: they become holes in the file. */
const HOLE_BYTES = 256 * 1024;

export interface BigZip {
  readonly entryCount: number;
  readonly announcedBytes: number;
  readonly writtenBytes: number;
  readonly planBytes: number;
  readonly residentBytesMax: number;
}

export async function makeBigZip(
  path: string, { entries, gib }: { entries: number; gib: number },
): Promise<BigZip> {
  const plan = new ZipPlan();
  const parent = addFolder(plan, 'big');
  addFile(plan, { name: 'large', parent, sizeBytes: Math.round(gib * GIB) });
  for (let n = 2; n < entries; n += 1) {
    addFile(plan, { name: `file-${n}`, parent, sizeBytes: SMALL_BYTES });
  }
  const zip = new ZipStream(contentOfZeros(plan));
  const file = await open(path, 'w');
  let writtenBytes = 0;
  let residentBytesMax = 0;
  try {
    for await (const piece of zip.read({ startBytes: 0, endBytes: zip.sizeBytes })) {
      if (piece.length < HOLE_BYTES) await file.write(piece, 0, piece.length, writtenBytes);
      writtenBytes += piece.length;
      residentBytesMax = Math.max(residentBytesMax, process.memoryUsage.rss());
    }
    await file.truncate(writtenBytes);
  } finally {
    await file.close();
  }
  return {
    entryCount: plan.count, announcedBytes: zip.sizeBytes, writtenBytes,
    planBytes: plan.heldBytes, residentBytesMax,
  };
}

if (import.meta.main) {
  const [path = 'big.zip', entries = '70000', gib = '5'] = process.argv.slice(2);
  const made = await makeBigZip(path, { entries: Number(entries), gib: Number(gib) });
  process.stdout.write(`${JSON.stringify(made)}\n`);
}
