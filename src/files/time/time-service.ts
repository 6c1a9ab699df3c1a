/**
 * Everything that looks back: browsing and reading a caller's tree as of a moment, versions, the
 * trash, what differs between two moments, and restores. Like FileService it decides who may: to
 * see something of the past one must be allowed to see it then and now, to bring it back one must
 * be allowed to change it now.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import { isAtLeast } from '../../base/roles.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  BatchRecord, DiffEntry, DiffPage, SpaceRecord,
} from '../../metadata/index.ts';
import { checkAccess, subjectsIn } from '../access.ts';
import type { ContentDirectory } from '../content-homes.ts';
import type { FileContent } from '../download.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { accessAt } from '../view/sight.ts';
import type { SeenNode } from '../view/sight.ts';
import { Ground, GrantTable } from '../view/ground.ts';
import { lapsedFor } from '../view/lapse.ts';
import { activityOf } from './activity.ts';
import type { Activity, ActivitySpan } from './activity.ts';
import type { When } from './moment.ts';
import { PastView } from './past-view.ts';
import type { Batches } from './restore/batches.ts';
import type { ThenParts } from './then-and-now.ts';

export interface TimeParts extends ThenParts {
  content: ContentDirectory;
  spaces: SpaceDirectory;
  batches: Batches;
}

/** What people can be told of what lies between two moments. */
export interface Comparison extends DiffPage {
  fromRev: number;
  toRev: number;
}

const BATCHES_SHOWN_MAX = 100;

export class TimeService {
  readonly #parts: TimeParts;

  constructor(parts: TimeParts) {
    this.#parts = parts;
  }

  /** The caller's tree as of a moment. A revision is one of the caller's personal space.
   *  @throws invalid `moment-ahead`, `rev-ahead`; not-found `before-space`: there was nothing yet;
   *  not-found `past-gone`: it is not kept any more. */
  async open(caller: Caller, when: When): Promise<PastView> {
    const own = await this.#ownSpace(caller);
    const rev = await this.#revOf(own, when);
    const at = 'at' in when ? when.at : undefined;
    return PastView.open(this.#parts, caller, { own, rev, at });
  }

  async #ownSpace(caller: Caller): Promise<SpaceRecord> {
    const { metadata, spaces } = this.#parts;
    return metadata.getSpace((await spaces.personalSpace(caller)).id);
  }

  async #revOf(space: SpaceRecord, when: When): Promise<number> {
    if ('rev' in when) return when.rev;
    const { at } = when;
    if (at > this.#parts.now()) {
      const message = 'This moment has not come yet. Ask for one that has passed.';
      throw new HoldfastError('invalid', 'files/TimeService', message, { code: 'moment-ahead' });
    }
    if (at < space.createdAt) {
      const message = 'At that moment there was nothing here yet. The oldest one is '
        + `${new Date(space.createdAt).toISOString()}.`;
      throw new HoldfastError('not-found', 'files/TimeService', message, { code: 'before-space' });
    }
    return this.#parts.metadata.revisionAt(space.id, at);
  }

  /** The content of a file of the past, once a view has found it.
   *  @throws denied; conflict `is-folder`; not-found `version-missing`: thinned out; corrupt. */
  async openNode(node: SeenNode): Promise<FileContent> {
    if (node.kind !== 'file') {
      const message = 'This was a folder, not a file.';
      throw new HoldfastError('conflict', 'files/TimeService.openNode', message, {
        code: 'is-folder',
      });
    }
    checkAccess(accessAt(node), 'download');
    return (await this.#parts.content.at(node.spaceId)).open(node);
  }

  /** What differs between two moments, at and below a path of the later one, or of the earlier one
   *  if nothing is there later. Page by page. For owners of what they ask about: of a shared folder
   *  only whoever may say who else sees it is told all that happened there; what came from outside
   *  of it counts as added, and what was moved out as deleted.
   *  @throws not-found; denied; as open. */
  async compare(
    caller: Caller, { from, to, path, after, limit }: {
      from: When; to: When | 'now'; path: readonly Name[]; after?: number; limit?: number;
    },
  ): Promise<Comparison> {
    const early = await this.open(caller, from);
    const late = await this.open(caller, to === 'now' ? { at: this.#parts.now() } : to);
    const { past } = await late.find(path) ?? await early.get(path);
    await this.#checkRole(caller, past.spaceId, { nodeId: past.id, wanted: 'owner' });
    const isOwn = past.spaceId === (await this.#ownSpace(caller)).id;
    const revAt = (view: PastView): number | Promise<number> => (isOwn ? view.rev
      : this.#parts.metadata.revisionAt(past.spaceId, view.at));
    const [fromRev, toRev] = [await revAt(early), await revAt(late)];
    const page = await this.#parts.metadata.diff(past.spaceId, fromRev, toRev, {
      below: past.id, ...(after !== undefined && { after }), ...(limit !== undefined && { limit }),
    });
    const entries = isOwn ? page.entries
      : page.entries.flatMap((entry) => insideOnly(entry, past.id));
    return { ...page, entries, fromRev, toRev };
  }

  /** How much happened when at and below a path of today's tree; for owners of what they ask about,
   *  as `compare`. @throws not-found; denied; invalid `span`; the signal's reason. */
  async activity(caller: Caller, path: readonly Name[], span: ActivitySpan): Promise<Activity> {
    if (span.from >= span.to) {
      const message = 'The span of time must end after it begins.';
      throw new HoldfastError('invalid', 'files/TimeService', message, { code: 'span' });
    }
    const { metadata, now } = this.#parts;
    const { past } = await (await this.open(caller, { at: now() })).get(path);
    await this.#checkRole(caller, past.spaceId, { nodeId: past.id, wanted: 'owner' });
    const { id: nodeId, spaceId, parentId } = past;
    const isRoot = parentId === undefined;
    return activityOf(metadata, { spaceId, nodeId, isRoot }, span);
  }

  /** Brings back what was at a path at a moment: a file, a folder with all below it, or with the
   *  empty path the whole personal space. Nothing is lost by it: what is overwritten becomes a
   *  version, what is surplus goes to the trash, and `undo` takes all of it back. Who may share
   *  there can have permissions, shares and links brought back with it: those that were ended since
   *  are in force again, a link at its old address, later ones end; what had expired stays expired.
   *  @throws not-found; denied; conflict `batch-running`; as open. */
  async restore(
    caller: Caller, path: readonly Name[], when: When, { withSharing = false } = {},
  ): Promise<BatchRecord> {
    const view = await this.open(caller, when);
    const found = await view.get(path);
    const { spaceId, id: nodeId } = found.past;
    const wanted = withSharing ? 'owner' : 'editor';
    await this.#checkRole(caller, spaceId, { nodeId, wanted });
    // Else it would show what was kept from the caller then, under today's permissions.
    if (!await view.sawAllBelow(found)) throw noPermission(wanted);
    const isOwn = spaceId === (await this.#ownSpace(caller)).id;
    const asOf = isOwn ? view.rev : await this.#parts.metadata.revisionAt(spaceId, view.at);
    const { user, device } = caller;
    return this.#parts.batches.restore({ spaceId, nodeId, asOf, withSharing, user, device });
  }

  /** Takes a restore back. @throws not-found; denied; conflict `batch-open`, `batch-running`. */
  async undo(caller: Caller, batchId: number): Promise<BatchRecord> {
    const { spaceId, nodeId, withSharing } = await this.findBatch(caller, batchId);
    const wanted = withSharing ? 'owner' : 'editor';
    await this.#checkRole(caller, spaceId, { nodeId, wanted });
    const { user, device } = caller;
    return this.#parts.batches.undo(batchId, { user, device });
  }

  /** How far a restore has come. @throws not-found: also one that is none of the caller's. */
  async findBatch(caller: Caller, batchId: number): Promise<BatchRecord> {
    const batch = await this.#parts.batches.get(batchId);
    const { owner } = await this.#parts.metadata.getSpace(batch.spaceId);
    if (batch.by === caller.user || owner === caller.user) return batch;
    const message = 'There is no such restore.';
    throw new HoldfastError('not-found', 'files/TimeService.findBatch', message);
  }

  /** Restores of the caller's personal space, newest first. */
  async listBatches(caller: Caller): Promise<BatchRecord[]> {
    const { id: spaceId } = await this.#ownSpace(caller);
    return this.#parts.metadata.listBatches({ spaceId }, BATCHES_SHOWN_MAX);
  }

  /** By today's grants, at the node's place today and at every place below it; for what is deleted,
   *  where it was last. */
  async #checkRole(
    caller: Caller, spaceId: SpaceId, { nodeId, wanted }: { nodeId: NodeId; wanted: Role },
  ): Promise<void> {
    const { metadata, now } = this.#parts;
    const { owner, tenant } = await metadata.getSpace(spaceId);
    const table = new GrantTable(await metadata.listGrants(spaceId));
    const deleted = await metadata.findDeleted(spaceId, nodeId);
    const chain = await metadata.findChain(spaceId, deleted?.parentId ?? nodeId);
    const subjects = subjectsIn(tenant, caller);
    const lapsed = await lapsedFor(this.#parts, subjects, { spaceId, owner, table });
    const ground = new Ground({ owner, mark: '', table, subjects, now: now(), lapsed });
    const ids = [...(chain ?? []).map(({ id }) => id), ...(deleted === undefined ? [] : [nodeId])];
    let isEnough = isAtLeast(ground.roleAt(ids), wanted);
    for (const id of table.nodes()) {
      if (!isEnough || isAtLeast(ground.step('owner', id), wanted)) continue;
      const below = await metadata.findChain(spaceId, id);
      isEnough = below === undefined || below.every((above) => above.id !== nodeId);
    }
    if (isEnough) return;
    throw noPermission(wanted);
  }
}

function noPermission(wanted: Role): HoldfastError {
  const message = 'You do not have permission to do this here.';
  return new HoldfastError('denied', 'files/TimeService', message, { facts: { wanted } });
}

/** Where something was or is outside of a shared folder, and its name there, is for those alone who
 *  see that place. */
function insideOnly(entry: DiffEntry, folder: NodeId): DiffEntry[] {
  const [before, after] = [entry.before, entry.after]
    .map((place) => (place?.ids.includes(folder) === true ? place : undefined));
  if (before === entry.before && after === entry.after) return [entry];
  if (before === undefined && after === undefined) return [];
  return [{ ...entry, before, after, changes: [before === undefined ? 'added' : 'deleted'] }];
}
