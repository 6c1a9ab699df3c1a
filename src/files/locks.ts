/** Locks of files and folders, wherever in a view they are seen. */
import { HoldfastError, isKind } from '../base/errors.ts';
import type { NodeId, SpaceId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import { lockKindOf } from '../metadata/index.ts';
import type { Actor, Instant, LockRecord, MetadataStore } from '../metadata/index.ts';
import { actorOf } from './actor.ts';
import { takeNode } from './aim.ts';
import type { Deal } from './deal.ts';
import type { Found } from './found.ts';
import { isLinkCaller } from './view/link-caller.ts';
import { roleAt } from './view/sight.ts';
import type { SeenNode } from './view/sight.ts';
import type { Views } from './view/views.ts';

const SPACES_PAGE = 1_000;
const LOCKS_LISTED_MAX = 10_000;
const LOCKS_NAMED_MAX = 1_000;

/** The name of what is locked, of the first LOCKS_NAMED_MAX; a space as a whole has none. */
export type NamedLock = LockRecord & { name?: string | undefined };

/** Somebody has ended the lock of somebody else. */
export interface BrokenLock {
  lock: LockRecord;
  by: Caller;
}

/** A lock that a client asked for by a file's address alone. */
export interface FileLock {
  /** The one that counts at the file now; undefined: it is free. */
  lock: LockRecord | undefined;
  /** True: it stands in the way of what was asked, and nothing was changed. */
  isRefused: boolean;
}

export class FileLocks {
  readonly #metadata: MetadataStore;
  readonly #views: Views;
  readonly #now: () => Instant;
  readonly #onBroken: (broken: BrokenLock) => void;

  constructor(parts: {
    metadata: MetadataStore;
    views: Views;
    now: () => Instant;
    onLockBroken?: ((broken: BrokenLock) => void) | undefined;
  }) {
    this.#onBroken = parts.onLockBroken ?? (() => undefined);
    this.#metadata = parts.metadata;
    this.#views = parts.views;
    this.#now = parts.now;
  }

  /** See FileService.listLocks. */
  async covering(caller: Caller, path: readonly Name[]): Promise<LockRecord[]> {
    const { nodes, ids } = await this.#views.walk(caller, path);
    const last = nodes.at(-1);
    if (last === undefined) return [];
    const locks = await this.#metadata.listLocks(last.spaceId, this.#now());
    if (locks.length === 0) return [];
    const isThere = nodes.length === path.length + 1;
    const own: NodeId | undefined = isThere ? last.id : undefined;
    const above = new Set(ids);
    return locks.filter(({ nodeId, depth }) =>
      nodeId === own || (depth === 'infinity' && above.has(nodeId)));
  }

  /** What is locked at a node that was found, with one look: all locks of its space, with `others`
   *  also those of spaces in which members of it live; and those of them that cover it. */
  async at(
    caller: Caller, { node, ids }: Found, { others }: { others: boolean },
  ): Promise<{ all: LockRecord[]; covering: LockRecord[] }> {
    const all = others ? await this.around(caller, node)
      : await this.#metadata.listLocks(node.spaceId, this.#now());
    const covering = all.filter(({ spaceId, nodeId, depth }) => spaceId === node.spaceId
      && (nodeId === node.id || (depth === 'infinity' && ids.includes(nodeId))));
    return { all, covering };
  }

  /** See FileService.listLocksAt. */
  async around(caller: Caller, folder: SeenNode): Promise<LockRecord[]> {
    const all: LockRecord[] = [];
    for (const spaceId of await this.#views.spacesAt(caller, folder)) {
      all.push(...await this.#metadata.listLocks(spaceId, this.#now()));
    }
    return all;
  }

  async refresh(
    caller: Caller, path: readonly Name[],
    { token, expiresAt, actor }: { token: string; expiresAt: Instant; actor: Actor },
  ): Promise<LockRecord> {
    const lock = await this.#find(caller, path, token);
    const { spaceId } = lock;
    await this.#metadata.commit({ op: 'refresh-lock', spaceId, token, expiresAt, actor });
    return { ...lock, expiresAt };
  }

  /** The holder may, who owns the file or folder that is locked, and an administrator who sees it.
   *  @throws not-found; denied. */
  async remove(
    caller: Caller, path: readonly Name[], { token, actor }: { token: string; actor: Actor },
  ): Promise<void> {
    const lock = await this.#find(caller, path, token);
    const { nodes } = await this.#views.walk(caller, path);
    await this.#end(caller, lock, { place: nodes.find(({ id }) => id === lock.nodeId), actor });
  }

  /** Locks a file for the caller, as a person or for one program, by what `token` says; a lock of
   *  the caller's that serves as well only gets more time. The deal's condition is judged first.
   *  @throws not-found; denied: also a folder; precondition; too-large. */
  async lockFile(
    caller: Caller, path: readonly Name[],
    wanted: Pick<LockRecord, 'token' | 'ownerXml' | 'expiresAt'>, deal: Deal = {},
  ): Promise<FileLock> {
    const { node } = await takeNode(this.#views, caller, { path, deed: 'update', deal });
    if (node.kind !== 'file' || isLinkCaller(caller)) throw filesOnly();
    const { token, expiresAt } = wanted;
    const actor = this.#actor(caller);
    const own = (await this.covering(caller, path)).find((lock) => lock.nodeId === node.id
      && lock.holder === caller.user && serves(lock.token, token));
    const { spaceId, id: nodeId } = node;
    if (own !== undefined) {
      await this.#metadata.commit({
        op: 'refresh-lock', spaceId, token: own.token, expiresAt, actor,
      });
      return { lock: { ...own, expiresAt }, isRefused: false };
    }
    const lock: LockRecord = {
      ...wanted, spaceId, nodeId, scope: 'exclusive', depth: '0', holder: caller.user,
    };
    try {
      await this.#metadata.commit({ op: 'add-lock', lock, actor });
      return { lock, isRefused: false };
    } catch (error) {
      const [other] = isKind(error, 'locked') ? await this.covering(caller, path) : [];
      if (other === undefined) throw error;
      return { lock: other, isRefused: true };
    }
  }

  /** Ends the locks of the caller at a file; without such a one those of others, if the caller may
   *  break them. undefined: it is not locked. @throws not-found; denied. */
  async unlockFile(caller: Caller, path: readonly Name[]): Promise<FileLock | undefined> {
    const { node } = await takeNode(this.#views, caller, { path, deed: 'read', deal: {} });
    const locks = await this.covering(caller, path);
    const direct = locks.filter(({ nodeId }) => nodeId === node.id);
    const own = direct.filter(({ holder }) => holder === caller.user);
    const ending = own.length > 0 || !mayBreak(caller, node) ? own : direct;
    if (locks.length === 0) return undefined;
    if (ending.length === 0) return { lock: locks[0], isRefused: true };
    for (const lock of ending) {
      await this.#end(caller, lock, { place: node, actor: this.#actor(caller) });
    }
    const [left] = locks.filter((lock) => !ending.includes(lock));
    return { lock: left, isRefused: false };
  }

  /** Ends every lock at a file or folder, also where the caller does not see it; answers how many
   *  there were. Looks through the spaces of the caller's tenant, page by page: it is a rare act.
   *  @throws denied: not an administrator. */
  async breakAll(caller: Caller, nodeId: NodeId): Promise<number> {
    if (!caller.admin) throw administratorsOnly();
    let count = 0;
    for (let after: SpaceId | undefined; ;) {
      const page = await this.#metadata.listSpaces(SPACES_PAGE, after, caller.tenant);
      for (const { id } of page.filter(({ tenant }) => tenant === caller.tenant)) {
        const locks = await this.#metadata.listLocks(id, this.#now());
        for (const lock of locks.filter((one) => one.nodeId === nodeId)) {
          await this.#end(caller, lock, { place: undefined, actor: this.#actor(caller) });
          count += 1;
        }
      }
      after = page.at(-1)?.id;
      if (after === undefined || page.length < SPACES_PAGE || count > 0) return count;
    }
  }

  /** All that hold in the spaces of the caller's tenant, at most LOCKS_LISTED_MAX.
   *  @throws denied: not an administrator. */
  async listAll(caller: Caller): Promise<NamedLock[]> {
    if (!caller.admin) throw administratorsOnly();
    const found: NamedLock[] = [];
    for (let after: SpaceId | undefined; ;) {
      const page = await this.#metadata.listSpaces(SPACES_PAGE, after, caller.tenant);
      for (const { id } of page.filter(({ tenant }) => tenant === caller.tenant)) {
        for (const lock of await this.#metadata.listLocks(id, this.#now())) {
          const isNamed = found.length < LOCKS_NAMED_MAX;
          found.push(isNamed ? { ...lock, name: await this.#nameOf(lock) } : lock);
        }
        if (found.length >= LOCKS_LISTED_MAX) return found.slice(0, LOCKS_LISTED_MAX);
      }
      after = page.at(-1)?.id;
      if (after === undefined || page.length < SPACES_PAGE) return found;
    }
  }

  async #nameOf({ spaceId, nodeId }: LockRecord): Promise<string | undefined> {
    const name = (await this.#metadata.findChain(spaceId, nodeId))?.at(-1)?.name;
    return name === '' ? undefined : name;
  }

  /** `place`: what is locked, as the caller sees it; undefined: the caller does not. */
  async #end(
    caller: Caller, lock: LockRecord, { place, actor }: {
      place: SeenNode | undefined; actor: Actor;
    },
  ): Promise<void> {
    const { spaceId, token } = lock;
    const breaks = lock.holder !== caller.user && mayBreak(caller, place);
    await this.#metadata.commit({ op: 'remove-lock', spaceId, token, breaks, actor });
    if (breaks) this.#onBroken({ lock, by: caller });
  }

  #actor(caller: Caller): Actor {
    return actorOf(caller, this.#now());
  }

  async #find(caller: Caller, path: readonly Name[], token: string): Promise<LockRecord> {
    const locks = await this.covering(caller, path);
    const lock = locks.find((one) => one.token === token);
    if (lock === undefined) {
      throw new HoldfastError('not-found', 'files/findLock', 'There is no such lock here.');
    }
    return lock;
  }
}

/** A person's own lock lets all programs of the person work on: it serves for any wish. */
function serves(token: string, wanted: string): boolean {
  return lockKindOf(token) === 'person' || lockKindOf(wanted) === 'token';
}

function mayBreak(caller: Caller, node: SeenNode | undefined): boolean {
  if (isLinkCaller(caller)) return false;
  return caller.admin || (node !== undefined && roleAt(node) === 'owner');
}

function administratorsOnly(): HoldfastError {
  const message = 'Only an administrator can end locks in folders of others.';
  return new HoldfastError('denied', 'files/breakAll', message);
}

function filesOnly(): HoldfastError {
  const message = 'Only a file can be locked in this way, by somebody with an account.';
  return new HoldfastError('denied', 'files/lockFile', message, { code: 'files-only' });
}
