/** Makes one page of one caller's feed. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { CHAINS_MAX } from '../../metadata/index.ts';
import type {
  EventRecord, Instant, MetadataStore, NodeRecord, PastSpace, SpaceStanding,
} from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { keyOf } from '../view/received.ts';
import type { GroundParts, ReceivedShares } from '../view/received.ts';
import { Entries, putSwitched, putTouched } from './entries.ts';
import type { Looked } from './entries.ts';
import { FEED_HIDDEN_MAX, FEED_SPACES_MAX } from './feed-cursor.ts';
import type { FeedCursor, FeedPosition } from './feed-cursor.ts';
import { grantsRev, isSame, lapsedPrint, positionAt, printOfEvent } from './positions.ts';
import { Scene } from './scene.ts';
import type { MountSeen } from './scene.ts';
import type { SeenChange } from './seen-change.ts';
import type { SeenAt, SharedReads } from './shared-reads.ts';
import { hasExpired, switchesBetween } from './switches.ts';
import type { SwitchAnswer } from './switches.ts';
import { idsAround, touchedBy } from './touched.ts';
import type { Touched } from './touched.ts';
import { mountKey, mountWindow, ownWindow } from './window.ts';
import type { Window } from './window.ts';

export interface FeedParts {
  metadata: MetadataStore;
  reads: SharedReads;
  spaces: SpaceDirectory;
  received: ReceivedShares;
  now: () => Instant;
}

type Chain = readonly NodeRecord[];

export type MadePage = { next: FeedCursor; spaces: SpaceId[] } & (
  | { isReset: true }
  | {
    isReset: false; changes: SeenChange[]; isMore: boolean;
    /** Nothing in the cursor but the time would be another. */
    isSame: boolean;
    /** A journal has gone on, or permission has changed. */
    hasMoved: boolean;
  });

/** The cursor cannot be followed. */
class Unfollowable extends Error {}

export class FeedPageMaker {
  readonly #parts: FeedParts;
  readonly #caller: Caller;
  readonly #holdMark: string;
  readonly #at: Instant;
  readonly #entries = new Entries();
  readonly #others = new Map<SpaceId, FeedPosition>();
  readonly #hidden = new Set<NodeId>();
  /** Events that may still be taken. */
  #left = 0;
  #isMore = false;
  #hasMoved = false;
  #ownReached: FeedPosition | undefined;

  constructor(parts: FeedParts, caller: Caller, holdMark: string) {
    this.#parts = parts;
    this.#caller = caller;
    this.#holdMark = holdMark;
    this.#at = parts.now();
  }

  /** A page that says to begin anew, from now on. */
  async reset(): Promise<MadePage> {
    const scene = await this.#look(undefined);
    const ownStanding = scene.standingOf(scene.own.id);
    const own = positionAt(ownStanding, { accessRev: ownStanding.rev, lapsedPrint: 0 });
    for (const [spaceId, mounts] of scene.mounts) {
      const standing = scene.standingOf(spaceId);
      const accessRev = await this.#parts.metadata.accessRev(spaceId);
      const ground = await this.#ground(spaceId);
      const targets = mounts.map(({ target }) => target.nodeId);
      const chains = await this.#chains(seenAt(standing, spaceId), targets);
      for (const mount of mounts) {
        if (!this.#isSeen(scene, mount, { ground, chains })) this.#hide(mount.nodeId);
      }
      this.#others.set(spaceId, positionAt(standing, {
        accessRev: grantsRev(standing, accessRev), lapsedPrint: lapsedPrint(ground),
      }));
    }
    return { isReset: true, next: this.#cursor(own, true), spaces: scene.spaceIds };
  }

  async page(since: FeedCursor, limit: number): Promise<MadePage> {
    this.#left = limit;
    const scene = await this.#look(since);
    try {
      const own = await this.#followOwn(scene, since);
      this.#ownReached = own;
      for (const [spaceId, mounts] of scene.mounts) {
        await this.#followOther(scene, since, { spaceId, mounts });
      }
      const next = this.#cursor(own, !this.#isMore);
      const changes = this.#entries.list;
      return {
        isReset: false, changes, isMore: this.#isMore, next, spaces: scene.spaceIds,
        // What time has changed was told: then the time in the cursor counts too.
        hasMoved: this.#hasMoved, isSame: changes.length === 0 && isSame(since, next),
      };
    } catch (error) {
      if (!(error instanceof Unfollowable)) throw error;
      return new FeedPageMaker(this.#parts, this.#caller, this.#holdMark).reset();
    }
  }

  #cursor(own: FeedPosition, isComplete: boolean): FeedCursor {
    const { groupsRev } = this.#caller;
    return {
      at: this.#at, groupsRev, holdMark: this.#holdMark, isComplete, own, others: this.#others,
      hidden: this.#hidden,
    };
  }

  /** Where the journals stand is read first: what is read later may know more, never less. */
  async #look(since: FeedCursor | undefined): Promise<Scene> {
    const { spaces, received, metadata } = this.#parts;
    const own = await spaces.personalSpace(this.#caller);
    await received.of(this.#caller, own); // Makes what is due.
    // Where nobody shares anything any more, mounts are still there, and nothing is seen at them.
    const before = await metadata.listMounts(own.id);
    const ids = new Set(before.mounts.map(({ target }) => target.spaceId));
    ids.delete(own.id);
    if (ids.size > FEED_SPACES_MAX) throw tooManyShares();
    const spaceIds = [own.id, ...[...ids].toSorted((a, b) => a - b)];
    const standings = await metadata.listStandings(spaceIds);
    const now = await received.of(this.#caller, own);
    const { mounts } = await metadata.listMounts(own.id);
    return new Scene({ own, received: now, mounts, standings, spaceIds, since });
  }

  async #followOwn(scene: Scene, since: FeedCursor): Promise<FeedPosition> {
    const { id: spaceId } = scene.own;
    const standing = scene.standingOf(spaceId);
    const { events, position } = await this.#events(spaceId, standing, since.own);
    if (events.length === 0) return { ...position, accessRev: position.rev };
    const touched = touchedBy(events);
    const chains = await this.#chains(seenAt(standing, spaceId, position), [...idsAround(touched)]);
    const looked: Looked = {
      touched, chains, switched: new Set(),
      isGapless: since.isComplete
        && await this.#isAtEnd(spaceId, position.rev, { touched, switched: [] }),
    };
    const window = ownWindow(spaceId);
    for (const [nodeId, each] of touched) {
      const node = chains.get(nodeId)?.at(-1);
      const target = node?.target;
      if (target !== undefined) scene.touchMount(nodeId, target, { touched: each, looked });
      else if (each.last.nodeKind === 'mount') await this.#putUnmounted(each);
      else putTouched(this.#entries, window, each, looked);
    }
    return { ...position, accessRev: position.rev };
  }

  /** A mount that is gone still has its target in the past. */
  async #putUnmounted(touched: Touched): Promise<void> {
    const { spaceId, rev, nodeId } = touched.last;
    const past = await this.#past(spaceId, rev - 1);
    const target = (await past.findChain(nodeId))?.at(-1)?.target;
    if (target === undefined) return; // It went with a folder, and that one is told.
    this.#entries.remove(mountKey(target), target.nodeId, { touched });
  }

  async #followOther(
    scene: Scene, since: FeedCursor, { spaceId, mounts }: { spaceId: SpaceId; mounts: MountSeen[] },
  ): Promise<void> {
    const was = since.others.get(spaceId);
    const standing = scene.standingOf(spaceId);
    // Before the grants: these may be newer than the revision says, and are never older.
    const accessRev = await this.#parts.metadata.accessRev(spaceId);
    const parts = await this.#ground(spaceId);
    const counted = {
      accessRev: grantsRev(standing, accessRev), lapsedPrint: lapsedPrint(parts),
    };
    const position = was ?? positionAt(standing, counted);
    const { events, position: reached } = await this.#events(spaceId, standing, position);
    const switches = was === undefined ? 'nothing'
      : await this.#switches(parts, since, { spaceId, standing, was, accessRev });
    const isQuiet = events.length === 0 && switches === 'nothing'
      && mounts.every((mount) => mount.touched === undefined && mount.wasSeen !== undefined);
    this.#others.set(spaceId, { ...reached, ...counted });
    if (isQuiet) {
      for (const { nodeId, wasSeen } of mounts) if (wasSeen === false) this.#hide(nodeId);
      return;
    }
    this.#hasMoved = true;
    const touched = touchedBy(events);
    const targets = mounts.map(({ target }) => target.nodeId);
    const switched = typeof switches === 'string' ? [] : switches.nodes;
    const ids = new Set([...idsAround(touched), ...targets, ...switched]);
    const chains = await this.#chains(seenAt(standing, spaceId, reached), [...ids]);
    const looked: Looked = {
      touched, chains, switched: new Set(switched),
      isGapless: since.isComplete && was !== undefined
        && await this.#isAtEnd(spaceId, reached.rev, { touched, switched }),
    };
    const windows = await this.#openWindows(scene, mounts, { parts, looked, switches });
    for (const each of touched.values()) {
      for (const window of windowsAt(windows, each, looked)) {
        putTouched(this.#entries, window, each, looked);
      }
    }
    if (typeof switches === 'string') return;
    for (const [rootId, shown] of windows) {
      for (const window of shown) putSwitched(this.#entries, window, { rootId, switches, looked });
    }
  }

  /** Windows by what is mounted, of the mounts that were seen before and are seen now. What was not
   *  seen before comes as a whole, and needs no more than that. */
  async #openWindows(
    scene: Scene, mounts: readonly MountSeen[],
    { parts, looked, switches }: { parts: GroundParts; looked: Looked; switches: SwitchAnswer },
  ): Promise<Map<NodeId, Window[]>> {
    const windows = new Map<NodeId, Window[]>();
    const own = seenAt(scene.standingOf(scene.own.id), scene.own.id, this.#ownReached);
    const places = await this.#chains(own, mounts.map(({ nodeId }) => nodeId));
    for (const mount of mounts) {
      const { nodeId, target, touched, wasSeen } = mount;
      const chain = places.get(nodeId);
      if (chain === undefined) continue; // It goes with an event of the own space.
      const isSeen = this.#isSeen(scene, mount, { ground: parts, chains: looked.chains });
      const window = mountWindow({ chain, target }, parts.ground);
      const root = isSeen ? window.find(looked.chains.get(target.nodeId)) : undefined;
      if (root === undefined) {
        this.#hide(nodeId);
        // A new one may have been told before its own event: its space was new to the feed then.
        if (wasSeen === true) this.#entries.remove(mountKey(target), target.nodeId, {});
        continue;
      }
      const why = { isWhole: true, ...(touched && { touched }) };
      if (touched?.isNew === true || wasSeen !== true) {
        this.#entries.put(root, 'added', why);
        continue;
      }
      if (touched !== undefined) this.#entries.put(root, ...scene.movedMount(touched));
      if (switches === 'anything') this.#entries.put(root, 'changed', { isWhole: true });
      const others = windows.get(target.nodeId);
      if (others === undefined) windows.set(target.nodeId, [window]);
      else others.push(window);
    }
    return windows;
  }

  #isSeen(
    { received }: Scene, { target }: MountSeen,
    { ground: { ground }, chains }: { ground: GroundParts; chains: ReadonlyMap<NodeId, Chain> },
  ): boolean {
    const chain = chains.get(target.nodeId);
    return received?.reached.has(keyOf(target)) === true && chain !== undefined
      && ground.roleAt(chain.map(({ id }) => id)) !== 'none';
  }

  #hide(nodeId: NodeId): void {
    if (this.#hidden.size >= FEED_HIDDEN_MAX) throw tooManyShares();
    this.#hidden.add(nodeId);
  }

  async #ground(spaceId: SpaceId): Promise<GroundParts> {
    const { owner } = await this.#parts.spaces.find(spaceId);
    return this.#parts.received.groundAlone(this.#caller, { spaceId, owner });
  }

  async #switches(
    parts: GroundParts, since: FeedCursor,
    { spaceId, standing, was, accessRev }: {
      spaceId: SpaceId; standing: SpaceStanding; was: FeedPosition; accessRev: number;
    },
  ): Promise<SwitchAnswer> {
    const isOtherGroup = since.groupsRev !== this.#caller.groupsRev;
    const isRegranted = accessRev > was.accessRev;
    if (was.lapsedPrint !== lapsedPrint(parts)) return 'anything';
    if (isOtherGroup && (isRegranted || parts.table.hasGroups)) return 'anything';
    if (!isRegranted && !hasExpired(parts, since.at, this.#at)) return 'nothing';
    if (was.accessRev < standing.revFloor) return 'anything';
    const past = await this.#past(spaceId, was.accessRev);
    return switchesBetween(parts, { at: since.at, grants: await past.listGrants() });
  }

  /** @throws Unfollowable. */
  async #events(
    spaceId: SpaceId, standing: SpaceStanding, was: FeedPosition,
  ): Promise<{ events: EventRecord[]; position: FeedPosition }> {
    const { rev, revFloor, newest } = standing;
    if (was.rev > rev || was.rev < revFloor || was.accessRev > rev) throw new Unfollowable();
    if (was.rev === rev) {
      if (was.print !== printOfEvent(rev, newest)) throw new Unfollowable();
      return { events: [], position: was };
    }
    if (this.#left === 0) {
      this.#isMore = true;
      return { events: [], position: was };
    }
    // With the one that was followed last: if it is another now, the journal is another.
    const wanted = this.#left + 1;
    const after = Math.max(0, was.rev - 1);
    const page = await this.#parts.reads.listEvents({ spaceId, rev }, after, wanted);
    const [known] = was.rev > 0 ? page : [];
    if (was.rev > 0 && was.print !== printOfEvent(was.rev, known)) throw new Unfollowable();
    const from = was.rev > 0 ? 1 : 0;
    const events = page.slice(from, from + this.#left);
    const last = events.at(-1);
    if (last === undefined) return { events, position: was };
    this.#left -= events.length;
    this.#hasMoved = true;
    if (last.rev < rev) this.#isMore = true;
    const position = { ...was, rev: last.rev, print: printOfEvent(last.rev, last) };
    return { events, position };
  }

  /** @throws Unfollowable: it was forgotten a moment ago. */
  async #past(spaceId: SpaceId, rev: number): Promise<PastSpace> {
    try {
      return await this.#parts.metadata.past(spaceId, rev);
    } catch (error) {
      if (isKind(error, 'not-found')) throw new Unfollowable();
      throw error;
    }
  }

  /** Whether nothing was added to a journal until now. To be asked after the look at the tree. */
  async #isAtEnd(
    spaceId: SpaceId, rev: number,
    { touched, switched }: { touched: ReadonlyMap<NodeId, Touched>; switched: readonly NodeId[] },
  ): Promise<boolean> {
    const isAsked = switched.length > 0 || touched.values().some(({ isMoved }) => isMoved);
    if (!isAsked) return false;
    const standings = await this.#parts.metadata.listStandings([spaceId]);
    return standings.get(spaceId)?.rev === rev;
  }

  async #chains(seenAt: SeenAt, ids: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Chain>> {
    const { reads } = this.#parts;
    if (ids.length <= CHAINS_MAX) return reads.findChains(seenAt, ids);
    const chains = new Map<NodeId, Chain>();
    for (let from = 0; from < ids.length; from += CHAINS_MAX) {
      const part = ids.slice(from, from + CHAINS_MAX);
      for (const [id, chain] of await reads.findChains(seenAt, part)) chains.set(id, chain);
    }
    return chains;
  }
}

/** A journal may have gone on since its standing was read: what it says is newer then, and so must
 *  be what is read of its nodes. */
function seenAt({ rev }: SpaceStanding, spaceId: SpaceId, reached?: FeedPosition): SeenAt {
  return { spaceId, rev: Math.max(rev, reached?.rev ?? 0) };
}

/** By which a node may be seen, or may have been. */
function windowsAt(
  windows: ReadonlyMap<NodeId, readonly Window[]>, { nodeId, left }: Touched, { chains }: Looked,
): Set<Window> {
  const found = new Set<Window>();
  for (const id of [nodeId, ...left.map(({ parentId }) => parentId)]) {
    for (const node of chains.get(id) ?? []) {
      for (const window of windows.get(node.id) ?? []) found.add(window);
    }
  }
  return found;
}

function tooManyShares(): HoldfastError {
  const message = `Changes can be followed where at most ${FEED_SPACES_MAX} people and teams share `
    + 'something. Decline what is not needed, or look at folders one by one.';
  return new HoldfastError('too-large', 'files/changesSince', message, {
    code: 'too-many-shares',
  });
}
