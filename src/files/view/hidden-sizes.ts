/**
 * Sizes of folders as one caller sees them. A folder's size is the sum of all that is below it;
 * where something below is hidden from the caller, its size would tell of it, so it is taken off.
 */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { MetadataStore, NodeRecord } from '../../metadata/index.ts';
import { isVisible } from '../access.ts';
import type { Ground, GrantTable } from './ground.ts';

export class HiddenSizes {
  /** By folder. */
  readonly #hiddenBytes: ReadonlyMap<NodeId, number>;

  private constructor(hiddenBytes: ReadonlyMap<NodeId, number>) {
    this.#hiddenBytes = hiddenBytes;
  }

  /** Costs nothing where nobody is shut out of anything; else one look-up for each place that is
   *  closed to the caller. */
  static async of(
    metadata: Pick<MetadataStore, 'findChain'>, spaceId: SpaceId,
    { ground, table }: { ground: Ground; table: GrantTable },
  ): Promise<HiddenSizes> {
    const closed = new Set<NodeId>();
    if (!ground.isOwner) {
      for (const id of table.closing()) if (!isVisible(ground.step('owner', id))) closed.add(id);
    }
    const hiddenBytes = new Map<NodeId, number>();
    for (const id of closed) {
      const chain = await metadata.findChain(spaceId, id);
      const node = chain?.at(-1);
      const above = chain?.slice(0, -1) ?? [];
      if (node === undefined || above.some((folder) => closed.has(folder.id))) continue;
      for (const folder of above) {
        hiddenBytes.set(folder.id, (hiddenBytes.get(folder.id) ?? 0) + node.sizeBytes);
      }
    }
    return new HiddenSizes(hiddenBytes);
  }

  /** The node with the size that the caller may know. The look at it and that at what is hidden may
   *  be of two moments, so it may lag behind for a moment. */
  shown<N extends NodeRecord>(node: N): N {
    const hiddenBytes = this.#hiddenBytes.get(node.id);
    if (hiddenBytes === undefined) return node;
    return { ...node, sizeBytes: Math.max(0, node.sizeBytes - hiddenBytes) };
  }
}
