/**
 * Makes what a quarantine has held, as the batch that somebody asked for by keeping it.
 *
 * Each held change goes in the very transaction that makes it, so after a crash the batch goes on
 * with those that are left. Nothing that somebody else has changed since is overwritten or deleted:
 * held content then becomes a file of its own beside it, a held deletion is dropped. What a lock or
 * a quota stands in the way of stays held.
 *
 * The device may have deleted a folder after it had changed something in it. Then the folder's
 * deletion speaks for all of it, and what was held below goes without a trace.
 */
import { isKind, HoldfastError } from '../../base/errors.ts';
import type { NodeId } from '../../base/ids.ts';
import { canonicalName, parseName } from '../../base/names.ts';
import { HELD_LIMIT_MAX, heldContentRev } from '../../metadata/index.ts';
import type {
  Actor, Change, HeldRecord, MetadataStore, NodeRecord, PastSpace, QuarantineRecord, SpaceRecord,
} from '../../metadata/index.ts';
import { failpoint } from '../../platform/index.ts';
import { clashesWith, freeName } from '../time/free-name.ts';

/** Changes that are made at once, and share a transaction. */
const SLICE_MAX = 100;
/** Rounds over what is left, should the device go on meanwhile. */
const ROUNDS_MAX = 100;

export interface KeepJob {
  quarantine: QuarantineRecord;
  space: SpaceRecord;
  actor: () => Actor;
  signal: AbortSignal;
  /** Held as deleted, by node, with the id of the held change. */
  deletedIds: () => ReadonlyMap<NodeId, { kind: HeldRecord['kind']; id: number }>;
  /** Told of each held change that is no longer held. */
  onGone: (held: HeldRecord) => void;
}

export class Keeper {
  readonly #metadata: MetadataStore;
  readonly #job: KeepJob;
  /** Made as they were held. */
  doneCount = 0;
  /** Made otherwise or not at all, because of what others have done since. */
  skippedCount = 0;

  constructor(metadata: MetadataStore, job: KeepJob) {
    this.#metadata = metadata;
    this.#job = job;
  }

  /** Resolves when nothing is held any more, or nothing more can be made. */
  async run(): Promise<void> {
    const { quarantine, signal } = this.#job;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      let isAny = false;
      for (let after = 0; ;) {
        const page = await this.#metadata.listHeld(quarantine.id, HELD_LIMIT_MAX, after);
        const last = page.at(-1);
        if (last === undefined) break;
        after = last.id;
        for (let from = 0; from < page.length; from += SLICE_MAX) {
          signal.throwIfAborted();
          const slice = page.slice(from, from + SLICE_MAX);
          const made = await Promise.all(slice.map((held) => this.#make(held)));
          isAny ||= made.includes(true);
          failpoint('files.keep-slice');
        }
      }
      if (!isAny) return;
    }
  }

  /** False: it has to stay held for now. */
  async #make(held: HeldRecord): Promise<boolean> {
    try {
      const chain = await this.#metadata.findChain(this.#job.space.id, held.nodeId);
      if (this.#isSuperseded(held, chain)) await this.#drop(held);
      else if (held.kind === 'content') await this.#putContent(held, chain?.at(-1));
      else await this.#delete(held, chain?.at(-1));
      this.#job.onGone(held);
      return true;
    } catch (error) {
      // Something is in the way that may go: a lock, a full quota, or somebody at this very moment.
      const kinds = ['locked', 'quota', 'precondition', 'not-found', 'conflict', 'exists'] as const;
      if (kinds.some((kind) => isKind(error, kind))) return false;
      throw error;
    }
  }

  #isSuperseded(held: HeldRecord, chain: readonly NodeRecord[] | undefined): boolean {
    const others = this.#job.deletedIds();
    return chain?.slice(0, -1).some(({ id }) => {
      const above = others.get(id);
      return above?.kind === 'deleted' && above.id > held.id;
    }) === true;
  }

  async #drop({ id }: HeldRecord): Promise<void> {
    const { quarantine: { id: quarantineId }, space } = this.#job;
    await this.#metadata.commit({
      op: 'drop-held', spaceId: space.id, quarantineId, heldIds: [id],
    });
  }

  async #skip(held: HeldRecord): Promise<void> {
    await this.#drop(held);
    this.skippedCount += 1;
  }

  async #putContent(held: HeldRecord, live: NodeRecord | undefined): Promise<void> {
    const { space, actor } = this.#job;
    const { id: heldId, nodeId, modifiedAt } = held;
    const version = await this.#metadata.getVersion(space.id, nodeId, heldContentRev(heldId));
    const { sizeBytes, checksums, manifest } = version;
    const isAsItWas = live?.kind === 'file' && live.contentRev === held.baseContentRev;
    const put = isAsItWas
      ? {
        parentId: live.parentId ?? space.rootId, name: parseName(live.name),
        expect: { nodeId, mark: live.mark },
      }
      : { ...await this.#placeBeside(held, live), expect: 'absent' as const };
    await this.#commit({
      op: 'put-file', spaceId: space.id, ...put, modifiedAt, heldId,
      content: { sizeBytes, checksums, manifest }, actor: actor(),
    });
    if (isAsItWas) this.doneCount += 1;
    else this.skippedCount += 1;
  }

  /** A free name in the folder where the file is, or was; in the root if that is gone. */
  async #placeBeside(held: HeldRecord, live: NodeRecord | undefined) {
    const { space } = this.#job;
    const wanted = live?.parentId ?? held.parentId;
    const folder = (await this.#metadata.findChain(space.id, wanted))?.at(-1);
    const parentId = folder?.kind === 'folder' ? folder.id : space.rootId;
    const taken = new Set<string>();
    for await (const page of this.#metadata.listFolder(space.id, parentId)) {
      for (const { name } of page) taken.add(canonicalName(name, space.casePolicy));
    }
    const day = new Date(held.heldAt).toISOString().slice(0, 10);
    const isTaken = clashesWith(taken, space.casePolicy);
    return { parentId, name: freeName(held.name, `held ${day}`, isTaken) };
  }

  async #delete(held: HeldRecord, live: NodeRecord | undefined): Promise<void> {
    if (live === undefined) return this.#drop(held); // Somebody else has deleted it too.
    if (live.parentId !== held.parentId || live.name !== held.name) return this.#skip(held);
    if (live.kind === 'folder' && live.mark > held.baseRev) {
      return this.#deleteUnchanged(held, live);
    }
    if (live.contentRev !== held.baseContentRev) return this.#skip(held);
    await this.#deleteNode(live, held.id);
    this.doneCount += 1;
  }

  async #deleteNode({ id: nodeId, mark }: NodeRecord, heldId?: number): Promise<void> {
    await this.#commit({
      op: 'delete', spaceId: this.#job.space.id, nodeId, expect: { nodeId, mark },
      ...(heldId !== undefined && { heldId }), actor: this.#job.actor(),
    });
  }

  /** Of a folder into which others have put or changed something since: all but that. */
  async #deleteUnchanged(held: HeldRecord, folder: NodeRecord): Promise<void> {
    const past = await this.#pastOf(held.baseRev);
    const isEmpty = await this.#emptyFolder(folder, { baseRev: held.baseRev, past });
    const now = (await this.#metadata.findChain(folder.spaceId, folder.id))?.at(-1);
    if (!isEmpty || now === undefined) return this.#skip(held);
    await this.#deleteNode(now, held.id);
    this.doneCount += 1;
  }

  /** undefined: it has been forgotten. */
  async #pastOf(rev: number): Promise<PastSpace | undefined> {
    try {
      return await this.#metadata.past(this.#job.space.id, rev);
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'past-gone') return undefined;
      throw error;
    }
  }

  /** Answers whether nothing is left in it. */
  async #emptyFolder(
    folder: NodeRecord, then: { baseRev: number; past: PastSpace | undefined },
  ): Promise<boolean> {
    let isEmpty = true;
    for await (const page of this.#metadata.listFolder(folder.spaceId, folder.id)) {
      for (const node of page) {
        this.#job.signal.throwIfAborted();
        const isGone = await this.#deleteMember(node, then);
        isEmpty &&= isGone;
      }
    }
    return isEmpty;
  }

  async #deleteMember(
    node: NodeRecord, then: { baseRev: number; past: PastSpace | undefined },
  ): Promise<boolean> {
    const before = (await then.past?.findChain(node.id))?.at(-1);
    const isInPlace = before?.parentId === node.parentId && before?.name === node.name;
    if (!isInPlace || node.kind === 'mount') return false;
    if (node.mark > then.baseRev) {
      if (node.kind !== 'folder' || !await this.#emptyFolder(node, then)) return false;
    }
    const now = (await this.#metadata.findChain(node.spaceId, node.id))?.at(-1);
    if (now !== undefined) await this.#deleteNode(now);
    return true;
  }

  async #commit(change: Change): Promise<void> {
    await this.#metadata.commit(change);
  }
}
