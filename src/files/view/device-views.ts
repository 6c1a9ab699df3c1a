/**
 * What one device sees while changes of it are held: the tree as everybody sees it, with these
 * changes made.
 *
 * A node that is held as deleted ends the walk, as if it were not there; held content takes the
 * place of the file's own, with a mark that no revision has. All folders say in their ETags how
 * often the device's view was changed by what is held, and never take that back: so the device
 * looks again after each change and after the decision, also at what then is as it was before.
 */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import { heldContentRev } from '../../metadata/index.ts';
import type { HeldRecord, NodeRecord, ReadOptions } from '../../metadata/index.ts';
import { EVERYTHING } from '../access.ts';
import type { SeenNode, Sight, Walk } from './sight.ts';
import { Views } from './views.ts';
import type { SeenEntry, SeenListOptions, SeenPages } from './views.ts';

export type HeldView = Pick<
  HeldRecord, 'id' | 'kind' | 'sizeBytes' | 'modifiedAt' | 'checksums'
>;

/** What is held of one device. */
export interface DeviceHold {
  /** Never the same for two views of the device. */
  readonly mark: string;
  readonly spaces: ReadonlyMap<SpaceId, ReadonlyMap<NodeId, HeldView>>;
}

export interface DeviceHolds {
  /** undefined: nothing was ever held of the device. Costs one look into a map. */
  of(caller: Caller): DeviceHold | undefined;
}

export class DeviceViews extends Views {
  readonly #holds: DeviceHolds;

  constructor(parts: ConstructorParameters<typeof Views>[0], holds: DeviceHolds) {
    super(parts);
    this.#holds = holds;
  }

  override walk(
    caller: Caller, path: readonly Name[], options?: ReadOptions,
  ): Promise<Walk> {
    const walk = super.walk(caller, path, options);
    if (this.#holds.of(caller) === undefined) return walk;
    return walk.then((plain) => {
      const hold = this.#holds.of(caller);
      return hold === undefined ? plain : deviceWalk(plain, hold);
    });
  }

  override async list(
    caller: Caller, folder: SeenNode, options: SeenListOptions,
  ): Promise<SeenPages> {
    const listed = await super.list(caller, folder, options);
    const hold = this.#holds.of(caller);
    return hold === undefined ? listed
      : { pages: devicePages(listed.pages, hold), isPlain: false };
  }

  override seen(
    caller: Caller, node: NodeRecord, near: SeenNode,
  ): SeenNode | Promise<SeenNode> {
    const seen = super.seen(caller, node, near);
    const hold = this.#holds.of(caller);
    if (hold === undefined) return seen;
    const ofDevice = (plain: SeenNode): SeenNode => deviceNode(plain, hold) ?? plain;
    return seen instanceof Promise ? seen.then(ofDevice) : ofDevice(seen);
  }
}

/** undefined: the device does not see it. */
function deviceNode<N extends SeenNode>(node: N, hold: DeviceHold): N | undefined {
  const held = hold.spaces.get(node.spaceId)?.get(node.id);
  if (held?.kind === 'deleted') return undefined;
  if (node.kind === 'folder') return { ...node, sight: marked(node.sight, hold.mark) };
  if (held === undefined || node.kind !== 'file') return node;
  const { sizeBytes, modifiedAt, checksums } = held;
  const rev = heldContentRev(held.id);
  return { ...node, sizeBytes, modifiedAt, checksums, mark: rev, contentRev: rev };
}

function marked(sight: Sight | undefined, mark: string): Sight {
  if (sight !== undefined) return { ...sight, mark: `${sight.mark}${mark}` };
  return {
    role: 'owner', access: EVERYTHING, isShared: false, isMountRoot: false, mark,
    owner: undefined,
  };
}

export function deviceWalk(walk: Walk, hold: DeviceHold): Walk {
  const { mount } = walk;
  const nodes: SeenNode[] = [];
  for (const [depth, node] of walk.nodes.entries()) {
    const seen = deviceNode(node, hold);
    if (seen !== undefined) {
      nodes.push(seen);
      continue;
    }
    const isBelow = mount !== undefined && depth > mount.depth;
    return {
      nodes, isHidden: false, held: node,
      mount: isBelow ? mount : undefined,
      ids: isBelow || mount === undefined
        ? walk.ids.slice(0, walk.ids.length - (walk.nodes.length - depth))
        : nodes.map(({ id }) => id),
    };
  }
  return { ...walk, nodes };
}

async function* devicePages(
  pages: AsyncIterable<readonly SeenEntry[]>, hold: DeviceHold,
): AsyncGenerator<readonly SeenEntry[]> {
  for await (const page of pages) {
    const seen: SeenEntry[] = [];
    for (const entry of page) {
      const node = deviceNode(entry, hold);
      if (node !== undefined) seen.push(node);
    }
    yield seen;
  }
}
