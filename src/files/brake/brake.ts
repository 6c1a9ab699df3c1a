/**
 * The mass-change brake: a device that deletes or overwrites more of what was there before than
 * the policy allows is not believed any more, and not refused either. What it goes on deleting and
 * overwriting is held: made for its own eyes only, until somebody decides. Everything else that it
 * does is done as ever.
 *
 * A refusal would be worse than useless: sync clients repeat what was refused, and take what is
 * gone for deleted by somebody. So the device is told that all is well, and sees it so.
 *
 * What counts is content older than the window: programs that write and remove files of their own
 * all day trip nothing.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { HELD_AT_ONCE_MAX } from '../../metadata/index.ts';
import type {
  Actor, Change, ChangeResult, Copy, Expectation, Hold, Instant, MakeFolder, MetadataStore, Move,
  NodeRecord, PutFile,
} from '../../metadata/index.ts';
import type { Taken, Target } from '../aim.ts';
import { exists } from '../deal.ts';
import type { SeenNode } from '../view/sight.ts';
import { BlowCounter } from './blow-counter.ts';
import { deviceKeyOf } from './quarantines.ts';
import type { LiveQuarantine, Quarantines } from './quarantines.ts';

export interface BrakePolicy {
  /** Most nodes that a device may delete or overwrite within the window; 0: as many as it likes. */
  limit: number;
  windowMs: number;
}

/** Of a folder that is deleted no more nodes are looked at than so many times the limit. */
const LOOKED_AT_FACTOR = 10;
/** Nor so many more than the limit: everybody else waits meanwhile. */
const LOOKED_AT_MORE_MAX = 100_000;
/** Where the window begins is looked up anew after this part of it. */
const AGE_PARTS = 10;
/** Spaces of which it is remembered; a full memory begins anew. */
const AGES_MAX = 10_000;

/** What a change came to. `node` is as the tree has it. */
export interface HeldDeed {
  node: NodeRecord;
  created: boolean;
}

export class Brake {
  readonly quarantines: Quarantines;
  readonly #metadata: MetadataStore;
  readonly #policy: BrakePolicy;
  readonly #counter: BlowCounter;
  readonly #now: () => Instant;
  readonly #ages = new Map<SpaceId, { rev: number; untilMs: number }>();

  constructor(parts: {
    metadata: MetadataStore; quarantines: Quarantines; policy: BrakePolicy; now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.quarantines = parts.quarantines;
    this.#policy = parts.policy;
    this.#counter = new BlowCounter(parts.policy.windowMs);
    this.#now = parts.now;
  }

  /** Holds a deletion. False: it is to be made. @throws as Hold. */
  async holdRemoval(
    caller: Caller, node: SeenNode,
    { expect, actor }: { expect: Expectation | undefined; actor: Actor },
  ): Promise<boolean> {
    const live = await this.#judge(caller, node, actor);
    if (live === undefined || await this.#isOwnNew(caller, live, node)) return false;
    const held = await this.quarantines.hold(caller, live, [node], {
      released: [], ...(expect !== undefined && { expect }), actor,
    });
    return held !== undefined;
  }

  /** Holds what puts, copies or makes something where something is. undefined: it is to be done as
   *  ever. @throws as Hold; locked `held-clash`. */
  instead(
    caller: Caller, target: Target, change: Change,
  ): Promise<HeldDeed | undefined> | undefined {
    if (change.op === 'copy') return this.#insteadOfCopy(caller, target, change);
    const isNew = target.held === undefined && target.current === undefined;
    return isNew ? undefined : this.#insteadOfOther(caller, target, change);
  }

  async #insteadOfOther(
    caller: Caller, target: Target, change: Change,
  ): Promise<HeldDeed | undefined> {
    const { held, current } = target;
    if (change.op === 'make-folder') return held && this.#unhide(caller, held, change);
    if (change.op !== 'put-file') return undefined;
    const found = await this.#overwritten(caller, target, change.actor, () =>
      this.#hasBytes(current, change));
    if (found === undefined) return undefined;
    const { expect, upload, reservationId, witness, actor } = change;
    return this.#holdContent(caller, found, change, {
      ...(expect !== undefined && { expect }), ...(upload !== undefined && { upload }),
      ...(reservationId !== undefined && { reservationId }),
      ...(witness !== undefined && { witness }), released: [], actor,
    });
  }

  /** Holds what a move replaces or takes out of a space. undefined: it is to be done as ever.
   *  @throws as Hold and Copy; locked `held-clash`. */
  async insteadOfMove(
    caller: Caller, { source, target }: { source: Taken; target: Target }, change: Move,
  ): Promise<HeldDeed | undefined> {
    const { node } = source;
    const isAway = change.toSpaceId !== undefined;
    const replaces = target.held !== undefined || (target.current !== undefined && change.replace);
    if ((!isAway && !replaces) || node.id === target.current?.id) return undefined;
    const found = replaces ? await this.#overwritten(caller, target, change.actor) : undefined;
    const leaving = isAway || found !== undefined
      ? await this.#judge(caller, node, change.actor) : undefined;
    if (found === undefined && leaving === undefined) return undefined;
    if (source.mount !== undefined) throw clash();
    const { actor } = change;
    const made = found === undefined ? await this.#copyAway(caller, node, change)
      : await this.#holdSource(caller, found, { node, actor });
    if (made === undefined) return undefined;
    const isHeld = await this.holdRemoval(caller, node, { expect: undefined, actor });
    if (isHeld) return made;
    await this.#metadata.commit({ op: 'delete', spaceId: node.spaceId, nodeId: node.id, actor });
    return made;
  }

  /** Sets the time of held content. False: the file's content is not held. */
  async retime(
    caller: Caller, node: SeenNode, { modifiedAt, actor }: { modifiedAt: Instant; actor: Actor },
  ): Promise<HeldDeed | undefined> {
    const live = this.quarantines.live(caller, node.spaceId);
    if (node.contentRev >= 0 || live === undefined) return undefined;
    const content = await this.#contentOf(node);
    return this.#holdContent(caller, { live, place: node }, { content, modifiedAt }, {
      released: [], actor,
    });
  }

  /** The quarantine that a change of this node goes to. `isVain`: nothing would be lost by it. */
  async #judge(
    caller: Caller, node: NodeRecord, actor: Actor, isVain: () => Promise<boolean> = never,
  ): Promise<LiveQuarantine | undefined> {
    const { spaceId } = node;
    const live = this.quarantines.live(caller, spaceId);
    const { limit } = this.#policy;
    if (live !== undefined) return await isVain() ? undefined : live;
    if (limit === 0) return undefined;
    const blows = await this.#blowsOf(node, await this.#oldRev(spaceId));
    if (blows === 0 || await isVain()) return undefined;
    const { user, deviceKey } = deviceKeyOf(caller);
    const key = `${spaceId}\n${user}\n${deviceKey}`;
    if (this.#counter.add(key, blows, this.#now()) <= limit) return undefined;
    this.#counter.forget(key);
    return this.quarantines.open(caller, spaceId, actor);
  }

  /** How many files with content of before the window go with a node; a little over the limit is
   *  as good as all. */
  async #blowsOf(node: NodeRecord, oldRev: number): Promise<number> {
    const { kind, spaceId, id, contentRev } = node;
    if (kind === 'file') return contentRev <= oldRev ? 1 : 0;
    if (kind !== 'folder' || oldRev === 0) return 0;
    const { limit } = this.#policy;
    return this.#metadata.countOlderFiles(spaceId, id, {
      contentRev: oldRev, countMax: limit + 1,
      rowsMax: Math.min(limit * LOOKED_AT_FACTOR, limit + LOOKED_AT_MORE_MAX),
    });
  }

  /** The revision that a space had when the window began, or a little before. */
  async #oldRev(spaceId: SpaceId): Promise<number> {
    const now = this.#now();
    const known = this.#ages.get(spaceId);
    if (known !== undefined && now < known.untilMs) return known.rev;
    const { windowMs } = this.#policy;
    const rev = await this.#metadata.revisionAt(spaceId, now - windowMs);
    if (this.#ages.size >= AGES_MAX) this.#ages.clear();
    this.#ages.set(spaceId, { rev, untilMs: now + windowMs / AGE_PARTS });
    return rev;
  }

  /** What the device has made itself since is its own to change: nobody else misses it. */
  async #isOwnNew(caller: Caller, live: LiveQuarantine, node: NodeRecord): Promise<boolean> {
    const { spaceId, id, kind, contentRev } = node;
    if (kind !== 'file' || live.held.has(id) || contentRev <= live.openedRev) return false;
    const [event] = await this.#metadata.listEvents(spaceId, contentRev - 1, 1);
    return event?.nodeId === id && event.by === caller.user && event.device === caller.device;
  }

  /** The file whose content is to be held; undefined: it is to be overwritten.
   *  @throws locked `held-clash`: it is no file. */
  async #overwritten(
    caller: Caller, { held, current, spaceId, name }: Target, actor: Actor,
    isVain?: () => Promise<boolean>,
  ): Promise<Overwritten | undefined> {
    const place = held ?? current;
    if (place === undefined) return undefined;
    const live = held === undefined ? await this.#judge(caller, place, actor, isVain)
      : this.quarantines.live(caller, spaceId);
    if (live === undefined || await this.#isOwnNew(caller, live, place)) return undefined;
    if (place.kind !== 'file' || (held !== undefined && held.name !== name)) throw clash();
    return { live, place };
  }

  /** A put of the bytes that a file has only sets its times. */
  async #hasBytes(file: NodeRecord | undefined, { content }: PutFile): Promise<boolean> {
    if (file === undefined || file.contentRev < 0) return false;
    if (file.sizeBytes !== content.sizeBytes) return false;
    const { manifest } = await this.#contentOf(file);
    return Buffer.compare(manifest, content.manifest) === 0;
  }

  async #holdContent(
    caller: Caller, { live, place }: Overwritten,
    { content, modifiedAt }: Pick<PutFile, 'content' | 'modifiedAt'>,
    hold: Omit<Hold, 'op' | 'spaceId' | 'quarantineId' | 'deleted' | 'file'>,
  ): Promise<HeldDeed | undefined> {
    const created = live.held.get(place.id)?.kind === 'deleted';
    const result = await this.quarantines.hold(caller, live, [], {
      file: { nodeId: place.id, content, modifiedAt }, ...hold,
    });
    return result && { node: nodeOf(result), created };
  }

  async #holdSource(
    caller: Caller, found: Overwritten, { node, actor }: { node: SeenNode; actor: Actor },
  ): Promise<HeldDeed | undefined> {
    if (node.kind !== 'file') throw clash();
    const content = await this.#contentOf(node);
    const { modifiedAt } = node;
    return this.#holdContent(caller, found, { content, modifiedAt }, { released: [], actor });
  }

  async #contentOf({ spaceId, id, contentRev }: NodeRecord): Promise<PutFile['content']> {
    const { sizeBytes, manifest, checksums } =
      await this.#metadata.getVersion(spaceId, id, contentRev);
    return { sizeBytes, manifest, checksums };
  }

  /** What goes to another space stays where it was, for everybody else. */
  async #copyAway(caller: Caller, node: SeenNode, change: Move): Promise<HeldDeed> {
    this.#checkWhole(caller, node);
    const { spaceId, nodeId, toSpaceId, toParentId, toName, replace, actor } = change;
    const result = await this.#metadata.commit({
      op: 'copy', spaceId, nodeId, toParentId, toName, replace, depth: 'infinity', actor,
      ...(toSpaceId !== undefined && { toSpaceId }),
    });
    return { node: nodeOf(result), created: result.created };
  }

  async #insteadOfCopy(
    caller: Caller, target: Target, change: Copy,
  ): Promise<HeldDeed | undefined> {
    const { held, current, near } = target;
    const { spaceId, nodeId, actor } = change;
    if (nodeId === current?.id) return undefined; // Onto itself: the store says what it says.
    const source = await this.#copied(caller, change);
    const replaces = held !== undefined || (current !== undefined && change.replace);
    const found = replaces ? await this.#overwritten(caller, target, actor) : undefined;
    if (found !== undefined) {
      const node = source ?? (await this.#metadata.findChain(spaceId, nodeId))?.at(-1);
      return node && this.#holdSource(caller, found, { node, actor });
    }
    if (source === undefined) return undefined;
    // The tree has other bytes there than the device means.
    const result = await this.#metadata.commit({
      op: 'put-file', spaceId: near.spaceId, parentId: target.parentId, name: target.name,
      content: await this.#contentOf(source), modifiedAt: source.modifiedAt, actor,
    });
    return { node: nodeOf(result), created: result.created };
  }

  /** The source of a copy as the device sees it, if its content is held. */
  async #copied(caller: Caller, { spaceId, nodeId }: Copy): Promise<NodeRecord | undefined> {
    const live = this.quarantines.live(caller, spaceId);
    if (live === undefined) return undefined;
    const node = (await this.#metadata.findChain(spaceId, nodeId))?.at(-1);
    const view = live.held.get(nodeId);
    if (node === undefined) return undefined;
    if (view?.kind !== 'content') {
      if (node.kind === 'folder') this.#checkWhole(caller, node);
      return undefined;
    }
    return { ...node, ...view, id: nodeId, kind: 'file', contentRev: -view.id, mark: -view.id };
  }

  /** A copy is made of what the tree has; the device may see something else there.
   *  @throws locked `held-clash`. */
  #checkWhole(caller: Caller, { spaceId, contentRev, kind }: NodeRecord): void {
    const heldCount = this.quarantines.live(caller, spaceId)?.held.size ?? 0;
    if (contentRev < 0 || (kind === 'folder' && heldCount > 0)) throw clash();
  }

  /** A folder of the same name as one that is held as deleted: that one is seen again, and what it
   *  has in it is held in its place. */
  async #unhide(
    caller: Caller, folder: SeenNode, { name, actor }: MakeFolder,
  ): Promise<HeldDeed | undefined> {
    const { spaceId, id } = folder;
    const live = this.quarantines.live(caller, spaceId);
    if (live === undefined) throw exists('makeFolder');
    if (folder.kind !== 'folder' || folder.name !== name) throw clash();
    const members: NodeRecord[] = [];
    for await (const page of this.#metadata.listFolder(spaceId, id)) {
      members.push(...page.filter(({ kind }) => kind !== 'mount'));
      if (members.length >= HELD_AT_ONCE_MAX) throw clash();
    }
    const result = await this.quarantines.hold(caller, live, members, { released: [id], actor });
    return result && { node: folder, created: true };
  }
}

const never = async (): Promise<boolean> => false;

interface Overwritten {
  live: LiveQuarantine;
  /** As the tree has it, or as the device sees it. */
  place: NodeRecord;
}

function nodeOf({ node }: ChangeResult): NodeRecord {
  if (node !== undefined) return node;
  throw new HoldfastError('internal', 'files/Brake', 'The change answered no node.');
}

/** A client tries again later and takes nothing for deleted. */
function clash(): HoldfastError {
  const message = 'This device has deleted or changed very much at once, and that waits for a '
    + 'decision of the owner or an administrator. This one cannot be done before.';
  return new HoldfastError('locked', 'files/Brake', message, { code: 'held-clash' });
}

