/** What an object store holds, for the reconciler. */
import type { Inventory } from '../reconciler.ts';
import { canBeOf } from './object-format.ts';
import { justBefore, objectReader } from './stored-objects.ts';
import type { ObjectSource } from './stored-objects.ts';

export function objectInventory(from: ObjectSource): Inventory {
  const { objects } = from;
  return {
    each: async ({ from: first, to }, pace, take) => {
      for await (const page of objects.list(justBefore(first), pace.signal)) {
        await pace.budget?.take(page.length, pace.signal);
        for (const { id, sizeBytes } of page) {
          if (to !== undefined && id >= to) return;
          if (id >= first) take({ id, sizeBytes, volumeId: 0 });
        }
      }
    },
    eachElsewhere: () => Promise.resolve(), // A listing leaves nothing out.
    fits: (blockBytes, storedBytes) => canBeOf(blockBytes, storedBytes, objects.maySeal),
    readBlock: (pace) => objectReader(from, pace),
  };
}
