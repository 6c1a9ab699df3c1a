/**
 * What has happened lately that a caller can see, newest first: in the caller's own space and in
 * all that others share with the caller.
 *
 * Journals are made to be followed forwards, and the feed of changes (change-feed.ts) tells how
 * things are now. This looks back: revisions are gap-free, so the page before a revision is found
 * by counting, with the statement that reads forwards. The journals of several spaces are merged
 * by time; only those whose newest event is due are read.
 *
 * Permissions are those of now: an event is told to who sees its node, or the folder that the node
 * was in then. What others share is told from when it came into the caller's tree, not from before.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { CHAINS_MAX, STANDINGS_MAX } from '../../metadata/index.ts';
import type {
  EventRecord, Instant, MetadataStore, MountTarget, NodeRecord,
} from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { isLinkCaller } from '../view/link-caller.ts';
import { ReceivedShares, keyOf } from '../view/received.ts';
import type { Received } from '../view/received.ts';
import { actOf } from './seen-act.ts';
import type { ActScene, DatedWindow, SeenAct } from './seen-act.ts';
import { isConflictCopy } from '../../wire/conflict-copy.ts';
import { mountWindow, ownWindow } from './window.ts';

export const ACTIVITY_LIMIT_MAX = 200;
/** Spaces that one look back goes through: those in which something happened last. */
export const ACTIVITY_SPACES_MAX = 50;
/** Events that one page looks at. */
export const ACTIVITY_LOOKED_MAX = 1_000;
/** Events that are read at once. */
const CHUNK = 100;
const READS_MAX = 80;

/** How far back a space was looked through: events below `rev`, none of them later than `at`. */
export interface ActivityPlace {
  spaceId: SpaceId;
  rev: number;
  at: Instant;
}

export interface ActivityPage {
  acts: SeenAct[];
  /** Where the next page begins; undefined: that was all. A page may be short, or even empty, and
   *  not be the last. */
  next: readonly ActivityPlace[] | undefined;
}

export interface ActivityWanted {
  /** 1 to ACTIVITY_LIMIT_MAX. */
  limit: number;
  /** `next` of the page before. */
  from?: readonly ActivityPlace[] | undefined;
  /** Only what happened at or below this node of the caller's tree. */
  below?: { spaceId: SpaceId; nodeId: NodeId } | undefined;
  /** Only files that came as conflict copies and are there still. */
  onlyConflictCopies?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

interface ActivityParts {
  metadata: MetadataStore;
  spaces: SpaceDirectory;
  now: () => Instant;
}

export class ActivityFeed {
  readonly #parts: ActivityParts;
  readonly #received: ReceivedShares;

  constructor(parts: ActivityParts) {
    this.#parts = parts;
    this.#received = new ReceivedShares(parts);
  }

  /** One page. The number of statements depends on the spaces and events of the page alone, not on
   *  how much has happened before. @throws denied: whoever comes by a link; the signal's reason. */
  async page(caller: Caller, wanted: ActivityWanted): Promise<ActivityPage> {
    if (isLinkCaller(caller)) throw noActivity();
    const { metadata } = this.#parts;
    const views = await this.#views(caller, wanted);
    const readers = (await this.#places(views, wanted.from))
      .map((place) => new BackwardReader(metadata, place, firstSight(views.get(place.spaceId))));
    const acts: SeenAct[] = [];
    let looked = 0;
    const reads = { left: READS_MAX };
    while (acts.length < wanted.limit && looked < ACTIVITY_LOOKED_MAX) {
      wanted.signal?.throwIfAborted();
      const events = await takeNewest(readers, wanted.limit - acts.length, reads);
      if (events.length === 0) break;
      looked += events.length;
      acts.push(...await this.#acts(events, views, wanted));
    }
    const next = readers.filter(({ isOver }) => !isOver).map(({ place }) => place);
    return { acts, next: next.length === 0 ? undefined : next };
  }

  /** All spaces of which the caller may see something, with how. */
  async #views(caller: Caller, { below }: ActivityWanted): Promise<Map<SpaceId, DatedWindow[]>> {
    const { spaces, metadata } = this.#parts;
    const own = await spaces.personalSpace(caller);
    const views = new Map<SpaceId, DatedWindow[]>();
    views.set(own.id, [{ window: ownWindow(own.id), isOwn: true, since: -Infinity }]);
    const received = await this.#received.of(caller, own);
    const mounts = received?.mounts.filter(({ target }) => target.spaceId !== own.id
      && received.reached.has(keyOf(target))
      && (below === undefined || below.spaceId === target.spaceId)) ?? [];
    for (let at = 0; at < mounts.length; at += CHAINS_MAX) {
      const part = mounts.slice(at, at + CHAINS_MAX);
      const chains = await metadata.findChains(own.id, part.map(({ nodeId }) => nodeId));
      for (const { nodeId, target } of part) {
        const chain = chains.get(nodeId);
        if (chain === undefined || received === undefined) continue;
        const { owner } = await spaces.find(target.spaceId);
        const parts = { spaceId: target.spaceId, owner };
        const { ground } = await this.#received.groundAlone(caller, parts);
        const since = sharedSince(received, target, chain);
        const dated = { window: mountWindow({ chain, target }, ground), isOwn: false, since };
        views.set(target.spaceId, [...views.get(target.spaceId) ?? [], dated]);
      }
    }
    if (below === undefined) return views;
    const only = views.get(below.spaceId);
    return new Map(only === undefined ? [] : [[below.spaceId, only]]);
  }

  async #places(
    views: ReadonlyMap<SpaceId, readonly DatedWindow[]>,
    from: readonly ActivityPlace[] | undefined,
  ): Promise<ActivityPlace[]> {
    if (from !== undefined) return from.filter(({ spaceId }) => views.has(spaceId));
    const ids = [...views.keys()].slice(0, STANDINGS_MAX);
    const standings = await this.#parts.metadata.listStandings(ids);
    const places = [...standings].flatMap(([spaceId, { rev, newest }]) => {
      return newest === undefined ? [] : [{ spaceId, rev: rev + 1, at: newest.at }];
    });
    return places.toSorted((a, b) => b.at - a.at).slice(0, ACTIVITY_SPACES_MAX);
  }

  /** In the order of the events. */
  async #acts(
    events: readonly EventRecord[], views: ReadonlyMap<SpaceId, readonly DatedWindow[]>,
    { below, onlyConflictCopies = false }: ActivityWanted,
  ): Promise<SeenAct[]> {
    const chosen = onlyConflictCopies ? events.filter(bringsConflictCopy) : events;
    const scenes = new Map<SpaceId, ActScene>();
    for (const spaceId of new Set(chosen.map((event) => event.spaceId))) {
      const here = chosen.filter((event) => event.spaceId === spaceId);
      const ids = new Set(here.flatMap(({ nodeId, parentBefore, parentAfter }) => {
        return [nodeId, parentBefore, parentAfter].filter((id) => id !== undefined);
      }));
      const windows = views.get(spaceId) ?? [];
      scenes.set(spaceId, { windows, chains: await this.#chains(spaceId, [...ids]), below });
    }
    return chosen.flatMap((event) => {
      const scene = scenes.get(event.spaceId);
      const act = scene && actOf(event, scene);
      if (act === undefined) return [];
      const nameNow = scene?.chains.get(act.nodeId)?.at(-1)?.name ?? '';
      const isWanted = !onlyConflictCopies || (act.isThere && isConflictCopy(nameNow));
      return isWanted ? [act] : [];
    });
  }

  async #chains(
    spaceId: SpaceId, ids: readonly NodeId[],
  ): Promise<Map<NodeId, readonly NodeRecord[]>> {
    const chains = new Map<NodeId, readonly NodeRecord[]>();
    for (let at = 0; at < ids.length; at += CHAINS_MAX) {
      const part = await this.#parts.metadata.findChains(spaceId, ids.slice(at, at + CHAINS_MAX));
      for (const [id, chain] of part) chains.set(id, chain);
    }
    return chains;
  }
}

/** Since it was given to the caller in person, or else since it is in the caller's tree: who comes
 *  into a group later was not there before. */
function sharedSince(
  { grants }: Received, target: MountTarget, chain: readonly NodeRecord[],
): Instant {
  const given = grants.filter((grant) => grant.subject.kind === 'user'
    && grant.spaceId === target.spaceId && grant.nodeId === target.nodeId);
  const seen = chain.at(-1)?.createdAt ?? Infinity;
  return Math.min(seen, ...given.map(({ createdAt }) => createdAt));
}

function firstSight(windows: readonly DatedWindow[] = []): Instant {
  return Math.min(...windows.map(({ since }) => since));
}

function bringsConflictCopy({ kind, nodeKind, nameAfter }: EventRecord): boolean {
  return nodeKind === 'file' && (kind === 'create' || kind === 'move')
    && isConflictCopy(nameAfter ?? '');
}

/** The newest events of all readers together. Fewer than wanted: no more may be read now. */
async function takeNewest(
  readers: readonly BackwardReader[], count: number, reads: { left: number },
): Promise<EventRecord[]> {
  const events: EventRecord[] = [];
  while (events.length < count) {
    let newest: BackwardReader | undefined;
    for (const reader of readers) {
      if (!reader.isOver && (newest === undefined || reader.at > newest.at)) newest = reader;
    }
    if (newest === undefined) break;
    if (newest.isRead) {
      events.push(newest.take());
      continue;
    }
    if (reads.left === 0) break;
    reads.left -= 1;
    await newest.read();
  }
  return events;
}

/** One journal, from the newest event back. */
class BackwardReader {
  readonly #metadata: Pick<MetadataStore, 'listEvents'>;
  readonly #spaceId: SpaceId;
  readonly #since: Instant;
  #rev: number;
  #at: Instant;
  /** Oldest first: taken from its end. */
  #events: EventRecord[] = [];

  constructor(
    metadata: Pick<MetadataStore, 'listEvents'>, { spaceId, rev, at }: ActivityPlace,
    since: Instant,
  ) {
    this.#metadata = metadata;
    this.#since = since;
    this.#spaceId = spaceId;
    this.#rev = rev;
    this.#at = at;
  }

  get place(): ActivityPlace {
    return { spaceId: this.#spaceId, rev: this.#rev, at: this.at };
  }

  /** Of the next event, or later than that as long as it was not read. */
  get at(): Instant {
    return this.#events.at(-1)?.at ?? this.#at;
  }

  get isOver(): boolean {
    return this.#rev <= 1 || this.at < this.#since;
  }

  get isRead(): boolean {
    return this.#events.length > 0;
  }

  async read(): Promise<void> {
    const after = Math.max(0, this.#rev - 1 - CHUNK);
    const events = await this.#metadata.listEvents(this.#spaceId, after, CHUNK);
    this.#events = events.filter(({ rev }) => rev < this.#rev);
    if (this.#events.length === 0) this.#rev = 0; // A journal of another server, after a restore.
  }

  take(): EventRecord {
    const event = this.#events.pop();
    if (event === undefined) throw new TypeError('nothing was read');
    this.#rev = event.rev;
    this.#at = event.at;
    return event;
  }
}

function noActivity(): HoldfastError {
  const message = 'What happened is told to people with an account alone.';
  return new HoldfastError('denied', 'files/ActivityFeed', message);
}
