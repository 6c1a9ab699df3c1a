/**
 * Empties shards: has the tenants on them moved to others, some at a time, while everybody works.
 *
 * A drain is a note of what an operator has asked for; how far it is follows from the directory and
 * from the moves, which have notes of their own. So it goes on wherever the process has died.
 */
import { HoldfastError } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import type { MoveRecord, ShardRecord } from '../metadata/index.ts';
import { NoteFolder } from '../platform/index.ts';
import type { Clock, Logger } from '../platform/index.ts';
import { alreadyMoving, awayToDrain, drainMissing, drainOver } from './shard-drain-refusals.ts';
import { chooseTarget, lookAt, tenantsOn } from './shard-loads.ts';
import type { Shards } from './shards.ts';
import type { MoveDesk } from './tenant-moves.ts';

const OP = 'app/ShardDrains';
const FORMAT = 1;
/** Between two looks at whether the next move can begin. */
const STEP_MS = 1_000;
export const AT_ONCE_MAX = 16;

/** docs/formats/shard-drains.md */
export interface DrainRecord {
  readonly shard: number;
  /** `stopped`: given up by an operator; what was moved stays where it is. */
  readonly state: 'draining' | 'done' | 'stopped';
  readonly isPaused: boolean;
  /** Tenants that are moved at the same time. */
  readonly atOnce: number;
  /** Tenants that were there when it began. */
  readonly total: number;
  readonly begunAt: number;
}

export interface DrainShown extends DrainRecord {
  readonly moving: readonly TenantId[];
  /** That are still at home there, and not on their way. */
  readonly waiting: readonly TenantId[];
  /** Why it does not go on, by itself or with a tenant, in words for the operator. */
  readonly troubles: readonly string[];
}

export interface DrainParts {
  readonly root: string;
  readonly shards: Shards;
  readonly mover: MoveDesk;
  readonly clock: Clock;
  readonly log: Logger;
  /** STEP_MS unless a test says so. */
  readonly stepMs?: number;
  /** Told of each tenant whose move begins. */
  readonly onMove: (tenant: TenantId, move: { from: number; to: number }) => void;
}

interface Look {
  moving: TenantId[];
  waiting: TenantId[];
  troubles: string[];
  /** Of those that wait, the ones whose move can begin. */
  ready: TenantId[];
}

export class ShardDrains {
  readonly #parts: DrainParts;
  readonly #folder: NoteFolder;
  readonly #records = new Map<number, DrainRecord>();
  /** What the last step of a drain has met. */
  readonly #troubles = new Map<number, string>();
  #cancel = (): void => undefined;
  #stepping: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(parts: DrainParts, folder: NoteFolder) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** Goes on with those that are not over. @throws invalid: noted by another version. */
  static async open(parts: DrainParts): Promise<ShardDrains> {
    const { folder, notes } = await NoteFolder.open(`${parts.root}/shard-drains`, {
      idPattern: '\\d{1,4}', filesMax: 10_000, op: OP,
      messages: {
        full: 'There is no room left to note how far the emptying of a shard has come.',
        unavailable: 'It could not be noted how far the emptying of a shard has come. Look at the '
          + 'disk of the data directory.',
      },
    });
    const drains = new ShardDrains(parts, folder);
    for (const { text } of notes) drains.#take(text);
    drains.#next(drains.#stepMs);
    return drains;
  }

  get #stepMs(): number {
    return this.#parts.stepMs ?? STEP_MS;
  }

  #take(text: string): void {
    const { format, ...record } = JSON.parse(text) as DrainRecord & { format: number };
    if (format !== FORMAT) {
      throw new HoldfastError('invalid', OP, 'The emptying of a shard was noted by another version '
        + 'of Holdfast. Start the version that wrote it.', { facts: { format } });
    }
    this.#records.set(record.shard, record);
  }

  isDraining(shard: number): boolean {
    return this.#records.get(shard)?.state === 'draining';
  }

  async list(): Promise<DrainShown[]> {
    const records = [...this.#records.values()].toSorted((a, b) => a.shard - b.shard);
    return Promise.all(records.map(async (record) => {
      const { moving, waiting, troubles } = await this.#look(record.shard);
      const own = this.#troubles.get(record.shard);
      return {
        ...record, moving, waiting, troubles: own === undefined ? troubles : [own, ...troubles],
      };
    }));
  }

  /** Begins one, or changes how many tenants are moved at once. @throws as chooseTarget; what the
   *  directory says of a shard that cannot be closed to new tenants. */
  async start(shard: ShardRecord, atOnce: number): Promise<DrainShown> {
    const { shards, clock } = this.#parts;
    const { number } = shard;
    const there = this.#records.get(number);
    const { failure } = await lookAt(shard, shards.pool, clock);
    if (failure !== undefined) throw awayToDrain(number);
    const tenants = await tenantsOn(shards, shard);
    if (tenants.length > 0) await chooseTarget(shards, shard, clock);
    const [incoming] = (await this.#parts.mover.list()).filter((move) => (
      move.to === number && isBeforeFlip(move)));
    if (incoming !== undefined) throw alreadyMoving(incoming.tenant, number);
    await shards.directory.setShardState(number, 'draining');
    const isUnderWay = there?.state === 'draining';
    await this.#put({
      shard: number, state: 'draining', isPaused: false, atOnce,
      total: isUnderWay ? there.total : tenants.length,
      begunAt: isUnderWay ? there.begunAt : clock.now(),
    });
    this.#troubles.delete(number);
    this.#next(0);
    return (await this.list()).find((one) => one.shard === number) as DrainShown;
  }

  /** No further move begins; those that are under way go on. @throws not-found; conflict. */
  async change(shard: number, word: 'pause' | 'resume' | 'stop'): Promise<DrainShown> {
    const record = this.#records.get(shard);
    if (record === undefined) throw drainMissing(shard);
    if (record.state !== 'draining') throw drainOver(shard, record.state);
    await this.#put({
      ...record, isPaused: word === 'pause', ...(word === 'stop' && { state: 'stopped' as const }),
    });
    this.#troubles.delete(shard);
    if (word === 'resume') this.#next(0);
    return (await this.list()).find((one) => one.shard === shard) as DrainShown;
  }

  async #put(record: DrainRecord): Promise<void> {
    await this.#folder.write({
      id: String(record.shard), text: JSON.stringify({ format: FORMAT, ...record }),
    });
    this.#records.set(record.shard, record);
  }

  #next(delayMs: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      this.#stepping = this.#stepping.then(() => this.#stepAll()).finally(() => {
        this.#next(this.#stepMs);
      });
    });
  }

  async #stepAll(): Promise<void> {
    for (const record of this.#records.values()) {
      if (this.#isClosed || record.state !== 'draining' || record.isPaused) continue;
      try {
        await this.#step(record);
        this.#troubles.delete(record.shard);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        if (this.#troubles.get(record.shard) !== error.message) {
          this.#parts.log.warn({ err: error, shard: record.shard }, 'a shard is not emptied any '
            + 'further at the moment');
        }
        this.#troubles.set(record.shard, error.message);
      }
    }
  }

  async #step({ shard, atOnce }: DrainRecord): Promise<void> {
    const { shards, mover, clock, log, onMove } = this.#parts;
    const { moving, waiting, ready } = await this.#look(shard);
    const under = (await mover.list()).filter((move) =>
      move.from === shard && isBeforeFlip(move)).length;
    if (moving.length + waiting.length + under === 0) {
      const record = this.#records.get(shard);
      if (record?.state !== 'draining') return;
      await this.#put({ ...record, state: 'done' });
      log.info({ shard, tenants: record.total }, 'a shard has been emptied');
      return;
    }
    const from = shards.directory.map.view.shards.find(({ number }) => number === shard);
    if (from === undefined) return;
    for (const tenant of ready.slice(0, Math.max(0, atOnce - under))) {
      const to = await chooseTarget(shards, from, clock);
      const isAsked = this.#records.get(shard);
      if (this.#isClosed || isAsked?.state !== 'draining' || isAsked.isPaused) return;
      await mover.start(tenant, to);
      onMove(tenant, { from: shard, to });
    }
  }

  /** @throws unavailable: shard 0 cannot be asked for its tenants. */
  async #look(shard: number): Promise<Look> {
    const { shards, mover } = this.#parts;
    const record = shards.directory.map.view.shards.find(({ number }) => number === shard);
    const look: Look = { moving: [], waiting: [], troubles: [], ready: [] };
    if (record === undefined || record.state === 'closed') return look;
    const moves = new Map((await mover.list()).map((move) => [move.tenant, move]));
    for (const tenant of await tenantsOn(shards, record)) {
      const move = moves.get(tenant);
      if (move !== undefined && move.from === shard && isBeforeFlip(move)) {
        look.moving.push(tenant);
        if (move.trouble !== undefined) look.troubles.push(`${tenant}: ${move.trouble}`);
        else if (move.isPaused) look.troubles.push(pausedOf(tenant));
        continue;
      }
      look.waiting.push(tenant);
      const isBusy = move !== undefined && move.state !== 'done' && move.state !== 'aborted';
      if (isBusy) look.troubles.push(stillOf(move));
      else look.ready.push(tenant);
    }
    return look;
  }

  /** Goes on at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#stepping;
  }
}

/** Or in it: the tenant may be elsewhere already, and waits to be let in there. */
function isBeforeFlip({ state }: MoveRecord): boolean {
  return !['reverse', 'clean', 'done', 'aborted'].includes(state);
}

function pausedOf(tenant: TenantId): string {
  return `${tenant}: its move is paused. To go on: holdfast tenant move resume ${tenant}`;
}

function stillOf({ tenant, from, state, reverseUntil }: MoveRecord): string {
  if (state !== 'reverse') return `${tenant}: an earlier move of it is not over yet.`;
  const until = reverseUntil === undefined ? '' : ` until ${new Date(reverseUntil).toISOString()}`;
  return `${tenant}: it came from shard ${from}, and its way back is open${until}. Sooner: `
    + `holdfast tenant move finish ${tenant}`;
}
