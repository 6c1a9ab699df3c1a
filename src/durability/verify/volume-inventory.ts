/** What the volumes of some disks hold, for the reconciler. */
import type { ManifestSource } from './manifest-source.ts';
import type { Inventory } from './reconciler.ts';
import { blockReader, listBlocksOf, listVolumes } from './volume/volume-catalog.ts';
import type { BlockSource } from './volume/volume-catalog.ts';

export function volumeInventory(
  blocks: BlockSource & { readonly source: Pick<ManifestSource, 'marks'> },
): Inventory {
  const { disks, source } = blocks;
  return {
    each: async (range, pace, take) => {
      for (const volume of await listVolumes(disks())) {
        await listBlocksOf(volume, { range, pace, marks: await source.marks(), take });
      }
    },
    eachElsewhere: async (range, pace, take) => {
      for (const volume of await listVolumes(disks())) {
        for (const disk of volume.disks.slice(1)) {
          const copy = { ...volume, disks: [disk] };
          await listBlocksOf(copy, { range, pace, marks: await source.marks(), take });
        }
      }
    },
    fits: (blockBytes, storedBytes) => blockBytes === storedBytes,
    readBlock: (pace) => blockReader(blocks, pace),
  };
}
