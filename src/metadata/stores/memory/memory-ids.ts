import type { GrantId, NodeId, SpaceId, TenantId } from '../../../base/ids.ts';
import { firstIdOf } from '../../shard-number.ts';
import type { ShardFigures } from '../../shards/shard-store.ts';
import type { MemorySpace } from './memory-space.ts';

/** The ids that a shard in memory gives out. */
export class MemoryIds {
  readonly first: number;
  #nodeId: number;
  #spaceId: number;
  lastGrantId: number;

  constructor(shard: number) {
    this.first = firstIdOf(shard);
    this.#nodeId = this.first - 1;
    this.#spaceId = this.first - 1;
    this.lastGrantId = this.first - 1;
  }

  readonly takeNodeId = (): NodeId => {
    this.#nodeId += 1;
    return this.#nodeId as NodeId;
  };

  readonly takeSpaceId = (): SpaceId => {
    this.#spaceId += 1;
    return this.#spaceId as SpaceId;
  };

  readonly takeGrantId = (): GrantId => {
    this.lastGrantId += 1;
    return this.lastGrantId as GrantId;
  };

  next(): Readonly<Record<string, number>> {
    return {
      next_node_id: this.#nodeId + 1, next_space_id: this.#spaceId + 1,
      next_grant_id: this.lastGrantId + 1,
    };
  }
}

const NODE_BYTES = 500;

/** Nodes stand for the room that they would take. */
export function figuresOf(
  spaces: Iterable<MemorySpace>, known: readonly TenantId[], ids: MemoryIds,
): ShardFigures {
  const counts = new Map<TenantId, number>(known.map((tenant) => [tenant, 0]));
  let nodeCount = 0;
  for (const { nodes, record: { tenant } } of spaces) {
    nodeCount += nodes.size;
    counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  }
  const tenants = [...counts].map(([tenant, spaceCount]) => ({ tenant, spaceCount }))
    .toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
  return { sizeBytes: nodeCount * NODE_BYTES, tenants, schema: 0, nextIds: ids.next(), unsafe: [] };
}
