/** How much happened when, at and below a node: the events of a span of time, counted. */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { EventRecord, Instant, MetadataStore } from '../../metadata/index.ts';
import { EVENTS_LIMIT_MAX } from '../../metadata/index.ts';

export interface ActivityBucket {
  /** Where it begins; it ends where the next one does. */
  at: Instant;
  added: number;
  changed: number;
  moved: number;
  deleted: number;
}

export interface Activity {
  /** Equal spans, oldest first. */
  buckets: ActivityBucket[];
  /** False: there was more than is looked at, and only the newest part was counted. */
  isComplete: boolean;
}

export interface ActivitySpan {
  from: Instant;
  to: Instant;
  /** Of buckets, 1 to BUCKETS_MAX. */
  count: number;
  signal?: AbortSignal;
}

export const BUCKETS_MAX = 200;
/** Events that are looked at: well under a second. */
export const ACTIVITY_EVENTS_MAX = 40_000;
/** Folders whose place is looked up. */
const FOLDERS_MAX = 5_000;

type Counted = Exclude<keyof ActivityBucket, 'at'>;

const COUNTED: Readonly<Partial<Record<EventRecord['kind'], Counted>>> = {
  create: 'added', restore: 'added', update: 'changed', move: 'moved', delete: 'deleted',
};

/** Where a folder is no longer there, what happened in it counts for the space's root alone. */
export async function activityOf(
  metadata: Pick<MetadataStore, 'listEvents' | 'findChain' | 'revisionAt'>,
  { spaceId, nodeId, isRoot }: { spaceId: SpaceId; nodeId: NodeId; isRoot: boolean },
  { from, to, count, signal }: ActivitySpan,
): Promise<Activity> {
  const widthMs = Math.max(1, (to - from) / count);
  const buckets = Array.from({ length: count }, (_, index): ActivityBucket => ({
    at: Math.round(from + index * widthMs), added: 0, changed: 0, moved: 0, deleted: 0,
  }));
  const firstRev = await metadata.revisionAt(spaceId, from);
  const lastRev = await metadata.revisionAt(spaceId, to);
  const below = new Below(metadata, spaceId, nodeId);
  let after = Math.max(firstRev, lastRev - ACTIVITY_EVENTS_MAX);
  let isComplete = after === firstRev;
  while (after < lastRev) {
    signal?.throwIfAborted();
    const limit = Math.min(EVENTS_LIMIT_MAX, lastRev - after);
    const events = await metadata.listEvents(spaceId, after, limit);
    if (events.length === 0) break;
    for (const event of events) {
      const counted = COUNTED[event.kind];
      const bucket = buckets[Math.min(count - 1, Math.floor((event.at - from) / widthMs))];
      if (counted === undefined || bucket === undefined) continue;
      if (isRoot || await below.holds(event)) bucket[counted] += 1;
    }
    after = events.at(-1)?.rev ?? lastRev;
  }
  isComplete &&= !below.isFull;
  return { buckets, isComplete };
}

class Below {
  readonly #metadata: Pick<MetadataStore, 'findChain'>;
  readonly #spaceId: SpaceId;
  readonly #nodeId: NodeId;
  readonly #known = new Map<NodeId, boolean>();

  constructor(
    metadata: Pick<MetadataStore, 'findChain'>, spaceId: SpaceId, nodeId: NodeId,
  ) {
    this.#metadata = metadata;
    this.#spaceId = spaceId;
    this.#nodeId = nodeId;
  }

  get isFull(): boolean {
    return this.#known.size >= FOLDERS_MAX;
  }

  async holds({ nodeId, parentBefore, parentAfter }: EventRecord): Promise<boolean> {
    if (nodeId === this.#nodeId) return true;
    for (const folder of [parentAfter, parentBefore]) {
      if (folder !== undefined && await this.#isBelow(folder)) return true;
    }
    return false;
  }

  async #isBelow(folder: NodeId): Promise<boolean> {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    if (this.isFull) return false;
    const chain = await this.#metadata.findChain(this.#spaceId, folder);
    const isIt = chain?.some(({ id }) => id === this.#nodeId) === true;
    this.#known.set(folder, isIt);
    return isIt;
  }
}
