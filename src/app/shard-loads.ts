/** What is on the shards, and which of them can take more. */
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import type { ShardFigures, ShardRecord, ShardStore } from '../metadata/index.ts';
import type { Clock } from '../platform/index.ts';
import { noOtherShard, noRoom } from './shard-drain-refusals.ts';
import type { Shards } from './shards.ts';

const ANSWER_MS_MAX = 5_000;
/** Left free on a disk that takes a tenant. */
const RESERVE_BYTES = 256 * 1024 * 1024;
/** Databases that differ by less count as equally large. */
const NOTCH_BYTES = 64 * 1024 * 1024;

type Timer = Pick<Clock, 'after'>;

/** A shard as it was found, or why it was not. */
export interface ShardLook {
  shard: ShardRecord;
  store?: ShardStore;
  figures?: ShardFigures;
  failure?: string;
  /** It answers, and is not as it should be. */
  isWrong?: boolean;
}

export function lookAtAll(
  { directory, pool }: Pick<Shards, 'directory' | 'pool'>, clock: Timer,
): Promise<ShardLook[]> {
  return Promise.all(directory.map.view.shards.map((shard) => lookAt(shard, pool, clock)));
}

export async function lookAt(
  shard: ShardRecord, pool: Shards['pool'], clock: Timer,
): Promise<ShardLook> {
  if (shard.state === 'closed' || shard.state === 'making') return { shard };
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ANSWER_MS_MAX, () => late.reject(
    new HoldfastError('unavailable', 'app/shard', 'It does not answer.')));
  try {
    const store = await Promise.race([pool.get(shard), late.promise]);
    return { shard, store, figures: await Promise.race([store.readFigures(), late.promise]) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const { cause } = error; // Of the opening: it has the reason.
    const isOfOpening = error.code === 'shard-away' && cause instanceof HoldfastError;
    const reason = isOfOpening ? cause : error;
    return { shard, failure: reason.message, isWrong: !reason.retryable };
  } finally {
    cancel();
  }
}

/** Those that are at home on a shard. Shard 0 may have some from the time before there were places.
 *  @throws unavailable: it is shard 0, and cannot be asked. */
export async function tenantsOn(
  { directory, pool }: Pick<Shards, 'directory' | 'pool'>, shard: ShardRecord,
): Promise<TenantId[]> {
  const { map } = directory;
  const placed = map.view.places.filter((place) => place.shard === shard.number);
  const found = shard.number === 0 ? (await (await pool.get(shard)).readFigures()).tenants : [];
  const unplaced = found.filter(({ tenant }) => map.placeOf(tenant) === undefined);
  return [...placed, ...unplaced].map(({ tenant }) => tenant).toSorted();
}

/** The least loaded of the other open shards. @throws conflict `no-other-shard`, `no-room`. */
export async function chooseTarget(
  shards: Pick<Shards, 'directory' | 'pool' | 'root' | 'isShared'>, from: ShardRecord, clock: Timer,
): Promise<number> {
  const looks = await lookAtAll(shards, clock);
  const needed = looks.find(({ shard }) => shard.number === from.number)?.figures?.sizeBytes ?? 0;
  const others = looks.filter(({ shard, figures }) => (
    shard.number !== from.number && shard.state === 'open' && figures !== undefined));
  if (others.length === 0) throw noOtherShard(from.number);
  const roomy: ShardLook[] = [];
  for (const look of others) {
    if (await freeBytes(shards, look.shard) > needed + RESERVE_BYTES) roomy.push(look);
  }
  const [best] = roomy.toSorted((a, b) => notchOf(a) - notchOf(b)
    || countOf(a) - countOf(b) || a.shard.number - b.shard.number);
  if (best === undefined) throw noRoom(from.number);
  return best.shard.number;
}

function notchOf({ figures }: ShardLook): number {
  return Math.floor((figures?.sizeBytes ?? 0) / NOTCH_BYTES);
}

function countOf({ figures }: ShardLook): number {
  return figures?.tenants.length ?? 0;
}

/** A server of databases does not tell. */
async function freeBytes(
  { root, isShared }: Pick<Shards, 'root' | 'isShared'>, { number, url }: ShardRecord,
): Promise<number> {
  const file = /^sqlite:(.*)$/.exec(url)?.[1];
  if (file === undefined && (number !== 0 || isShared)) return Infinity;
  const { bavail, bsize } = await statfs(file === undefined ? root : dirname(join(root, file)));
  return bavail * bsize;
}
