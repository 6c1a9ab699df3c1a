/**
 * One of the processes that serve on a MariaDB database: known to the others by a name, with a sign
 * of life every second, and with leases for what only one of them does. ADR 0048.
 *
 * A server without a name is alone: it is entered all the same, so that a second one on its
 * database is refused in place of the two not knowing of each other.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { HoldfastError } from '../base/errors.ts';
import { LeasedWork, NODE_DEAD_MS, quietRoundOf } from '../platform/index.ts';
import type {
  ChangeHints, Clock, Leases, LeasedWorkOptions, Logger, NodeRecord, NodeRegistry,
} from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import type { LeavingList, StoreSharing } from '../storage/index.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';

const BEAT_MS = 1_000;
const LEASE_TTL_MS = 15_000;
/** So long it may go on taking uploads without being heard; the others wait twice as long. */
const UNHEARD_MS_MAX = 12 * 60 * 60 * 1000;
/** No name of a web node: names begin with a letter. */
const ALONE = '(alone)';
const OP = 'app/WebNode';

/** Garbage is collected by who has this lease. */
export const COLLECTING = 'home-work';

export interface WebNodeParts {
  readonly registry: NodeRegistry;
  readonly leases: Leases;
  readonly leaving: LeavingList;
  readonly hints: ChangeHints;
  /** undefined: it is alone. */
  readonly name: string | undefined;
  /** The data directory. */
  readonly root: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export class WebNode {
  readonly leases: Leases;
  readonly hints: ChangeHints;
  readonly #parts: WebNodeParts;
  readonly #name: string;
  readonly #incarnation = randomUUID();
  readonly #stores: Pick<ObjectBlockStore, 'leaving' | 'reclaim'>[] = [];
  readonly #works = new Map<string, LeasedWork>();
  #heardMs: number;
  /** Something else was in the place of the database when it was last spoken to. */
  #isRefused = false;
  #cancelBeat = (): void => undefined;
  #beating: Promise<void> | undefined;
  #isClosed = false;

  private constructor(parts: WebNodeParts) {
    this.#parts = parts;
    this.#name = parts.name ?? ALONE;
    this.leases = parts.leases;
    this.hints = parts.hints;
    this.#heardMs = parts.clock.monotonic();
  }

  /** Makes the tables where they are not there yet. @throws conflict: another server is alive under
   *  this name, or serves alone, or this one wants to; unavailable. */
  static async open(
    address: ServerAddress,
    parts: Pick<WebNodeParts, 'name' | 'root' | 'version' | 'clock' | 'log'>,
  ): Promise<WebNode> {
    const { openCluster } = await import('./cluster-tables.ts');
    const node = new WebNode({ ...parts, ...await openCluster(address, parts.clock) });
    try {
      await node.#enter();
      return node;
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  get name(): string {
    return this.#name;
  }

  get isAlone(): boolean {
    return this.#name === ALONE;
  }

  /** Of stores that all web nodes write to; undefined: nobody else does. */
  get sharing(): StoreSharing | undefined {
    if (this.isAlone) return undefined;
    const { leaving, registry } = this.#parts;
    return {
      list: leaving,
      isHeard: () => this.#parts.clock.monotonic() - this.#heardMs < UNHEARD_MS_MAX,
      quietRound: async () => quietRoundOf(await registry.list()),
      permit: () => this.#permit(),
    };
  }

  /** From here on it tells every second that it is there, and what is relied upon in a store that
   *  is shared. */
  async start(store: Pick<ObjectBlockStore, 'leaving' | 'reclaim'> | undefined): Promise<void> {
    await this.tell(store);
    this.#beatIn(BEAT_MS);
  }

  /** What is relied upon in one more store is told, too. Nothing in it may have been relied upon
   *  before this resolves. @throws unavailable. */
  async tell(store: Pick<ObjectBlockStore, 'leaving' | 'reclaim'> | undefined): Promise<void> {
    if (store?.leaving === undefined) return;
    await store.leaving.refresh();
    this.#stores.push(store);
  }

  /** Work that one web node does. Resolves after the first try to begin it. */
  async leased(name: string, begin: LeasedWorkOptions['begin']): Promise<LeasedWork> {
    const { clock, log } = this.#parts;
    const work = new LeasedWork({
      leases: this.leases, clock, name, holder: this.#name, ttlMs: LEASE_TTL_MS, begin,
      onTrouble: (err) => log.warn({ err, lease: name }, 'a lease could not be looked at, or what '
        + 'is done under it could not begin; trying again in a moment'),
    });
    this.#works.set(name, work);
    await work.start();
    return work;
  }

  /** Does something once, unless another web node is doing it. */
  async alone(name: string, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    let acting: Promise<void> | undefined;
    const work = await this.leased(name, async () => {
      const over = new AbortController();
      const doing = act(over.signal);
      acting = doing;
      return {
        stop: async () => {
          over.abort(new HoldfastError('unavailable', OP, 'Another server goes on with this.'));
          await doing.catch(() => undefined); // Who asked hears of it.
        },
      };
    });
    try {
      await acting;
    } finally {
      this.#works.delete(name);
      await work.stop();
    }
  }

  /** Whether this one does what is done under that name. */
  holds(name: string): boolean {
    return this.#works.get(name)?.isHeld === true;
  }

  /** The same, as the database says now. @throws unavailable. */
  async stillHolds(name: string): Promise<boolean> {
    const lease = this.#works.get(name)?.lease;
    return lease !== undefined && await this.leases.holds(lease);
  }

  leaseNames(): string[] {
    return [...this.#works.keys()];
  }

  get silentSeconds(): number {
    return (this.#parts.clock.monotonic() - this.#heardMs) / 1000;
  }

  list(): Promise<NodeRecord[]> {
    return this.#parts.registry.list();
  }

  /** Gives back all leases and says farewell. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelBeat();
    await this.#beating;
    for (const work of this.#works.values()) await work.stop();
    const { registry, leases, leaving, hints, log } = this.#parts;
    try {
      await registry.leave({ name: this.#name, incarnation: this.#incarnation });
    } catch (err) {
      log.warn({ err }, 'the other servers could not be told that this one has ended');
    }
    for (const part of [registry, leases, leaving, hints]) await part.close();
  }

  async #enter(): Promise<void> {
    const { registry, root, version } = this.#parts;
    const place = placeOfNode(root);
    const others = (await registry.list()).filter((node) =>
      node.name !== this.#name && node.silentMs < NODE_DEAD_MS);
    const other = others.find(({ name }) => this.isAlone || name === ALONE);
    if (other !== undefined) throw notAlone(other);
    await registry.enter({
      name: this.#name, incarnation: this.#incarnation, version, place,
    }, this.#quietRound());
  }

  #quietRound(): number {
    return Math.min(Number.MAX_SAFE_INTEGER, ...this.#stores.map(({ reclaim, leaving }) =>
      Math.min(reclaim.quietRound, leaving?.round ?? Infinity)));
  }

  #beatIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelBeat = this.#parts.clock.after(delayMs, () => {
      this.#beating = this.#beat().then(() => {
        if (this.#isRefused) this.#parts.log.info({}, 'the database of this installation is back');
        this.#isRefused = false;
      }, (err: unknown) => this.#tellTrouble(err)).finally(() => this.#beatIn(BEAT_MS));
    });
  }

  /** What answers instead of the database says so itself, and may do so for hours: once is enough.
   */
  #tellTrouble(err: unknown): void {
    const isRefused = err instanceof HoldfastError && err.code === 'database-changed';
    if (!isRefused) {
      this.#parts.log.warn({ err }, 'the other servers could not be told that this one is there');
    } else if (!this.#isRefused) {
      this.#parts.log.error({ err }, 'what answers at the address of the database is not what was '
        + 'there; nothing is read or written there, and everybody gets 503, until it is back');
    }
    this.#isRefused = isRefused;
  }

  async #beat(): Promise<void> {
    const { registry, leaving, clock } = this.#parts;
    const sentMs = clock.monotonic();
    if (this.#stores.length > 0) {
      const round = await leaving.readRound();
      for (const store of this.#stores) await store.leaving?.refresh(round);
    }
    const self = { name: this.#name, incarnation: this.#incarnation };
    if (!(await registry.beat(self, this.#quietRound()))) await this.#enter();
    this.#heardMs = sentMs;
  }

  async #permit(): Promise<void> {
    if (await this.stillHolds(COLLECTING)) return;
    const message = 'Another server collects garbage now. This one leaves off.';
    throw new HoldfastError('unavailable', OP, message, { code: 'not-collecting' });
  }
}

/** What a node calls itself in the registry: one process at a time has it. */
export function placeOfNode(root: string): string {
  return `${hostname()}:${root}`;
}

function notAlone({ name, place }: NodeRecord): HoldfastError {
  const which = name === ALONE ? 'without a name' : `named "${name}"`;
  const message = `A server ${which} is using this database already: ${place}. Several servers `
    + 'need a name each (cluster.node) and one object store for all. If that one has just ended, '
    + 'try again in ten seconds. Nothing was changed.';
  return new HoldfastError('conflict', OP, message, { code: 'database-in-use' });
}
