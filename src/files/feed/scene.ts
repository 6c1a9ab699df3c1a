/** What a page begins with: the mounts of the caller, and where the journals stand. */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { MountRecord, MountTarget, SpaceStanding } from '../../metadata/index.ts';
import type { KnownSpace } from '../space-directory.ts';
import type { Received } from '../view/received.ts';
import { pathLeft, wasKnown } from './entries.ts';
import type { Looked, Why } from './entries.ts';
import type { FeedCursor } from './feed-cursor.ts';
import type { SeenChangeKind } from './seen-change.ts';
import type { Touched } from './touched.ts';
import { ownWindow } from './window.ts';

/** A mount of the caller's, as far as the feed knows it. */
export interface MountSeen {
  nodeId: NodeId;
  target: MountTarget;
  /** What the page before has said of it; undefined: nothing, it is new. */
  wasSeen: boolean | undefined;
  touched?: Touched;
}

export class Scene {
  readonly own: KnownSpace;
  readonly received: Received | undefined;
  /** Of other spaces, by space. */
  readonly mounts = new Map<SpaceId, MountSeen[]>();
  readonly spaceIds: SpaceId[];
  readonly #standings: ReadonlyMap<SpaceId, SpaceStanding>;
  #ownLooked: Looked | undefined;

  constructor(parts: {
    own: KnownSpace; received: Received | undefined; spaceIds: SpaceId[];
    mounts: readonly MountRecord[];
    standings: ReadonlyMap<SpaceId, SpaceStanding>; since: FeedCursor | undefined;
  }) {
    const { own, received, mounts, standings, spaceIds, since } = parts;
    this.own = own;
    this.received = received;
    this.#standings = standings;
    this.spaceIds = spaceIds;
    for (const { nodeId, target } of mounts) {
      if (!standings.has(target.spaceId) || target.spaceId === own.id) continue;
      const isFollowed = since?.others.has(target.spaceId) === true;
      const wasSeen = isFollowed ? !since.hidden.has(nodeId) : undefined;
      this.#mountsOf(target.spaceId).push({ nodeId, target, wasSeen });
    }
  }

  #mountsOf(spaceId: SpaceId): MountSeen[] {
    const there = this.mounts.get(spaceId);
    if (there !== undefined) return there;
    const made: MountSeen[] = [];
    this.mounts.set(spaceId, made);
    return made;
  }

  standingOf(spaceId: SpaceId): SpaceStanding {
    const standing = this.#standings.get(spaceId);
    if (standing === undefined) throw new TypeError('a space that was asked for has a standing');
    return standing;
  }

  /** An event of the own space names a mount that is there. */
  touchMount(
    id: NodeId, target: MountTarget,
    { touched, looked }: { touched: Touched; looked: Looked },
  ): void {
    this.#ownLooked = looked;
    // Else its space will be new to the page after this.
    if (!this.#standings.has(target.spaceId)) return;
    const mounts = this.#mountsOf(target.spaceId);
    const mount = mounts.find(({ nodeId }) => nodeId === id);
    if (mount !== undefined) mount.touched = touched;
    else mounts.push({ nodeId: id, target, wasSeen: undefined, touched });
  }

  /** How the entry of a mount with an event of the own space reads. */
  movedMount(touched: Touched): [kind: SeenChangeKind, why: Why] {
    const looked = this.#ownLooked;
    if (!touched.isMoved || looked === undefined) return ['changed', { isWhole: false, touched }];
    const window = ownWindow(this.own.id);
    const isKnown = wasKnown(window, { touched, role: 'owner' }, looked);
    const oldPath = pathLeft(window, touched, looked);
    return ['moved', { isWhole: !isKnown, touched, oldPath }];
  }
}
