/**
 * Brings a folder, or a whole space, back to what it was at a revision, by ordinary changes: node
 * ids stay, old content becomes a new version, what is surplus goes to the trash. So a restore is
 * itself part of the past, and can be undone like anything else.
 *
 * First the folders are walked from the top down, and each is given what it held; only then what
 * they did not hold is removed. Every step compares before it changes. So the work can be begun
 * again at any point, as after a crash: what is done already is found to be right.
 */
import { failpoint } from '../../../platform/index.ts';
import type { GrantId, NodeId, SpaceId } from '../../../base/ids.ts';
import { canonicalName, parseName } from '../../../base/names.ts';
import type { Name } from '../../../base/names.ts';
import type {
  Actor, MetadataStore, NodeRecord, PastNode, PastSpace, SpaceRecord,
  TrashRecord,
} from '../../../metadata/index.ts';
import type { ContentDirectory } from '../../content-homes.ts';
import { clashesWith, freeName } from '../free-name.ts';
import { putOldContent } from '../old-content.ts';
import { changedParts } from './changed-parts.ts';
import type { ChangedParts } from './changed-parts.ts';
import { extrasOf, planFolder } from './plan-folder.ts';
import type { FolderPlan } from './plan-folder.ts';
import { restoreSharing } from './restore-sharing.ts';
import { Slice } from './slice.ts';

export interface RestoreJob {
  space: SpaceRecord;
  /** File or folder that is restored; the space's root for all of it. */
  nodeId: NodeId;
  past: PastSpace;
  /** Whose changes these are, as part of which batch. */
  actor: () => Actor;
  /** Marks names of what is in the way. */
  remark: string;
  /** undefined: everything may be touched. */
  only: ReadonlySet<NodeId> | undefined;
  /** Permissions, shares and links too: `only` these, or all that there are. */
  sharing?: { only: ReadonlySet<GrantId> | undefined };
  signal?: AbortSignal;
  onProgress: (doneCount: number, skippedCount: number) => Promise<void>;
}

export class Restorer {
  readonly #metadata: MetadataStore;
  readonly #content: ContentDirectory;
  readonly #job: RestoreJob;
  readonly #slice: Slice;
  readonly #spaceId: SpaceId;
  /** Files that came out of the trash and were not compared yet. */
  readonly #late: PastNode[] = [];
  /** Folders that came out of the trash only for what they hold. */
  readonly #aside: NodeId[] = [];

  constructor(
    parts: { metadata: MetadataStore; content: ContentDirectory }, job: RestoreJob,
  ) {
    this.#metadata = parts.metadata;
    this.#content = parts.content;
    this.#job = job;
    this.#spaceId = job.space.id;
    this.#slice = new Slice(() => {
      failpoint('files.restore-slice');
      return job.onProgress(this.#slice.doneCount, this.#slice.skippedCount);
    });
  }

  /** @throws what keeps the store from working at all; the signal's reason. */
  async run(): Promise<{ doneCount: number; skippedCount: number }> {
    const { nodeId, past, signal } = this.#job;
    const chain = await past.findChain(nodeId);
    if (chain === undefined) {
      const live = await this.#live(nodeId);
      if (live !== undefined && this.#mayTouch(nodeId)) await this.#delete(nodeId);
    } else {
      const { rev: toRev } = await this.#metadata.getSpace(this.#spaceId);
      const parts = await changedParts(this.#metadata, {
        spaceId: this.#spaceId, fromRev: past.rev, toRev, below: nodeId,
        mayTouch: this.#mayTouch, signal,
      });
      await this.#restoreTop(chain);
      if (chain.at(-1)?.kind === 'folder') await this.#restoreBelow(nodeId, parts);
      await this.#slice.flush();
      await this.#restoreSharing();
    }
    await this.#slice.flush();
    const { doneCount, skippedCount } = this.#slice;
    return { doneCount, skippedCount };
  }

  async #restoreSharing(): Promise<void> {
    const { sharing, nodeId, past, actor, signal } = this.#job;
    if (sharing === undefined) return;
    const slice = this.#slice;
    await restoreSharing(this.#metadata, {
      past, nodeId, actor, slice, only: sharing.only, ...(signal && { signal }),
    });
  }

  readonly #mayTouch = (id: NodeId): boolean => this.#job.only?.has(id) ?? true;

  /** The very node that is restored: to the folder it was in, or to the nearest one above it that
   *  is still there. */
  async #restoreTop(chain: readonly PastNode[]): Promise<void> {
    const past = chain.at(-1);
    if (past?.parentId === undefined || !this.#mayTouch(past.id)) return;
    const now = await this.#live(past.id);
    const parentId = await this.#nearestLive(chain.slice(0, -1));
    const isRight = now?.parentId === parentId && now.name === past.name;
    if (isRight) await this.#compare(past, now);
    else await this.#bring(past, parentId, await this.#freeNameIn(parentId, past.name, past.id));
    await this.#slice.flush();
    await this.#compareLate();
  }

  async #nearestLive(chain: readonly PastNode[]): Promise<NodeId> {
    for (const { id } of chain.toReversed()) {
      if (await this.#live(id) !== undefined) return id;
    }
    return this.#job.space.rootId;
  }

  /** A name that is free in a folder, or this very node's. */
  async #freeNameIn(parentId: NodeId, name: string, own?: NodeId): Promise<Name> {
    const { space: { casePolicy }, remark } = this.#job;
    const taken = new Set<string>();
    for (const member of await this.#members(parentId)) {
      if (member.id !== own) taken.add(canonicalName(member.name, casePolicy));
    }
    const isTaken = clashesWith(taken, casePolicy);
    return isTaken(name) ? freeName(name, remark, isTaken) : parseName(name);
  }

  /** Level by level, so that what one level needs is on the disk before the next is looked at. */
  async #restoreBelow(topId: NodeId, parts: ChangedParts): Promise<void> {
    const visited: NodeId[] = [];
    for (let level = [topId]; level.length > 0;) {
      const next: NodeId[] = [];
      for (const folderId of level) {
        if (!parts.has(folderId)) continue;
        visited.push(folderId);
        next.push(...await this.#restoreFolder(folderId));
      }
      await this.#slice.flush();
      await this.#compareLate();
      level = next;
    }
    for (const nodeId of this.#aside) {
      const chain = await this.#job.past.findChain(nodeId);
      const isPlaced = chain?.some(({ id }) => id === topId) === true && this.#mayTouch(nodeId);
      if (!isPlaced) await this.#delete(nodeId);
    }
    await this.#slice.flush();
    for (const folderId of visited) {
      const plan = await this.#planOf(folderId);
      for (const { id } of plan === undefined ? [] : extrasOf(plan)) await this.#delete(id);
    }
  }

  /** undefined: the folder is not there. Mounts are let be: they lead to others' files. */
  async #planOf(folderId: NodeId): Promise<FolderPlan | undefined> {
    const { past, space: { casePolicy }, remark, signal } = this.#job;
    if ((await this.#live(folderId))?.kind !== 'folder') return undefined;
    const then: PastNode[] = [];
    for await (const page of past.listFolder(folderId, signal && { signal })) {
      then.push(...page.filter(({ kind }) => kind !== 'mount'));
    }
    const now = await this.#members(folderId);
    const mounts = new Set(now.filter(({ kind }) => kind === 'mount').map(({ id }) => id));
    const mayTouch = (id: NodeId): boolean => this.#mayTouch(id) && !mounts.has(id);
    return { then, now, casePolicy, mayTouch, remark };
  }

  async #members(folderId: NodeId): Promise<NodeRecord[]> {
    const { signal } = this.#job;
    const members: NodeRecord[] = [];
    const pages = this.#metadata.listFolder(this.#spaceId, folderId, signal && { signal });
    for await (const page of pages) members.push(...page);
    return members;
  }

  /** Answers the folders in it that are to be looked at next. */
  async #restoreFolder(folderId: NodeId): Promise<NodeId[]> {
    const plan = await this.#planOf(folderId);
    if (plan === undefined) return [];
    for (const step of planFolder(plan)) {
      this.#job.signal?.throwIfAborted();
      const { name } = step;
      if (step.do === 'rename') await this.#place(step.node.id, folderId, name);
      else if (step.do === 'bring') await this.#bring(step.node, folderId, name);
      else await this.#compare(step.node, { ...step.live, parentId: folderId, name });
    }
    return plan.then.filter(({ kind }) => kind === 'folder').map(({ id }) => id);
  }

  async #place(nodeId: NodeId, toParentId: NodeId, toName: Name): Promise<void> {
    await this.#slice.add(this.#metadata.commit({
      op: 'move', spaceId: this.#spaceId, nodeId, toParentId, toName, replace: false,
      actor: this.#job.actor(),
    }));
  }

  async #bring(past: PastNode, parentId: NodeId, name: Name): Promise<void> {
    let now = await this.#live(past.id);
    if (now === undefined) {
      const entry = await this.#metadata.findDeleted(this.#spaceId, past.id);
      if (entry === undefined) {
        this.#slice.skippedCount += 1;
        return;
      }
      if (entry.nodeId === past.id) {
        await this.#untrash(entry, parentId, name);
        if (past.kind === 'file') this.#late.push(past);
        return;
      }
      // It lies in a folder that was deleted with it inside. That folder comes back first, aside;
      // in the end it is removed again, unless it too has found a place by then.
      await this.#slice.flush();
      const { rootId } = this.#job.space;
      const asideName = freeName(entry.name, `aside ${entry.nodeId}`, () => false);
      await this.#untrash(entry, rootId, asideName);
      await this.#slice.flush();
      this.#aside.push(entry.nodeId);
      now = await this.#live(past.id);
      if (now === undefined) return;
    }
    await this.#place(past.id, parentId, name);
    await this.#compare(past, { ...now, parentId, name });
  }

  async #live(nodeId: NodeId): Promise<NodeRecord | undefined> {
    return (await this.#metadata.findChain(this.#spaceId, nodeId))?.at(-1);
  }

  async #untrash(entry: TrashRecord, toParentId: NodeId, toName: Name): Promise<void> {
    const { nodeId, deletedRev } = entry;
    await this.#slice.add(this.#metadata.commit({
      op: 'restore', spaceId: this.#spaceId, nodeId, deletedRev, toParentId, toName,
      actor: this.#job.actor(),
    }));
  }

  /** What came out of the trash is looked at once it is there. */
  async #compareLate(): Promise<void> {
    for (const past of this.#late.splice(0)) {
      const live = await this.#live(past.id);
      if (live !== undefined) await this.#compare(past, live);
    }
    await this.#slice.flush();
  }

  /** Gives a file the content and times it had. A folder's own times are not restored. `live` has
   *  the place that it has once all steps so far are done. */
  async #compare(past: PastNode, live: NodeRecord): Promise<void> {
    if (past.kind !== 'file' || live.kind !== 'file' || past.mark === live.mark) return;
    const isContentKept = past.contentRev === live.contentRev;
    const isRight = past.modifiedAt === live.modifiedAt && past.createdAt === live.createdAt;
    if (isContentKept && isRight) return;
    const { spaceId, id: nodeId, contentRev } = past;
    const version = await this.#metadata.getVersion(spaceId, nodeId, contentRev);
    const now = isContentKept ? version
      : await this.#metadata.getVersion(spaceId, nodeId, live.contentRev);
    const isSame = Buffer.compare(version.manifest, now.manifest) === 0;
    if (isSame && isRight) return;
    const { modifiedAt, createdAt } = past;
    const times = { modifiedAt: modifiedAt ?? live.modifiedAt, createdAt };
    const parts = { metadata: this.#metadata, content: this.#content };
    await this.#slice.add(putOldContent(parts, version, {
      live, name: parseName(live.name), actor: this.#job.actor(), times,
    }));
  }

  async #delete(nodeId: NodeId): Promise<void> {
    await this.#slice.add(this.#metadata.commit({
      op: 'delete', spaceId: this.#spaceId, nodeId, actor: this.#job.actor(),
    }));
  }
}
