/**
 * A shard that was away when the server started is not used before it has been looked at as the
 * others were: whether the content that it refers to is there, and what devices must not see.
 */
import type {
  KnownMarks, ShardedMetadataStore, ShardPool, ShardRecord, ShardStore,
} from '../metadata/index.ts';
import { HoldfastError } from '../base/errors.ts';

/** @throws what is wrong: then the shard stays away, and is tried again. */
export type Admit = (shard: ShardRecord, store: ShardStore) => Promise<void>;

type ReadsMarks = Pick<ShardedMetadataStore, 'readMarks'>;

export class ShardAdmission {
  readonly #acts: Admit[] = [];
  #last: Admit = () => Promise.resolve();
  readonly #onAdmitted: ((shard: number) => void)[] = [];
  #isStarting = false;

  /** From now on what opens comes too late for what the start looks at: it waits for `ready`. */
  begin(): void {
    this.#isStarting = true;
  }

  /** Each act is done with every shard that opens from now on, in the order in which they came. */
  add(act: Admit): void {
    this.#acts.push(act);
  }

  /** Done behind all others, right before the shard is used. */
  setLast(act: Admit): void {
    this.#last = act;
  }

  /** As readMarks, for the start, and `begin`: one that was given up may have opened while another
   *  was waited for. */
  async readFirstMarks(metadata: ReadsMarks, pool: ShardPool): Promise<KnownMarks> {
    return this.readMarks({
      readMarks: async () => {
        const marks = await metadata.readMarks();
        this.begin();
        return marks;
      },
    }, pool);
  }

  /** What shards refer to, as far as they can be asked. One that cannot, but is open, may be used
   *  again at any moment, and nobody would ask it then: it is closed, and comes in as late ones. */
  async readMarks(metadata: ReadsMarks, pool: ShardPool): Promise<KnownMarks> {
    const marks = await metadata.readMarks();
    for (const shard of marks.away) {
      if (pool.find(shard) !== undefined) await pool.release(shard);
    }
    return marks;
  }

  ready(): void {
    this.#isStarting = false;
  }

  /** Called when a shard can be used from now on, that could not before. */
  onAdmitted(act: (shard: number) => void): void {
    this.#onAdmitted.push(act);
  }

  /** @throws unavailable: the server is starting; what the acts throw. */
  async admit(shard: ShardRecord, store: ShardStore): Promise<void> {
    if (this.#isStarting) {
      throw new HoldfastError('unavailable', 'app/shards', 'The server is just starting. Try again '
        + 'shortly.', { code: 'shard-waits' });
    }
    for (const act of [...this.#acts, this.#last]) await act(shard, store);
  }

  admitted(shard: number): void {
    for (const act of this.#onAdmitted) act(shard);
  }
}
