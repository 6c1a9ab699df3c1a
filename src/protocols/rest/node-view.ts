/** How a file or folder of a caller's tree looks in the API. */
import { parseNodeId } from '../../base/ids.ts';
import type { NodeId, UserId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import { parsePath } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import { accessAt, etagOf } from '../../files/index.ts';
import type { SeenEntry, SeenNode, SharesAt } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { LockRecord } from '../../metadata/index.ts';
import type { Node } from '../../wire/node.ts';
import { mediaTypeOf } from '../webdav/media-types.ts';
import type { RestParts } from './rest-parts.ts';

/** A node, and where the caller sees it. */
export interface Placed {
  readonly path: readonly Name[];
  readonly node: SeenNode;
}

/** Where files keep whether somebody has marked them: the same place as for DAV clients. */
export const FAVORITE = { namespace: 'http://owncloud.org/ns', name: 'favorite' } as const;

export type NodeParts = Pick<RestParts, 'files' | 'identity'>;

export function textOfPath(path: readonly string[]): string {
  return `/${path.join('/')}`;
}

/** @throws invalid: a name that cannot be, or too deep. */
export function pathOfText(text: string): Name[] {
  return parsePath(text.split('/').filter((name) => name !== ''));
}

const NODE_ID = /^[1-9][0-9]{0,15}$/;

/** @throws not-found: also for what can be no id. */
export function nodeIdOf(text: string): NodeId {
  if (!NODE_ID.test(text) || !Number.isSafeInteger(Number(text))) throw nodeMissing();
  return parseNodeId(Number(text));
}

/** Where the caller sees a node. The cost is that of its depth, and one look for each space in
 *  which somebody shares something with the caller.
 *  @throws not-found: also for what the caller may not see. */
export async function placeOf(
  { files }: NodeParts, caller: Caller, id: string,
): Promise<Placed> {
  const place = await files.findById(caller, nodeIdOf(id));
  if (place === undefined) throw nodeMissing();
  return place;
}

export function nodeMissing(): HoldfastError {
  const message = 'There is no such file or folder for you.';
  return new HoldfastError('not-found', 'rest/placeOf', message, { code: 'node-missing' });
}

/** What is looked up once for all nodes of an answer. */
interface Scene {
  locks: readonly LockRecord[];
  /** Of folders above that cover all below them. */
  covering: readonly LockRecord[];
  shares: SharesAt | undefined;
}

/** Makes the answers about nodes for one request: what they have in common is looked up once. */
export class NodeView {
  readonly #parts: NodeParts;
  readonly #caller: Caller;
  readonly #names = new Map<UserId, Promise<string>>();

  constructor(parts: NodeParts, caller: Caller) {
    this.#parts = parts;
    this.#caller = caller;
  }

  async one({ path, node }: Placed): Promise<Node> {
    const { files } = this.#parts;
    const caller = this.#caller;
    const properties = await files.listProperties(node);
    const covering = await files.listLocks(caller, path);
    const shares = await files.sharesAt(caller, node);
    const parentId = await this.#parentOf({ path, node });
    const scene = { locks: covering, covering, shares };
    return this.#shown({ ...node, properties }, { path, parentId, scene });
  }

  /** Members of `folder`. */
  async members(folder: Placed, entries: readonly SeenEntry[]): Promise<Node[]> {
    const { files } = this.#parts;
    const caller = this.#caller;
    const locks = await files.listLocksAt(caller, folder.node);
    const above = locks.length === 0 ? [] : await files.listLocks(caller, folder.path);
    const covering = above.filter(({ depth }) => depth === 'infinity');
    const scene = { locks, covering, shares: await files.sharesAt(caller, folder.node) };
    const parentId = folder.node.id;
    const shown: Node[] = [];
    for (const entry of entries) {
      const path = [...folder.path, entry.name];
      shown.push(await this.#shown(entry, { path, parentId, scene }));
    }
    return shown;
  }

  /** The folder that the caller sees it in: a mount lies elsewhere than what is mounted. */
  async #parentOf({ path, node }: Placed): Promise<NodeId | undefined> {
    if (path.length === 0) return undefined;
    if (node.sight?.isMountRoot !== true) return node.parentId;
    return (await this.#parts.files.find(this.#caller, path.slice(0, -1)))?.node.id;
  }

  async #shown(
    entry: SeenEntry,
    { path, parentId, scene }: {
      path: readonly string[]; parentId: NodeId | undefined; scene: Scene;
    },
  ): Promise<Node> {
    const { sight, kind } = entry;
    const isFile = kind === 'file';
    const lock = scene.locks.find(({ nodeId }) => nodeId === entry.id) ?? scene.covering[0];
    const owner = sight?.isShared === true ? sight.owner : this.#caller.user;
    return {
      id: String(entry.id),
      spaceId: String(entry.spaceId),
      name: path.at(-1) ?? '',
      path: textOfPath(path),
      kind: isFile ? 'file' : 'folder',
      sizeBytes: entry.sizeBytes,
      modifiedAt: timeText(entry.modifiedAt),
      etag: etagOf(entry),
      ...(isFile && { mediaType: mediaTypeOf(entry.name) }),
      ...(parentId !== undefined && { parentId: String(parentId) }),
      may: mayAt(entry, path.length === 0),
      isMount: sight?.isMountRoot === true,
      isShared: sight?.isShared === true || (scene.shares?.(entry).length ?? 0) > 0,
      isFavorite: isFavorite(entry),
      ...(lock !== undefined && { lock: await this.#lock(lock) }),
      ...(owner !== undefined && { owner: { id: owner, displayName: await this.nameOf(owner) } }),
      ...(isFile && { version: String(entry.contentRev) }),
    };
  }

  async #lock({ holder, expiresAt, token }: LockRecord): Promise<NonNullable<Node['lock']>> {
    const isOwn = holder === this.#caller.user;
    return {
      holder, holderName: await this.nameOf(holder), until: timeText(expiresAt),
      ...(isOwn && { token }),
    };
  }

  /** A user's name for people; of whoever is gone, the id. */
  nameOf(user: UserId): Promise<string> {
    if (user === this.#caller.user) return Promise.resolve(this.#caller.displayName);
    const known = this.#names.get(user);
    if (known !== undefined) return known;
    const found = this.#parts.identity.users.find(user).then((one) => one?.displayName ?? user);
    this.#names.set(user, found);
    return found;
  }
}

function isFavorite({ properties }: SeenEntry): boolean {
  return properties?.some(({ namespace, name, xml }) =>
    namespace === FAVORITE.namespace && name === FAVORITE.name && xml.trim() === '1') === true;
}

/** Nobody deletes or renames a root. */
function mayAt(node: SeenNode, isRoot: boolean): Node['may'] {
  const access = accessAt(node);
  return {
    read: node.kind === 'file' ? access.download : access.read,
    write: access.update,
    create: node.kind === 'folder' && access.create,
    delete: access.delete && !isRoot,
    rename: access.move && !isRoot,
    share: access.share,
  };
}

/** Years of four digits, which is what the format can say. */
const EARLIEST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** ISO 8601, UTC, with milliseconds. */
export function timeText(at: number): string {
  return new Date(Math.min(Math.max(at, EARLIEST_MS), LATEST_MS)).toISOString();
}
