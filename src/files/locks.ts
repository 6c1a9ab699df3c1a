/** Locks of files and folders, wherever in a view they are seen. */
import { HoldfastError } from '../base/errors.ts';
import type { NodeId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type { Actor, Instant, LockRecord, MetadataStore } from '../metadata/index.ts';
import type { SeenNode } from './view/sight.ts';
import type { Views } from './view/views.ts';

export class FileLocks {
  readonly #metadata: MetadataStore;
  readonly #views: Views;
  readonly #now: () => Instant;

  constructor(parts: { metadata: MetadataStore; views: Views; now: () => Instant }) {
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

  async remove(
    caller: Caller, path: readonly Name[], { token, actor }: { token: string; actor: Actor },
  ): Promise<void> {
    const { spaceId } = await this.#find(caller, path, token);
    await this.#metadata.commit({ op: 'remove-lock', spaceId, token, actor });
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
