/**
 * Where receivers keep what is shared with them. A mount names its target by id, and ids are new in
 * another space: without this everything shared would appear again in the receivers' roots, under
 * its own name, and what they had declined would come back.
 */
import { isKind } from '../../base/errors.ts';
import type { NodeId, SpaceId, TenantId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import { SPACES_LIMIT_MAX } from '../../metadata/index.ts';
import type {
  Actor, GrantRecord, MetadataStore, MountRecord, SpaceRecord,
} from '../../metadata/index.ts';

export interface ReceivedPlace {
  readonly space: SpaceRecord;
  /** Of the space that is left. */
  readonly targetId: NodeId;
  /** undefined: declined. */
  readonly mount: MountRecord | undefined;
}

/** All places at which one of the shown grants is seen or declined. Looks at every personal space
 *  but that of the giver and of the taker. */
export async function findPlaces(
  metadata: MetadataStore, grants: readonly GrantRecord[],
  { from, to, near }: { from: SpaceId; to: SpaceId; near: TenantId },
): Promise<ReceivedPlace[]> {
  const shown = new Set(grants.filter(({ isShown }) => isShown).map(({ nodeId }) => nodeId));
  const places: ReceivedPlace[] = [];
  if (shown.size === 0) return places;
  for (let after: SpaceId | undefined; ;) {
    const page = await metadata.listSpaces(SPACES_LIMIT_MAX, after, near);
    for (const space of page) {
      if (space.kind !== 'personal' || space.id === from || space.id === to) continue;
      const { mounts, declined } = await metadata.listMounts(space.id);
      const isOurs = (target: { spaceId: SpaceId; nodeId: NodeId }): boolean =>
        target.spaceId === from && shown.has(target.nodeId);
      for (const mount of mounts) {
        if (isOurs(mount.target)) places.push({ space, targetId: mount.target.nodeId, mount });
      }
      for (const target of declined) {
        if (isOurs(target)) places.push({ space, targetId: target.nodeId, mount: undefined });
      }
    }
    after = page.at(-1)?.id;
    if (after === undefined || page.length < SPACES_LIMIT_MAX) return places;
  }
}

/** Lets a target be seen where the old one was. Answers false where the receiver has changed its
 *  own folders meanwhile: there it appears in the root. */
export async function keepPlace(
  metadata: MetadataStore, { space, mount }: ReceivedPlace,
  { target, actor }: { target: { spaceId: SpaceId; nodeId: NodeId }; actor: () => Actor },
): Promise<boolean> {
  const { id: spaceId, rootId } = space;
  if (mount !== undefined) {
    await calmly(metadata.commit({
      op: 'unmount', spaceId, nodeId: mount.nodeId, isDeclined: false, actor: actor(),
    }));
  }
  const parentId = mount?.parentId ?? rootId;
  const name = parseName(mount?.name ?? 'declined');
  const made = await calmly(metadata.commit({
    op: 'mount', spaceId, parentId, name, target, actor: actor(),
  }));
  if (made?.node === undefined) return false;
  const nodeId = made.node.id;
  if (mount === undefined) {
    await calmly(metadata.commit({
      op: 'unmount', spaceId, nodeId, isDeclined: true, actor: actor(),
    }));
    return true;
  }
  if (made.node.parentId === parentId && made.node.name === mount.name) return true;
  // A request of the receiver's came first, and has made one in the root.
  const moved = await calmly(metadata.commit({
    op: 'move', spaceId, nodeId, toParentId: parentId, toName: name, replace: false,
    actor: actor(),
  }));
  return moved !== undefined;
}

const CALM_KINDS = ['not-found', 'conflict', 'denied', 'precondition', 'locked'] as const;

/** undefined: what it was about is not there, or not free, any more. */
async function calmly<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (CALM_KINDS.some((kind) => isKind(error, kind))) return undefined;
    throw error;
  }
}
