/**
 * The trash: what was deleted, who deleted it, where it was, and how it comes back. What is removed
 * from a shared folder lies in the trash of the space it lived in: the owner of the space sees all
 * of that, who removed something sees what he or she removed.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { canonicalName, parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import { isAtLeast } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  Instant, MetadataStore, NodeRecord, SpaceRecord, TrashRecord,
} from '../../metadata/index.ts';
import { TRASH_DROPPED_MAX } from '../../metadata/index.ts';
import { actorOf } from '../actor.ts';
import { isVisible, subjectsIn } from '../access.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { Ground, GrantTable } from '../view/ground.ts';
import { lapsedFor } from '../view/lapse.ts';
import { clashesWith, freeName, restoredOn } from './free-name.ts';

/** One thing that can come back. */
export interface Trashed extends TrashRecord {
  /** Names of the folders it was in, from the space's root, or from the highest that the caller may
   *  see; undefined: not kept any more, or none of them is. */
  from: readonly string[] | undefined;
}

export interface TrashPage {
  entries: Trashed[];
  /** Where the next page begins; undefined: this was the last one. */
  next: number | undefined;
  /** The caller owns the space, and may remove entries for good. */
  isOwner: boolean;
}

/** Somebody took entries out of the trash for good. */
export interface DroppedTrash {
  by: Caller;
  spaceId: SpaceId;
  count: number;
  /** Of a single one; undefined: of all that there were. */
  nodeId: NodeId | undefined;
}

/** Names one entry. */
export type TrashPlace = Pick<TrashRecord, 'spaceId' | 'nodeId' | 'deletedRev'>;

interface TrashParts {
  metadata: MetadataStore;
  spaces: SpaceDirectory;
  now: () => Instant;
  /** Told once it is done: no journal knows of it. */
  onDropped?: (dropped: DroppedTrash) => void;
}

/** Others may take the name, or remove the folder, between the look and the change. */
const TRIES_MAX = 5;

export class TrashService {
  readonly #parts: TrashParts;

  constructor(parts: TrashParts) {
    this.#parts = parts;
  }

  /** Newest first: of the caller's own space, or of another one. The cost is that of one page,
   *  however full the trash is. @throws not-found `space-missing`: also for a space that the caller
   *  has nothing to do with. */
  async list(
    caller: Caller,
    { spaceId, before, limit }: { spaceId?: SpaceId; before?: number; limit: number },
  ): Promise<TrashPage> {
    const { metadata } = this.#parts;
    const space = await this.#space(caller, spaceId);
    const isOwner = await this.#isOwner(caller, space);
    const found = await metadata.listTrash(space.id, limit, before,
      isOwner ? {} : { by: caller.user });
    const isKnown = isOwner || found.length > 0 || before !== undefined
      || await this.#isSharing(caller, space);
    if (!isKnown) throw noSpace();
    const entries: Trashed[] = [];
    const ground = await this.#ground(caller, space);
    for (const record of found) entries.push(await this.#described(record, ground));
    const next = found.length < limit ? undefined : found.at(-1)?.deletedRev;
    return { entries, next, isOwner };
  }

  /** @throws not-found: it is not there, or not the caller's to see. */
  async get(
    caller: Caller, entry: TrashPlace,
  ): Promise<{ entry: Trashed; isOwner: boolean }> {
    const space = await this.#space(caller, entry.spaceId);
    const record = await this.#find(caller, space, entry);
    const isOwner = await this.#isOwner(caller, space);
    return { entry: await this.#described(record, await this.#ground(caller, space)), isOwner };
  }

  /** Takes an entry out of the trash for good. What it held stays part of the past for as long as
   *  the past is kept; then its room is given back. Only who owns the space may: others have only
   *  removed what was not theirs. @throws as get; denied. */
  async drop(caller: Caller, entry: TrashPlace): Promise<void> {
    const { isOwner } = await this.get(caller, entry);
    if (!isOwner) throw ownersOnly();
    const { spaceId, deletedRev } = entry;
    const { metadata, onDropped } = this.#parts;
    const { count } = await metadata.commit({
      op: 'drop-trash', spaceId, deletedRevs: [deletedRev],
    });
    if (count > 0) onDropped?.({ by: caller, spaceId, count, nodeId: entry.nodeId });
  }

  /** Drops all that is in the trash of a space now, and answers how much that was; nothing where
   *  the caller does not own the space. Interrupted, it has dropped the newest part; called again,
   *  it goes on. @throws not-found: no such space; the signal's reason. */
  async dropAll(
    caller: Caller, { spaceId, signal }: { spaceId?: SpaceId; signal?: AbortSignal } = {},
  ): Promise<number> {
    const { metadata, onDropped } = this.#parts;
    const space = await this.#space(caller, spaceId);
    if (!await this.#isOwner(caller, space)) return 0;
    let sum = 0;
    for (let before: number | undefined; ;) {
      signal?.throwIfAborted();
      const found = await metadata.listTrash(space.id, TRASH_DROPPED_MAX, before);
      if (found.length === 0) return sum;
      const deletedRevs = found.map(({ deletedRev }) => deletedRev);
      const { count } = await metadata.commit({ op: 'drop-trash', spaceId: space.id, deletedRevs });
      if (count > 0) onDropped?.({ by: caller, spaceId: space.id, count, nodeId: undefined });
      sum += count;
      before = deletedRevs.at(-1);
    }
  }

  /** Folders above the highest one that the caller may see are nobody's to name. */
  async #described(record: TrashRecord, ground: Ground): Promise<Trashed> {
    const chain = await this.#placeOf(record) ?? [];
    const ids = chain.map(({ id }) => id);
    const first = ids.findIndex((_, at) => isVisible(ground.roleAt(ids.slice(0, at + 1))));
    const names = chain.slice(Math.max(first, 1)).map(({ name }) => name);
    return { ...record, from: first < 0 ? undefined : names };
  }

  async #ground(caller: Caller, { id, owner, tenant }: SpaceRecord): Promise<Ground> {
    const { metadata, now } = this.#parts;
    const table = new GrantTable(await metadata.listGrants(id));
    const subjects = subjectsIn(tenant, caller);
    const lapsed = await lapsedFor(this.#parts, subjects, { spaceId: id, owner, table });
    return new Ground({ owner, mark: '', table, subjects, now: now(), lapsed });
  }

  /** Brings something back to where it was; where that folder is gone, to the nearest one above it
   *  that is still there. A name that is taken gets the day added.
   *  @throws not-found: it is not there, or not the caller's to see; denied; locked; quota. */
  async restore(
    caller: Caller, entry: TrashPlace, lockTokens: readonly string[] = [],
  ): Promise<NodeRecord> {
    const space = await this.#space(caller, entry.spaceId);
    const record = await this.#find(caller, space, entry);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#tryRestore(caller, { space, record, lockTokens });
      } catch (error) {
        const isRace = isKind(error, 'exists') || isKind(error, 'conflict');
        if (!isRace || tries >= TRIES_MAX) throw error;
      }
    }
  }

  async #tryRestore(
    caller: Caller, { space, record, lockTokens }: {
      space: SpaceRecord; record: TrashRecord; lockTokens: readonly string[];
    },
  ): Promise<NodeRecord> {
    const { metadata, now } = this.#parts;
    const { nodeId, deletedRev, spaceId } = record;
    const toParentId = await this.#target(caller, space, record);
    const toName = await this.#freeName(space, toParentId, record.name);
    const { node } = await metadata.commit({
      op: 'restore', spaceId, nodeId, deletedRev, toParentId, toName,
      actor: actorOf(caller, now(), lockTokens),
    });
    if (node !== undefined) return node;
    throw new HoldfastError('internal', 'files/TrashService', 'The change answered no node.');
  }

  /** The folders that it was in, the space's root first. */
  async #placeOf({ spaceId, parentId, deletedRev }: TrashRecord) {
    const { metadata } = this.#parts;
    try {
      const past = await metadata.past(spaceId, deletedRev - 1);
      return await past.findChain(parentId);
    } catch (error) {
      if (!isKind(error, 'not-found') || error.code !== 'past-gone') throw error;
      return metadata.findChain(spaceId, parentId);
    }
  }

  /** The folder it was in, or the nearest above it that is still there and that the caller may add
   *  something to. */
  async #target(
    caller: Caller, space: SpaceRecord, record: TrashRecord,
  ): Promise<NodeId> {
    const { metadata } = this.#parts;
    const chain = await this.#placeOf(record) ?? [];
    const candidates = [record.parentId, ...chain.map(({ id }) => id).toReversed(), space.rootId];
    for (const id of candidates) {
      const live = await metadata.findChain(space.id, id);
      if (live === undefined) continue;
      if (await this.#mayAdd(caller, space, live.map((node) => node.id))) return id;
    }
    const message = 'You may not add anything to the folder that this was in. Ask its owner.';
    throw new HoldfastError('denied', 'files/TrashService', message);
  }

  async #mayAdd(
    caller: Caller, space: SpaceRecord, chain: readonly NodeId[],
  ): Promise<boolean> {
    if (caller.user === space.owner) return true;
    return isAtLeast((await this.#ground(caller, space)).roleAt(chain), 'editor');
  }

  async #freeName(space: SpaceRecord, parentId: NodeId, wanted: string): Promise<Name> {
    const { casePolicy } = space;
    const { metadata, now } = this.#parts;
    const own = parseName(wanted);
    // One look spares the listing of a folder that may be large.
    if ((await metadata.resolve(space.id, [own], parentId)).length < 2) return own;
    const taken = new Set<string>();
    for await (const page of metadata.listFolder(space.id, parentId)) {
      for (const { name } of page) taken.add(canonicalName(name, casePolicy));
    }
    return freeName(wanted, restoredOn(now()), clashesWith(taken, casePolicy));
  }

  /** @throws not-found. */
  async #find(
    caller: Caller, space: SpaceRecord, entry: Pick<TrashPlace, 'nodeId' | 'deletedRev'>,
  ): Promise<TrashRecord> {
    const [found] = await this.#parts.metadata.listTrash(space.id, 1, entry.deletedRev + 1);
    const isIt = found?.deletedRev === entry.deletedRev && found.nodeId === entry.nodeId;
    if (isIt && (found.deletedBy === caller.user || await this.#isOwner(caller, space))) {
      return found;
    }
    const message = 'The trash does not hold this any more.';
    throw new HoldfastError('not-found', 'files/TrashService', message, { code: 'trash-missing' });
  }

  async #space(caller: Caller, spaceId: SpaceId | undefined): Promise<SpaceRecord> {
    const { metadata, spaces } = this.#parts;
    if (spaceId === undefined) return metadata.getSpace((await spaces.personalSpace(caller)).id);
    try {
      return await metadata.getSpace(spaceId);
    } catch (error) {
      throw isKind(error, 'not-found') ? noSpace() : error;
    }
  }

  /** Something in it is, or was once, given to the caller. */
  async #isSharing(caller: Caller, { id, tenant }: SpaceRecord): Promise<boolean> {
    const table = new GrantTable(await this.#parts.metadata.listGrants(id));
    return table.to(subjectsIn(tenant, caller)).length > 0;
  }

  async #isOwner(caller: Caller, space: SpaceRecord): Promise<boolean> {
    if (caller.user === space.owner) return true;
    return (await this.#ground(caller, space)).roleAt([space.rootId]) === 'owner';
  }
}

function noSpace(): HoldfastError {
  const message = 'There is no such space for you.';
  return new HoldfastError('not-found', 'files/TrashService', message, { code: 'space-missing' });
}

function ownersOnly(): HoldfastError {
  const message = 'Only the owner of this space can remove this for good. It can be restored.';
  return new HoldfastError('denied', 'files/TrashService', message, { code: 'not-owner' });
}
