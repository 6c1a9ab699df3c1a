/**
 * What may happen to a directory of shards. Pure: each rule looks at what is there and says what to
 * write. The implementations keep rows, and see to it that nobody writes in between.
 */
import type { SpaceId, TenantId } from '../../base/ids.ts';
import {
  badShardName, badShardState, badShardUrl, firstShardStays, passwordInUrl, placeChanged,
  shardClosed, shardDraining, shardExists, shardInUse, shardMissing, shardWasRemoved,
  tooManyShards,
} from './directory-refusals.ts';
import { SHARD_NUMBER_MAX } from '../shard-number.ts';
import type {
  DirectoryView, NewShard, PlaceMove, ShardDirectory, ShardRecord, ShardState, TenantPlace,
} from './shard-directory.ts';

export type DirectoryRows = Pick<DirectoryView, 'shards' | 'places'>;

/** What a rule has written; nothing of it: all stays, and the view keeps its `rev`. */
export interface DirectoryWrite {
  shard?: ShardRecord;
  place?: TenantPlace;
  moved?: { tenant: TenantId; spaces: readonly SpaceId[] };
}

export interface Ruling<T> {
  answer: T;
  write?: DirectoryWrite;
}

/** The tables of a directory. */
export interface DirectoryTables {
  readRev(): Promise<number>;
  read(): Promise<DirectoryView>;
  /** Has a rule look at the rows and writes what it says, with nobody else in between, durably. A
   *  rule may be asked more than once. What it throws leaves nothing. */
  change<T>(rule: (rows: DirectoryRows) => Ruling<T>): Promise<T>;
  close(): Promise<void>;
}

/** The logic that all directories share. */
export class RuledDirectory implements ShardDirectory {
  readonly #tables: DirectoryTables;

  constructor(tables: DirectoryTables) {
    this.#tables = tables;
  }

  readRev(): Promise<number> {
    return this.#tables.readRev();
  }

  read(): Promise<DirectoryView> {
    return this.#tables.read();
  }

  async addShard(shard: NewShard): Promise<ShardRecord> {
    checkShard(shard);
    return this.#tables.change((rows) => addShard(rows, shard));
  }

  async setShardState(number: number, state: ShardState): Promise<ShardRecord> {
    return this.#tables.change((rows) => setShardState(rows, number, state));
  }

  async place(tenant: TenantId, shard: number): Promise<TenantPlace> {
    return this.#tables.change((rows) => place(rows, tenant, shard));
  }

  async movePlace(move: PlaceMove): Promise<TenantPlace> {
    return this.#tables.change((rows) => movePlace(rows, move));
  }

  async close(): Promise<void> {
    await this.#tables.close();
  }
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const URL_LENGTH_MAX = 500;

function checkShard({ name, url }: NewShard): void {
  if (!NAME.test(name)) throw badShardName();
  if (url.length > URL_LENGTH_MAX) throw badShardUrl();
  const path = /^sqlite:([a-zA-Z0-9][a-zA-Z0-9._/-]*)$/.exec(url)?.[1];
  if (path !== undefined && !path.split('/').includes('..')) return;
  if (!/^(mariadb|mysql):\/\/[^/]+\/[^/]+$/.test(url)) throw badShardUrl();
  const [, user = ''] = /^[a-z]+:\/\/([^@]*)@/.exec(url) ?? [];
  if (user === '') throw badShardUrl();
  if (user.includes(':')) throw passwordInUrl();
}

function addShard({ shards }: DirectoryRows, wanted: NewShard): Ruling<ShardRecord> {
  const { name, url, passwordPath, at, state = 'open' } = wanted;
  const taken = shards.find((shard) => shard.name === name || shard.url === url);
  if (taken?.state === 'closed') throw shardWasRemoved(taken.number);
  if (taken !== undefined) throw shardExists(taken.number);
  const number = Math.max(...shards.map((shard) => shard.number)) + 1;
  if (number > SHARD_NUMBER_MAX) throw tooManyShards(SHARD_NUMBER_MAX + 1);
  const shard: ShardRecord = { number, name, url, passwordPath, state, madeAt: at };
  return { answer: shard, write: { shard } };
}

function findShard({ shards }: DirectoryRows, number: number): ShardRecord {
  const shard = shards.find((one) => one.number === number);
  if (shard === undefined) throw shardMissing(number);
  return shard;
}

function setShardState(
  rows: DirectoryRows, number: number, state: ShardState,
): Ruling<ShardRecord> {
  const there = findShard(rows, number);
  if (there.state === state) return { answer: there };
  if (there.state === 'closed') throw shardClosed(number);
  if (state === 'making') throw badShardState();
  if (state === 'closed') {
    if (number === 0) throw firstShardStays();
    const held = rows.places.filter(({ shard }) => shard === number).length;
    if (held > 0) throw shardInUse(number, held);
  }
  const shard = { ...there, state };
  return { answer: shard, write: { shard } };
}

function place(rows: DirectoryRows, tenant: TenantId, shard: number): Ruling<TenantPlace> {
  const there = rows.places.find((one) => one.tenant === tenant);
  if (there !== undefined) return { answer: there };
  const { state } = findShard(rows, shard);
  if (state === 'closed') throw shardClosed(shard);
  // Shard 0 drains too; whoever is there without having been noted is noted all the same.
  if (state !== 'open' && shard !== 0) throw shardDraining(shard);
  const made = { tenant, shard, epoch: 0 };
  return { answer: made, write: { place: made } };
}

function movePlace(
  rows: DirectoryRows, { tenant, epochWas, shard, spaces }: PlaceMove,
): Ruling<TenantPlace> {
  const there = rows.places.find((one) => one.tenant === tenant)
    ?? { tenant, shard: 0, epoch: 0 };
  const made = { tenant, shard, epoch: epochWas + 1 };
  if (there.epoch === made.epoch && there.shard === shard) return { answer: there };
  if (there.epoch !== epochWas) throw placeChanged(there.epoch);
  const { state } = findShard(rows, shard);
  if (state === 'closed') throw shardClosed(shard);
  if (state === 'making') throw shardDraining(shard);
  return { answer: made, write: { place: made, moved: { tenant, spaces } } };
}
