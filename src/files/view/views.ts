/**
 * A view is the tree that one caller sees: the caller's personal space, with what others share
 * mounted in it; for whoever comes by a link, what the link leads to and nothing else.
 *
 * A path is walked in the personal space as far as it goes; where it meets a mount it goes on in
 * the space that the mount leads to. What the caller must not see is not there: the walk ends
 * before it.
 */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import { weakerRole } from '../../base/roles.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  FolderEntry, GrantRecord, Instant, ListOptions, MetadataStore, MountRecord, MountTarget,
  NodeRecord, ReadOptions,
} from '../../metadata/index.ts';
import { accessOfRole, EVERYTHING, isInForce, isVisible } from '../access.ts';
import type { Access } from '../access.ts';
import type { KnownSpace, SpaceDirectory } from '../space-directory.ts';
import type { Ground, GrantTable } from './ground.ts';
import type { HiddenSizes } from './hidden-sizes.ts';
import { accessOfLink, isLinkCaller } from './link-caller.ts';
import type { LinkCaller } from './link-caller.ts';
import { keyOf, ReceivedShares } from './received.ts';
import type { Entered, Received } from './received.ts';
import { accessAt, roleAt } from './sight.ts';
import type { SeenNode, Sight, Walk } from './sight.ts';

/** An entry of a listing, as the caller sees it. */
export type SeenEntry = FolderEntry & { readonly sight?: Sight };

/** Characters of a hash that make an ETag different enough. */
const MARK_CHARACTERS = 16;
/** What a walk finds where there is nothing to be found. */
const NOWHERE: Walk = { nodes: [], ids: [], isHidden: false, mount: undefined };

export interface SeenPages {
  pages: AsyncIterable<readonly SeenEntry[]>;
  /** No entry has a `sight`. */
  isPlain: boolean;
}

export interface SeenListOptions extends ListOptions {
  /** Of the walk that has found the folder. */
  shared?: Walk['shared'];
}

export class Views {
  readonly #metadata: MetadataStore;
  readonly #spaces: SpaceDirectory;
  readonly #received: ReceivedShares;
  readonly #now: () => Instant;

  constructor(parts: { metadata: MetadataStore; spaces: SpaceDirectory; now: () => Instant }) {
    this.#now = parts.now;
    this.#metadata = parts.metadata;
    this.#spaces = parts.spaces;
    this.#received = new ReceivedShares(parts);
  }

  /** Of callers with an account. */
  ownSpace(caller: Caller): KnownSpace | Promise<KnownSpace> {
    return this.#spaces.personalSpace(caller);
  }

  /** With `options` what the caller owns, and whether others share anything with it, may be as old
   *  as they say. */
  async walk(
    caller: Caller, path: readonly Name[], options?: ReadOptions,
  ): Promise<Walk> {
    if (isLinkCaller(caller)) return this.#walkLink(caller, path);
    const known = this.ownSpace(caller);
    const own = known instanceof Promise ? await known : known;
    // Both at once: from a database that is far away the two answers take the time of one.
    const [received, found] = await Promise.all([
      this.#received.of(caller, own, options),
      this.#metadata.resolve(own.id, path, undefined, options),
    ]);
    const chain = received?.hasChanged === true
      ? await this.#metadata.resolve(own.id, path) : found;
    const last = chain.at(-1);
    if (last?.kind === 'mount') return this.#cross(received, chain, path);
    const plain = { ids: idsOf(chain), isHidden: false, mount: undefined, shared: { received } };
    if (received === undefined || last === undefined || chain.length <= path.length) {
      return { nodes: chain, ...plain };
    }
    const nodes = [...chain.slice(0, -1), await this.#ownFolder(received, last)];
    return { nodes, ...plain };
  }

  /** The members of a folder that `walk` has found. */
  async list(
    caller: Caller, folder: SeenNode, { shared, ...options }: SeenListOptions,
  ): Promise<SeenPages> {
    if (!accessAt(folder).read) return { pages: noPages(), isPlain: true };
    const pages = this.#metadata.listFolder(folder.spaceId, folder.id, options);
    if (isLinkCaller(caller)) {
      return { pages: linkPages(pages, await this.#linkEyes(caller, folder)), isPlain: false };
    }
    const own = await this.ownSpace(caller);
    if (folder.spaceId !== own.id) {
      const owner = folder.sight?.owner;
      const parts = await this.#received.ground(caller, { spaceId: folder.spaceId, owner });
      return { pages: groundPages(pages, { ...parts, role: roleAt(folder) }), isPlain: false };
    }
    const { received } = shared ?? { received: await this.#received.of(caller, own) };
    if (received === undefined || received.mounts.length === 0) {
      return { pages: plainPages(pages), isPlain: true };
    }
    return this.#ownPages(received, { folderId: folder.id, pages, options });
  }

  /** Spaces in which members of this folder live. */
  async spacesAt(caller: Caller, folder: SeenNode): Promise<Set<SpaceId>> {
    const spaces = new Set([folder.spaceId]);
    if (isLinkCaller(caller)) return spaces;
    const own = await this.ownSpace(caller);
    const received = folder.spaceId === own.id ? await this.#received.of(caller, own) : undefined;
    for (const { parentId, target } of received?.mounts ?? []) {
      if (parentId === folder.id) spaces.add(target.spaceId);
    }
    return spaces;
  }

  /** What a change answered about a node, as the caller sees it from now on. A folder of the
   *  caller's own may have something mounted below it: that one is found anew. */
  seen(caller: Caller, node: NodeRecord, near: SeenNode): SeenNode | Promise<SeenNode> {
    if (near.sight?.isShared !== true && node.kind !== 'folder') return node;
    return this.#seenAnew(caller, node, near);
  }

  async #seenAnew(caller: Caller, node: NodeRecord, near: SeenNode): Promise<SeenNode> {
    const { sight } = near;
    if (sight?.isShared !== true) return this.#seenOwn(caller, node);
    if (isLinkCaller(caller)) {
      return { ...node, sight: { ...sight, ...belowLink(caller, sight.role) } };
    }
    const { ground } = await this.#received.ground(caller, {
      spaceId: node.spaceId, owner: sight.owner,
    });
    return { ...node, sight: ground.sight(ground.step(sight.role, node.id)) };
  }

  async #seenOwn(caller: Caller, node: NodeRecord): Promise<SeenNode> {
    if (node.kind !== 'folder' || isLinkCaller(caller)) return node;
    const received = await this.#received.of(caller, await this.ownSpace(caller));
    return received === undefined ? node : this.#ownFolder(received, node);
  }

  /** Grants in force that reach the caller and were not declined. */
  async receivedGrants(caller: Caller): Promise<readonly GrantRecord[]> {
    if (isLinkCaller(caller)) return [];
    const own = await this.ownSpace(caller);
    const received = await this.#received.of(caller, own);
    const ours: GrantRecord[] = [];
    for (const grant of received?.grants ?? []) {
      const { tenant } = await this.#spaces.find(grant.spaceId);
      if (tenant === caller.tenant) ours.push(grant);
    }
    return ours;
  }

  /** Where the caller has mounted what a grant is about; undefined: nowhere. */
  async mountOf(caller: Caller, target: MountTarget): Promise<MountRecord | undefined> {
    const received = await this.#received.of(caller, await this.ownSpace(caller));
    return received?.mounts.find((mount) => keyOf(mount.target) === keyOf(target));
  }

  /** Where in the caller's view a node of any space is seen; undefined: nowhere. */
  async placeOf(
    caller: Caller, { spaceId, nodeId }: MountTarget,
  ): Promise<{ path: Name[]; node: SeenNode } | undefined> {
    const chain = await this.#metadata.findChain(spaceId, nodeId);
    if (chain === undefined) return undefined;
    const own = await this.ownSpace(caller);
    if (spaceId === own.id) return this.#placeAt(caller, namesOf(chain.slice(1)));
    const received = await this.#received.of(caller, own);
    // The nearest mount: what is shared by itself is known by its own place.
    for (let depth = chain.length - 1; depth >= 0; depth -= 1) {
      const { id } = chain[depth] ?? {};
      const mount = received?.mounts.find(({ target }) => target.nodeId === id);
      if (mount === undefined) continue;
      const above = await this.#metadata.findChain(own.id, mount.nodeId);
      const path = namesOf([...(above ?? []).slice(1), ...chain.slice(depth + 1)]);
      const place = await this.#placeAt(caller, path);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  async #placeAt(
    caller: Caller, path: Name[],
  ): Promise<{ path: Name[]; node: SeenNode } | undefined> {
    const node = (await this.walk(caller, path)).nodes[path.length];
    return node && { path, node };
  }

  /** A copy takes along all that is below a folder, and a deletion takes all of it away: nothing
   *  there may be hidden from who copies, or kept from who deletes. @throws denied. */
  async checkAllBelow(caller: Caller, node: SeenNode, deed: 'read' | 'delete'): Promise<void> {
    const { sight, spaceId } = node;
    if (node.kind !== 'folder' || sight?.isShared !== true) return;
    const viewer = isLinkCaller(caller) ? caller.maker : caller;
    const { ground, table } = await this.#received.ground(viewer, { spaceId, owner: sight.owner });
    for (const id of table.nodes()) {
      // Only where something is said about the caller can it be less than at the folder.
      if (id === node.id || accessOfRole(ground.step('owner', id))[deed]) continue;
      const chain = await this.#metadata.findChain(spaceId, id);
      if (chain?.some((above) => above.id === node.id) === true) throw notAllOfIt();
    }
  }

  async grantsOf(spaceId: SpaceId): Promise<GrantTable> {
    return this.#received.grantsOf(spaceId);
  }

  async #walkLink(caller: LinkCaller, path: readonly Name[]): Promise<Walk> {
    const link = await this.#liveLink(caller);
    if (link === undefined) return NOWHERE;
    const chain = await this.#metadata.findChain(link.spaceId, link.nodeId);
    const target = chain?.at(-1);
    if (chain === undefined || target === undefined || target.kind === 'mount') return NOWHERE;
    const { owner } = await this.#spaces.find(link.spaceId);
    const { ground, sizes } = await this.#received.ground(caller.maker, {
      spaceId: link.spaceId, owner,
    });
    // Who may not say any more who sees this cannot let others see it.
    if (ground.roleAt(idsOf(chain)) !== 'owner') return NOWHERE;
    let { role } = link;
    const { root } = accessOfLink(caller, role);
    const sight: Sight = {
      role, access: root, isShared: true, isMountRoot: true, mark: ground.mark, owner,
    };
    const mount = { depth: 0, node: undefined, target };
    // Who may only leave files there is not told either how much others have left.
    const self = root.read ? sizes.shown(target) : { ...target, sizeBytes: 0 };
    const nodes: SeenNode[] = [{ ...self, sight }];
    const ids = idsOf(chain);
    const raw = path.length === 0 ? [] : await this.#metadata.resolve(
      link.spaceId, path, link.nodeId,
    );
    for (const node of raw.slice(1)) {
      role = weakerRole(role, ground.step('owner', node.id));
      if (!root.read || node.kind === 'mount' || !isVisible(role)) {
        return { nodes, ids, isHidden: true, mount };
      }
      nodes.push({ ...sizes.shown(node), sight: { ...sight, ...belowLink(caller, role) } });
      ids.push(node.id);
    }
    return { nodes, ids, isHidden: false, mount };
  }

  /** As it is now: it may have been changed or taken back since the caller came. */
  async #liveLink({ link }: LinkCaller): Promise<GrantRecord | undefined> {
    if (link.subject.kind !== 'link') return undefined;
    const live = await this.#metadata.findLink(link.subject.tokenHash);
    return live !== undefined && isInForce(live, this.#now()) ? live : undefined;
  }

  /** How the members of a folder look by a link; undefined: that one is hidden. */
  async #linkEyes(
    caller: LinkCaller, { spaceId, sight }: SeenNode,
  ): Promise<(entry: FolderEntry) => SeenEntry | undefined> {
    if (sight === undefined) return () => undefined;
    const { ground, sizes } = await this.#received.ground(caller.maker, {
      spaceId, owner: sight.owner,
    });
    const usual = { ...sight, ...belowLink(caller, sight.role) };
    return (entry) => {
      const role = weakerRole(sight.role, ground.step('owner', entry.id));
      if (entry.kind === 'mount' || !isVisible(role)) return undefined;
      const own = role === sight.role ? usual : { ...sight, ...belowLink(caller, role) };
      return { ...sizes.shown(entry), sight: own };
    };
  }

  /** `chain` ends at a mount. */
  async #cross(
    received: Received | undefined, chain: readonly NodeRecord[], path: readonly Name[],
  ): Promise<Walk> {
    const above = chain.slice(0, -1);
    const depth = above.length;
    const mountNode = chain[depth];
    const entered = await this.#enterNode(received, mountNode);
    if (mountNode === undefined || entered === undefined) {
      return { nodes: above, ids: idsOf(above), isHidden: true, mount: undefined };
    }
    const target = entered.chain.at(-1);
    if (target === undefined) return NOWHERE;
    const mount = { depth, node: mountNode, target };
    const nodes: SeenNode[] = [...above, entered.node];
    const ids = idsOf(entered.chain);
    const rest = path.slice(depth);
    if (rest.length === 0) return { nodes, ids, isHidden: false, mount };
    const { ground, sizes } = entered;
    let role: Role = roleAt(entered.node);
    const below = await this.#metadata.resolve(target.spaceId, rest, target.id);
    for (const node of below.slice(1)) {
      role = ground.step(role, node.id);
      if (!isVisible(role) || node.kind === 'mount') return { nodes, ids, isHidden: true, mount };
      nodes.push({ ...sizes.shown(node), sight: ground.sight(role) });
      ids.push(node.id);
    }
    return { nodes, ids, isHidden: false, mount };
  }

  async #enterNode(
    received: Received | undefined, node: NodeRecord | undefined,
  ): Promise<Entered | undefined> {
    if (received === undefined || node?.target === undefined) return undefined;
    return this.#received.enter(received, { target: node.target, name: node.name });
  }

  /** A folder of the caller's own: its ETag speaks of all that is mounted below it. */
  async #ownFolder(received: Received, node: NodeRecord): Promise<SeenNode> {
    if (node.kind !== 'folder') return node;
    const below = received.mounts.filter(({ above }) => above.includes(node.id));
    if (below.length === 0) return node;
    const sights = await this.#marksOf(received, below);
    return withMark(node, received, sights.map(({ mark }) => mark));
  }

  async #entryOf(node: SeenNode, { withProperties }: ListOptions): Promise<SeenEntry> {
    if (withProperties !== true) return node;
    return { ...node, properties: await this.#metadata.listProperties(node.spaceId, node.id) };
  }

  async #marksOf(
    received: Received, mounts: readonly MountRecord[],
  ): Promise<{ mount: MountRecord; entered: Entered; mark: string }[]> {
    const seen = [];
    for (const mount of mounts) {
      const entered = await this.#received.enter(received, mount);
      if (entered === undefined) continue;
      const { node, ground } = entered;
      seen.push({ mount, entered, mark: `${mount.nodeId}:${node.mark}:${ground.mark}` });
    }
    return seen;
  }

  async #ownPages(
    received: Received,
    { folderId, pages, options }: {
      folderId: NodeId; pages: AsyncIterable<readonly FolderEntry[]>; options: ListOptions;
    },
  ): Promise<SeenPages> {
    const below = received.mounts.filter(({ above }) => above.includes(folderId));
    if (below.length === 0) return { pages: plainPages(pages), isPlain: true };
    const seen = await this.#marksOf(received, below);
    const direct = new Map<NodeId, SeenEntry>();
    const marks = new Map<NodeId, string[]>();
    for (const { mount, entered, mark } of seen) {
      if (mount.parentId === folderId) {
        direct.set(mount.nodeId, await this.#entryOf(entered.node, options));
      }
      for (const id of mount.above) {
        const others = marks.get(id);
        if (others === undefined) marks.set(id, [mark]);
        else others.push(mark);
      }
    }
    return { pages: ownPages(pages, { direct, marks, received }), isPlain: false };
  }
}

function notAllOfIt(): HoldfastError {
  const message = 'Not all of this folder is yours to take. Take what is yours one by one.';
  return new HoldfastError('denied', 'files/checkAllBelow', message, { code: 'partly-hidden' });
}

// Below: pages of listings, as their callers see them.

function namesOf(nodes: readonly NodeRecord[]): Name[] {
  return nodes.map(({ name }) => parseName(name));
}

function idsOf(nodes: readonly NodeRecord[]): NodeId[] {
  return nodes.map(({ id }) => id);
}

function belowLink(
  caller: LinkCaller, role: Role,
): { role: Role; access: Access; isMountRoot: false } {
  return { role, access: accessOfLink(caller, role).below, isMountRoot: false };
}

function withMark<N extends NodeRecord>(
  node: N, { own }: Received, marks: readonly string[],
): N & { sight?: Sight } {
  if (marks.length === 0) return node;
  const mark = hash('sha256', marks.join(' '), 'hex').slice(0, MARK_CHARACTERS);
  const sight: Sight = {
    role: 'owner', access: EVERYTHING, isShared: false, isMountRoot: false, mark, owner: own.owner,
  };
  return { ...node, sight };
}

/** A mount that nobody shares anything through any more is not shown. */
async function* plainPages(
  pages: AsyncIterable<readonly FolderEntry[]>,
): AsyncGenerator<readonly SeenEntry[]> {
  for await (const page of pages) {
    yield page.some(isMount) ? page.filter((entry) => !isMount(entry)) : page;
  }
}

function isMount({ kind }: NodeRecord): boolean {
  return kind === 'mount';
}

async function* ownPages(
  pages: AsyncIterable<readonly FolderEntry[]>,
  { direct, marks, received }: {
    direct: ReadonlyMap<NodeId, SeenEntry>; marks: ReadonlyMap<NodeId, string[]>;
    received: Received;
  },
): AsyncGenerator<readonly SeenEntry[]> {
  for await (const page of pages) {
    const seen: SeenEntry[] = [];
    for (const entry of page) {
      const target = entry.kind === 'mount' ? direct.get(entry.id) : undefined;
      if (target !== undefined) seen.push(target);
      else if (entry.kind === 'file') seen.push(entry);
      else if (entry.kind === 'folder') {
        seen.push(withMark(entry, received, marks.get(entry.id) ?? []));
      }
    }
    yield seen;
  }
}

async function* groundPages(
  pages: AsyncIterable<readonly FolderEntry[]>,
  { ground, table, sizes, role }: {
    ground: Ground; table: GrantTable; sizes: HiddenSizes; role: Role;
  },
): AsyncGenerator<readonly SeenEntry[]> {
  const usual = ground.sight(role);
  for await (const page of pages) {
    const seen: SeenEntry[] = [];
    for (const entry of page) {
      if (entry.kind === 'mount') continue;
      const own = table.has(entry.id) ? ground.step(role, entry.id) : role;
      if (!isVisible(own)) continue;
      seen.push({ ...sizes.shown(entry), sight: own === role ? usual : ground.sight(own) });
    }
    yield seen;
  }
}

async function* linkPages(
  pages: AsyncIterable<readonly FolderEntry[]>,
  seenBy: (entry: FolderEntry) => SeenEntry | undefined,
): AsyncGenerator<readonly SeenEntry[]> {
  for await (const page of pages) {
    const seen: SeenEntry[] = [];
    for (const entry of page) {
      const one = seenBy(entry);
      if (one !== undefined) seen.push(one);
    }
    yield seen;
  }
}

async function* noPages(): AsyncGenerator<readonly SeenEntry[]> {
  // Whoever may only leave files here sees none.
}
