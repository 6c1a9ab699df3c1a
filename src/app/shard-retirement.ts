/** How a shard leaves: closed to new tenants, emptied, and removed. */
import { HoldfastError } from '../base/errors.ts';
import type { MoveRecord, ShardRecord } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { Clock } from '../platform/index.ts';
import { AT_ONCE_MAX } from './shard-drains.ts';
import type { ShardDrains } from './shard-drains.ts';
import {
  awayNow, isBeingDrained, noSuchShard, notMade, stillHasRows, stillInUse, stillOpen, wayBackOpen,
} from './shard-drain-refusals.ts';
import { lookAt, tenantsOn } from './shard-loads.ts';
import type { Shards } from './shards.ts';
import type { MoveDesk } from './tenant-moves.ts';

const OP = 'app/shard';

interface Parts {
  readonly shards: Shards;
  readonly clock: Pick<Clock, 'after'>;
  /** undefined while no server runs. */
  readonly mover: MoveDesk | undefined;
  readonly drains: ShardDrains | undefined;
}

export function shardRetirement(parts: Parts): Operations {
  const { shards: { directory }, drains } = parts;
  const there = (): ShardDrains => {
    if (drains !== undefined) return drains;
    throw new HoldfastError('unavailable', OP, 'Shards are emptied by the server. Start it first.',
      { code: 'no-server' });
  };
  const change = (word: 'pause' | 'resume' | 'stop') =>
    [`shard.drain-${word}`, async (input: PlainRecord) => (
      plain({ drain: await there().change((await shardOf(parts, input)).number, word) }))] as const;
  return {
    'shard.close': async (input) => {
      const shard = await madeShard(parts, input);
      await directory.setShardState(shard.number, 'draining');
      return plain({ shard, tenants: (await tenantsOn(parts.shards, shard)).length });
    },
    'shard.open': async (input) => {
      const shard = await madeShard(parts, input);
      if (await drains?.isDraining(shard.number) === true) throw isBeingDrained(shard.number);
      return plain({ shard: await directory.setShardState(shard.number, 'open') });
    },
    'shard.drain': async (input) => {
      const { atOnce = 1 } = input;
      const isRight = typeof atOnce === 'number' && Number.isSafeInteger(atOnce)
        && atOnce >= 1 && atOnce <= AT_ONCE_MAX;
      if (!isRight) {
        throw new HoldfastError('invalid', OP,
          `Between 1 and ${AT_ONCE_MAX} tenants can be moved at the same time.`);
      }
      const shard = await madeShard(parts, input);
      return plain({ shard, drain: await there().start(shard, atOnce) });
    },
    'shard.drains': async (input) => {
      const all = await there().list();
      if (input['shard'] === undefined) return plain({ drains: all });
      const { number } = await shardOf(parts, input);
      return plain({ drains: all.filter(({ shard }) => shard === number) });
    },
    ...Object.fromEntries([change('pause'), change('resume'), change('stop')]),
    'shard.remove': async (input) => plain({ shard: await remove(parts, input) }),
  };
}

/** By its number or its name. @throws not-found; unavailable: the directory cannot be asked. */
async function shardOf({ shards }: Parts, { shard: wanted }: PlainRecord): Promise<ShardRecord> {
  const said = typeof wanted === 'string' ? wanted : '';
  const found = (await shards.directory.read()).shards.find(({ number, name }) => (
    String(number) === said || name === said));
  if (found === undefined) throw noSuchShard(said);
  return found;
}

async function madeShard(parts: Parts, input: PlainRecord): Promise<ShardRecord> {
  const shard = await shardOf(parts, input);
  if (shard.state === 'making') throw notMade(shard);
  return shard;
}

/** Only what nobody needs any more, as the directory, the moves and the shard itself say. */
async function remove(parts: Parts, input: PlainRecord): Promise<ShardRecord> {
  const { shards, mover, clock } = parts;
  const shard = await shardOf(parts, input);
  const { number, state } = shard;
  if (state === 'closed') return shard;
  // Refused with the reason where that is so: the directory has the last word all the same.
  if (number !== 0) {
    const tenants = await tenantsOn(shards, shard);
    if (tenants.length > 0) throw stillInUse(number, tenants.length);
    if (state === 'open') throw stillOpen(number);
    const moves = await mover?.list() ?? [];
    const open = moves.filter((move) => touches(move, number));
    if (open.length > 0) throw wayBackOpen(number, open.map(({ tenant }) => tenant));
    if (state === 'draining') await checkEmpty(shard, shards, clock);
  }
  const removed = await shards.directory.setShardState(number, 'closed');
  await shards.pool.release(number);
  return removed;
}

function touches({ from, to, state }: MoveRecord, shard: number): boolean {
  return state !== 'done' && state !== 'aborted' && (from === shard || to === shard);
}

/** Notes of moves may lie on another server: rows of a tenant say that one is not over. */
async function checkEmpty(
  shard: ShardRecord, { pool }: Shards, clock: Parts['clock'],
): Promise<void> {
  const { figures } = await lookAt(shard, pool, clock);
  if (figures === undefined) throw awayNow(shard.number);
  const left = figures.tenants.map(({ tenant }) => tenant);
  if (left.length > 0) throw stillHasRows(shard.number, left);
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
