/**
 * What looks of many followers have in common. A change of a folder that a thousand people see is
 * a thousand looks, and each reads the same events and the same chains of the same space.
 *
 * What was read is good for whoever has seen the journal at the same revision: it was read when the
 * journal stood there, or later. So it may know more than the revision says, and never less, as a
 * page demands of all that it reads; a look after the next change has another revision.
 */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { EventRecord, MetadataStore, NodeRecord } from '../../metadata/index.ts';

type Chains = ReadonlyMap<NodeId, readonly NodeRecord[]>;
type Reads = Pick<MetadataStore, 'findChains' | 'listEvents'>;

/** Of each kind: a kilobyte or two for each. */
const KEPT_MAX = 2_048;
/** More ids or events than this are seldom asked for twice, and take much room. */
const SMALL_MAX = 16;

/** Where a follower has seen a journal stand. */
export interface SeenAt {
  readonly spaceId: SpaceId;
  readonly rev: number;
}

export class SharedReads {
  readonly #metadata: Reads;
  readonly #chains = new Map<string, Promise<Chains>>();
  readonly #events = new Map<string, Promise<readonly EventRecord[]>>();

  constructor(metadata: Reads) {
    this.#metadata = metadata;
  }

  /** As FollowStore.findChains, as of `rev` or later. */
  findChains({ spaceId, rev }: SeenAt, ids: readonly NodeId[]): Promise<Chains> {
    const read = (): Promise<Chains> => this.#metadata.findChains(spaceId, ids);
    if (ids.length > SMALL_MAX) return read();
    return kept(this.#chains, `${spaceId} ${rev} ${ids.join(' ')}`, read);
  }

  /** As FollowStore.listEvents, as of `rev` or later. */
  async listEvents(
    { spaceId, rev }: SeenAt, after: number, limit: number,
  ): Promise<readonly EventRecord[]> {
    const read = (): Promise<readonly EventRecord[]> =>
      this.#metadata.listEvents(spaceId, after, limit);
    if (rev - after > SMALL_MAX) return read();
    return kept(this.#events, `${spaceId} ${rev} ${after} ${limit}`, read);
  }
}

/** The newest stay. A read that fails is not kept. */
function kept<T>(all: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = all.get(key);
  if (known !== undefined) return known;
  const reading = read();
  all.set(key, reading);
  reading.catch(() => all.delete(key));
  const [oldest] = all.keys();
  if (all.size > KEPT_MAX && oldest !== undefined) all.delete(oldest);
  return reading;
}
