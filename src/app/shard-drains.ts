/**
 * Empties shards: has the tenants on them moved to others, some at a time, while everybody works.
 *
 * A drain is a note of what an operator has asked for, at any server; how far it is follows from
 * the directory and from the moves, which have notes of their own. Who moves tenants looks at the
 * notes again and again: so another one goes on wherever a process has died.
 */
import { HoldfastError } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import type { DrainJournal, DrainRecord, MoveRecord, ShardRecord } from '../metadata/index.ts';
import type { Clock, Logger } from '../platform/index.ts';
import {
  alreadyMoving, awayToDrain, directoryAway, drainMissing, drainOver,
} from './shard-drain-refusals.ts';
import { chooseTarget, lookAt, tenantsOn } from './shard-loads.ts';
import type { Shards } from './shards.ts';
import type { MoveDesk } from './tenant-moves.ts';

/** Between two looks at whether the next move can begin; where nothing is to move, twice that. */
const STEP_MS = 1_000;
/** Of a change by an operator, while who moves tenants notes something, too. */
const CHANGE_ATTEMPTS_MAX = 5;
export const AT_ONCE_MAX = 16;

export interface DrainShown extends DrainRecord {
  readonly moving: readonly TenantId[];
  /** That are still at home there, and not on their way. */
  readonly waiting: readonly TenantId[];
  /** Why it does not go on, by itself or with a tenant, in words for the operator. */
  readonly troubles: readonly string[];
}

export interface DrainParts {
  readonly journal: DrainJournal;
  readonly shards: Shards;
  readonly mover: MoveDesk;
  /** Whether tenants are moved by this process. */
  readonly isOurs: () => boolean;
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
  /** Whether the directory has it, as far as it was read. */
  isKnown: boolean;
}

export class ShardDrains {
  readonly #parts: DrainParts;
  /** Why it could not be looked what is to be done. */
  #trouble: string | undefined;
  #cancel = (): void => undefined;
  #stepping: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** Goes on with those that are not over. The journal is closed with it. */
  static open(parts: DrainParts): ShardDrains {
    const drains = new ShardDrains(parts);
    drains.#next(drains.#stepMs);
    return drains;
  }

  get #stepMs(): number {
    return this.#parts.stepMs ?? STEP_MS;
  }

  /** @throws unavailable. */
  async isDraining(shard: number): Promise<boolean> {
    return (await this.#find(shard))?.state === 'draining';
  }

  async list(): Promise<DrainShown[]> {
    return Promise.all((await this.#parts.journal.list()).map((record) => this.#show(record)));
  }

  async #show(record: DrainRecord): Promise<DrainShown> {
    const { trouble } = record;
    const { moving, waiting, troubles } = await this.#look(record.shard);
    const isStuck = record.state === 'draining' && trouble !== undefined;
    return { ...record, moving, waiting, troubles: isStuck ? [trouble, ...troubles] : troubles };
  }

  async #find(shard: number): Promise<DrainRecord | undefined> {
    return (await this.#parts.journal.list()).find((record) => record.shard === shard);
  }

  /** Begins one, or changes how many tenants are moved at once. @throws as chooseTarget; what the
   *  directory says of a shard that cannot be closed to new tenants. */
  async start(shard: ShardRecord, atOnce: number): Promise<DrainShown> {
    const { shards, clock } = this.#parts;
    const { number } = shard;
    const { failure } = await lookAt(shard, shards.pool, clock);
    if (failure !== undefined) throw awayToDrain(number);
    const tenants = await tenantsOn(shards, shard);
    if (tenants.length > 0) await chooseTarget(shards, shard, clock);
    const [incoming] = (await this.#parts.mover.list()).filter((move) => (
      move.to === number && isBeforeFlip(move)));
    if (incoming !== undefined) throw alreadyMoving(incoming.tenant, number);
    await shards.directory.setShardState(number, 'draining');
    return this.#change(number, (there) => {
      const isUnderWay = there?.state === 'draining';
      return {
        shard: number, rev: there?.rev ?? 0, state: 'draining', isPaused: false, atOnce,
        total: isUnderWay ? there.total : tenants.length,
        begunAt: isUnderWay ? there.begunAt : clock.now(),
      };
    });
  }

  /** No further move begins; those that are under way go on. @throws not-found; conflict. */
  async change(shard: number, word: 'pause' | 'resume' | 'stop'): Promise<DrainShown> {
    return this.#change(shard, (record) => {
      if (record === undefined) throw drainMissing(shard);
      if (record.state !== 'draining') throw drainOver(shard, record.state);
      return {
        ...record, trouble: undefined, isPaused: word === 'pause',
        ...(word === 'stop' && { state: 'stopped' as const }),
      };
    });
  }

  /** What is noted in between is looked at anew. */
  async #change(
    shard: number, changed: (there: DrainRecord | undefined) => DrainRecord,
  ): Promise<DrainShown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const noted = await this.#parts.journal.put(changed(await this.#find(shard)));
        this.#next(0);
        return await this.#show(noted);
      } catch (error) {
        if (!isChanged(error) || attempt >= CHANGE_ATTEMPTS_MAX) throw error;
      }
    }
  }

  #next(delayMs: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      let isBusy = false;
      this.#stepping = this.#stepping.then(async () => {
        isBusy = await this.#stepAll();
      }).finally(() => {
        this.#next(isBusy ? this.#stepMs : 2 * this.#stepMs);
      });
    });
  }

  /** Answers whether there is something to move. */
  async #stepAll(): Promise<boolean> {
    const { journal, shards, isOurs, log } = this.#parts;
    if (this.#isClosed || !isOurs()) return false;
    try {
      const records = (await journal.list()).filter(({ state, isPaused }) =>
        state === 'draining' && !isPaused);
      // Another server may have added shards, and had tenants begin on one until it was closed.
      if (records.length > 0 && !await shards.directory.refresh()) throw directoryAway();
      for (const record of records) await this.#stepOne(record);
      this.#trouble = undefined;
      return records.length > 0;
    } catch (err) {
      if (!(err instanceof HoldfastError)) throw err;
      const isKnown = this.#trouble === err.message;
      if (!isKnown) log.warn({ err }, 'it could not be seen which shards are to be emptied');
      this.#trouble = err.message;
      return false;
    }
  }

  async #stepOne(record: DrainRecord): Promise<void> {
    if (this.#isClosed || !this.#parts.isOurs()) return;
    try {
      await this.#step(record);
      if (record.trouble !== undefined) await this.#tell(record.shard, undefined);
    } catch (err) {
      // It is looked at anew with the next step; who has taken over sees for himself.
      if (isChanged(err) || !this.#parts.isOurs()) return;
      if (!(err instanceof HoldfastError)) throw err;
      if (record.trouble === err.message) return;
      this.#parts.log.warn({ err, shard: record.shard }, 'a shard is not emptied any further at '
        + 'the moment');
      await this.#tell(record.shard, err.message);
    }
  }

  /** So that it is seen at every server. */
  async #tell(shard: number, trouble: string | undefined): Promise<void> {
    const record = await this.#find(shard);
    if (record?.state !== 'draining' || record.trouble === trouble) return;
    await this.#parts.journal.put({ ...record, trouble });
  }

  async #step({ shard, atOnce }: DrainRecord): Promise<void> {
    const { shards, mover, clock, log, onMove, journal } = this.#parts;
    const { moving, waiting, ready, isKnown } = await this.#look(shard);
    if (!isKnown) return;
    const under = (await mover.list()).filter((move) =>
      move.from === shard && isBeforeFlip(move)).length;
    if (moving.length + waiting.length + under === 0) {
      const record = await this.#find(shard);
      if (record?.state !== 'draining') return;
      await journal.put({ ...record, state: 'done', trouble: undefined });
      log.info({ shard, tenants: record.total }, 'a shard has been emptied');
      return;
    }
    const from = shards.directory.map.view.shards.find(({ number }) => number === shard);
    if (from === undefined) return;
    for (const tenant of ready.slice(0, Math.max(0, atOnce - under))) {
      const to = await chooseTarget(shards, from, clock);
      const isAsked = await this.#find(shard);
      if (this.#isClosed || isAsked?.state !== 'draining' || isAsked.isPaused) return;
      await mover.start(tenant, to);
      onMove(tenant, { from: shard, to });
    }
  }

  /** @throws unavailable: shard 0 cannot be asked for its tenants. */
  async #look(shard: number): Promise<Look> {
    const { shards, mover } = this.#parts;
    const record = shards.directory.map.view.shards.find(({ number }) => number === shard);
    const isKnown = record !== undefined;
    const look: Look = { moving: [], waiting: [], troubles: [], ready: [], isKnown };
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
    await this.#parts.journal.close();
  }
}

function isChanged(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'drain-changed';
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
