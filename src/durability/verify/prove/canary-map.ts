/** Where everything lies in the volumes of a canary: what faults are planted by. */
import type { VolumeFolder } from '../volume/volume-folder.ts';
import { readAt, withVolume } from '../volume/volume-folder.ts';
import {
  HEAD_BYTES, readHead, readTail, RECORD_HEADER_BYTES, TAIL_BYTES,
} from '../volume/volume-format.ts';
import type { VolumeHead, VolumeTail } from '../volume/volume-format.ts';
import { walkVolume } from '../volume/volume-walk.ts';
import type { FoundBlock } from '../volume/volume-walk.ts';

export interface MappedBatch {
  records: FoundBlock[];
  commitAt: number;
}

export interface MappedVolume {
  name: string;
  head: VolumeHead;
  sizeBytes: number;
  batches: MappedBatch[];
  tail: VolumeTail | undefined;
}

export async function mapVolume(files: VolumeFolder, name: string): Promise<MappedVolume> {
  return withVolume(files, name, async (file) => {
    const sizeBytes = await file.size();
    const head = readHead(await readAt(file, 0, HEAD_BYTES));
    if (typeof head === 'string') throw new Error('a volume of the canary is damaged');
    const ending = await readAt(file, sizeBytes - TAIL_BYTES, TAIL_BYTES);
    const tail = readTail(ending, { volumeId: head.volumeId, sizeBytes });
    const batches: MappedBatch[] = [];
    await walkVolume({
      file, head, from: undefined, markEnd: 0,
      sizeBytes: tail?.dataEnd ?? sizeBytes,
      pace: { budget: undefined, signal: new AbortController().signal },
      visitor: {
        fault: () => {
          throw new Error('a volume of the canary is damaged');
        },
        batch: (records, { end }) => {
          batches.push({ records: [...records], commitAt: end - RECORD_HEADER_BYTES });
        },
      },
    });
    return { name, head, sizeBytes, batches, tail };
  });
}

/** The record of a block, in the first of the volumes that has it. */
export function recordOf(
  volumes: readonly MappedVolume[], id: string | undefined,
): FoundBlock & { volume: MappedVolume; batch: MappedBatch } {
  for (const volume of volumes) {
    for (const batch of volume.batches) {
      const record = batch.records.find(({ header }) => header.id === id);
      if (record !== undefined) return { ...record, volume, batch };
    }
  }
  throw new Error('the canary lacks a block');
}
