/**
 * What one node knows of the blocks that are about to leave a store which several nodes write to,
 * and what it does about those that it needs.
 *
 * The list is read with every sign of life of the node (`refresh`), never for a put: most blocks
 * are not on it. A claim remembers the round that the node knew when it was opened; `quietRound` is
 * the oldest of them, and a collector removes nothing that was announced after it. So a put that
 * was made before the node heard of a round is not overtaken by it: docs/adr/0048-several-nodes.md.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import { LISTED_MAX, LISTED_PAGE_MAX } from './leaving-list.ts';
import type { LeavingList } from './leaving-list.ts';

const LOOK_AGAIN_MS = 200;
/** For so long a put waits for a removal that is under way. */
const WAIT_MS_MAX = 20_000;

/** How a store is shared. */
export interface StoreSharing {
  readonly list: LeavingList;
  /** Whether the other nodes still wait for this one. Else it may rely on nothing. */
  readonly isHeard: () => boolean;
  /** The oldest quiet round of all nodes. */
  readonly quietRound: () => Promise<number>;
  /** Whether it is this node that collects. @throws unavailable: it is not, or nobody knows. */
  readonly permit: () => Promise<void>;
}

export class LeavingView {
  readonly #sharing: StoreSharing;
  readonly #store: string;
  readonly #clock: Clock;
  #rounds = new Map<BlockId, number>();
  #round = 0;
  /** Up to which round everything is quiet, as of the beginning of the census. */
  #dueRound = -1;

  constructor(sharing: StoreSharing, { store, clock }: { store: string; clock: Clock }) {
    this.#sharing = sharing;
    this.#store = store;
    this.#clock = clock;
  }

  /** The latest round that is known here. */
  get round(): number {
    return this.#round;
  }

  /** Learns of new rounds. */
  async refresh(latestRound?: number): Promise<void> {
    const { list } = this.#sharing;
    if ((latestRound ?? await list.readRound()) !== this.#round) await this.#read();
  }

  async #read(): Promise<void> {
    const { round, blocks } = await this.#sharing.list.read(this.#store);
    this.#rounds = new Map(blocks.map(({ id, round: its }) => [id, its]));
    this.#round = round;
  }

  /** Before a block that is there is relied upon. Resolves at once for nearly all.
   *  @throws busy: it is being removed; unavailable. */
  async need(id: BlockId): Promise<void> {
    if (!this.#sharing.isHeard()) throw unheard();
    if (!this.#rounds.has(id)) return;
    const untilMs = this.#clock.monotonic() + WAIT_MS_MAX;
    while ((await this.#sharing.list.strike(this.#store, [id])).length > 0) {
      if (this.#clock.monotonic() > untilMs) throw beingRemoved();
      await new Promise<void>((resolve) => this.#clock.after(LOOK_AGAIN_MS, resolve));
    }
    this.#rounds.delete(id);
  }

  /** Before a census: from here on it is settled what may go after it. */
  async beginCensus(): Promise<void> {
    const { list, quietRound } = this.#sharing;
    // What could go after the census before, and did not, was needed or has struck it off.
    if (this.#dueRound >= 0) await list.prune(this.#store, this.#dueRound);
    this.#dueRound = await quietRound();
    await this.#read(); // Others may have struck blocks off, which is no new round.
  }

  /** Whether the block was announced before the census, and everybody knows. */
  isDue(id: BlockId): boolean {
    return (this.#rounds.get(id) ?? Infinity) <= this.#dueRound;
  }

  async announce(ids: readonly BlockId[]): Promise<void> {
    const fresh = ids.filter((id) => !this.#rounds.has(id));
    const some = fresh.slice(0, LISTED_MAX - this.#rounds.size);
    if (some.length === 0) return;
    await this.#sharing.list.announce(this.#store, some);
    await this.#read();
  }

  /** Removes those of the blocks that nobody has struck off; answers the others.
   *  @throws unavailable: this node may not collect any more; as `remove`: of the rest nothing was
   *  removed, and nobody puts the block that failed for a while. */
  async remove(
    ids: readonly BlockId[], remove: (id: BlockId) => Promise<void>,
  ): Promise<BlockId[]> {
    const { list, permit } = this.#sharing;
    const kept: BlockId[] = [];
    for (let at = 0; at < ids.length; at += LISTED_PAGE_MAX) {
      const page = ids.slice(at, at + LISTED_PAGE_MAX);
      await permit();
      const begunMs = this.#clock.monotonic();
      const going = new Set(await list.take(this.#store, page, this.#dueRound));
      const settled: BlockId[] = [];
      try {
        for (const id of going) {
          // Who was stopped in between must not remove what has been put again since.
          if (this.#clock.monotonic() - begunMs > REMOVAL_MS_MAX) throw tooLate();
          await remove(id);
          settled.push(id);
        }
      } finally {
        await list.left(this.#store, settled);
      }
      for (const id of settled) this.#rounds.delete(id);
      kept.push(...page.filter((id) => !going.has(id)));
    }
    return kept;
  }

  /** Before something is removed for ever. @throws unavailable. */
  async permit(): Promise<void> {
    await this.#sharing.permit();
  }
}

/** Of one page; far from GOING_MS. */
const REMOVAL_MS_MAX = 5 * 60 * 1000;

function beingRemoved(): HoldfastError {
  const message = 'Something with the same content is just being removed. Try again in a quarter '
    + 'of an hour.';
  return new HoldfastError('busy', 'storage/put', message, { code: 'removal-uncertain' });
}

function unheard(): HoldfastError {
  const message = 'This server could not tell the others for half a day that it is there. Until it '
    + 'can, it takes no files.';
  return new HoldfastError('unavailable', 'storage/put', message, { code: 'node-unheard' });
}

function tooLate(): HoldfastError {
  const message = 'Removing blocks took too long; the rest stays until the next collection.';
  return new HoldfastError('unavailable', 'storage/VolumeReclaim', message, {
    code: 'removal-late',
  });
}
