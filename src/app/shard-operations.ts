/** What `holdfast shard` has done: in the running server, or alone while none runs. */
import { HoldfastError } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import { SPACES_LIMIT_MAX, shardOfId } from '../metadata/index.ts';
import type {
  MoveRecord, ShardFigures, ShardRecord, ShardState, ShardStore,
} from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { Clock } from '../platform/index.ts';
import { driftText } from '../schema/index.ts';
import type { Drift } from '../schema/index.ts';
import type { ShardDrains } from './shard-drains.ts';
import { lookAtAll } from './shard-loads.ts';
import type { ShardLook } from './shard-loads.ts';
import { shardRetirement } from './shard-retirement.ts';
import type { Shards } from './shards.ts';
import type { MoveDesk } from './tenant-moves.ts';
import type { Stores } from './stores.ts';

const OP = 'app/shard';
/** As drift is told of a whole table. */
const MISSING = 'is missing';

interface Parts {
  clock: Pick<Clock, 'now' | 'after'>;
}

interface Finding {
  /** `bad`: to be put right; `note`: to be known. */
  weight: 'bad' | 'note';
  shard: number;
  text: string;
  /** What to do. */
  next: string;
}

/** `moves`: undefined while no server runs. */
export function shardOperations(
  { shards }: Pick<Stores, 'shards'>, clock: Parts['clock'],
  { mover, drains }: { mover?: MoveDesk | undefined; drains?: ShardDrains | undefined } = {},
): Operations {
  return {
    'shard.add': (input) => addShard(shards, clock, input),
    'shard.list': async () => plain(await listShards(shards, clock, await mover?.list() ?? [])),
    'shard.check': async () => plain({ findings: await checkShards(shards, clock) }),
    ...shardRetirement({ shards, clock, mover, drains }),
  };
}

/** Said once more with the same name and address it goes on where it was stopped. */
async function addShard(
  shards: Shards, clock: Parts['clock'], input: PlainRecord,
): Promise<PlainRecord> {
  const { directory } = shards;
  const said = { name: textOf(input, 'name'), url: textOf(input, 'url') };
  const passwordPath = optional(input, 'passwordPath');
  await shards.check({ url: said.url, passwordPath });
  const view = await directory.read();
  const begun = view.shards.find(({ name, url, state }) =>
    name === said.name && url === said.url && state === 'making');
  if (begun !== undefined && begun.passwordPath !== passwordPath) throw otherPassword(begun);
  const shard = begun ?? await directory.addShard({
    ...said, passwordPath, at: clock.now(), state: 'making',
  });
  await shards.make(shard);
  return plain({ shard: await directory.setShardState(shard.number, 'open') });
}

async function listShards(
  { directory, pool }: Shards, clock: Parts['clock'], moves: readonly MoveRecord[],
) {
  await directory.refresh();
  const looks = await lookAtAll({ directory, pool }, clock);
  const { ageMs, isReachable } = directory.standing;
  const shards = looks.map(({ shard, figures, failure }) => {
    const atHome = figures?.tenants.filter(({ tenant }) =>
      homeOf({ directory }, tenant) === shard.number) ?? [];
    const { number, name, url, state } = shard;
    return {
      number, name, url, state: STATE_WORDS[state], isReachable: figures !== undefined,
      moves: movesAt(number, moves),
      tenants: tenantsAt({ directory }, shard.number, atHome.map(({ tenant }) => tenant)).size,
      spaces: figures && atHome.reduce((sum, { spaceCount }) => sum + spaceCount, 0),
      sizeBytes: figures?.sizeBytes, schema: figures?.schema, failure,
    };
  });
  return { shards, directory: { ageMs, isReachable } };
}

/** As operators say it: a shard is closed to new tenants, and in the end removed. */
const STATE_WORDS: Readonly<Record<ShardState, string>> = {
  making: 'making', open: 'open', draining: 'closed', closed: 'removed',
};

/** Tenants on their way, and those whose way back is open. */
function movesAt(shard: number, moves: readonly MoveRecord[]) {
  const under = moves.filter(({ state }) => state !== 'done' && state !== 'aborted');
  const moving = under.filter(({ state }) => state !== 'reverse' && state !== 'clean');
  return {
    out: moving.filter(({ from }) => from === shard).length,
    in: moving.filter(({ to }) => to === shard).length,
    waysBack: under.filter((move) => !moving.includes(move) && move.from === shard).length,
  };
}

function homeOf({ directory }: Pick<Shards, 'directory'>, tenant: TenantId): number {
  return directory.map.placeOf(tenant)?.shard ?? 0;
}

/** Those that have a place there, and those that were there before there were places. */
function tenantsAt(
  { directory }: Pick<Shards, 'directory'>, shard: number, found: readonly TenantId[],
): Set<TenantId> {
  const placed = directory.map.view.places.filter((place) => place.shard === shard);
  return new Set([...placed.map(({ tenant }) => tenant), ...found]);
}

async function checkShards(shards: Shards, clock: Parts['clock']): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (!await shards.directory.refresh()) {
    findings.push({
      weight: 'bad', shard: 0, text: 'The directory of shards cannot be reached.',
      next: 'Look at the database that database.url names, then check again.',
    });
  }
  const looks = await lookAtAll(shards, clock);
  for (const look of looks) {
    findings.push(...checkReached(look));
    if (look.figures !== undefined) findings.push(...checkFigures(look.shard, look.figures));
    const { shard, store, figures } = look;
    if (store !== undefined && figures !== undefined) {
      findings.push(...await checkSpaces(shards, shard, store).catch(notWhole(shard)));
    }
  }
  findings.push(...await checkTables(shards));
  return [...findings, ...checkPlaces(shards, looks), ...checkFormats(looks)];
}

async function checkTables(shards: Shards): Promise<Finding[]> {
  const { shards: known } = shards.directory.map.view;
  const drifts = await shards.findDrift().catch((error: unknown) => {
    if (!(error instanceof HoldfastError) || !error.retryable) throw error;
    return []; // The directory is away: that was said.
  });
  return drifts.flatMap(({ shard: name, drifts: found }) => found.map((drift) => ({
    shard: known.find((shard) => shard.name === name)?.number ?? 0, ...tableFinding(name, drift),
  })));
}

/** Tables that are missing are lost; what else differs somebody has altered. Without a column
 *  nothing works that needs it; the rest is slower, or of no use, but works. */
function tableFinding(name: string, drift: Drift): Omit<Finding, 'shard'> {
  const isMissing = drift.problem === MISSING && drift.index === undefined;
  if (isMissing && drift.column === undefined) {
    return {
      weight: 'bad', text: `Shard ${name} lacks the table ${drift.table}.`,
      next: 'Restore its database as a whole, from the newest backup; a single table does not fit '
        + 'the others.',
    };
  }
  return {
    weight: isMissing ? 'bad' : 'note', text: `Shard ${driftText(name, drift)}.`,
    next: 'Somebody has altered it. See: holdfast schema drift',
  };
}

function checkReached({ shard, failure, isWrong }: ShardLook): Finding[] {
  const { number, name, state, url } = shard;
  if (state === 'making') {
    return [{
      weight: 'bad', shard: number, text: `Shard ${number} (${name}) was not made to its end.`,
      next: `Say once more: holdfast shard add ${name} ${url}`,
    }];
  }
  if (failure === undefined) return [];
  return [{
    weight: 'bad', shard: number, text: `Shard ${number} (${name}) cannot be used: ${failure}`,
    next: 'Its tenants get 503 and lose nothing. '
      + `${isWrong === true ? 'Put that right' : 'Bring its database back'}: then it is used `
      + 'again, without a restart.',
  }];
}

function checkFigures({ number, name }: ShardRecord, { nextIds, unsafe }: ShardFigures): Finding[] {
  const astray = Object.entries(nextIds).filter(([, id]) => shardOfId(id) !== number);
  return [
    ...astray.map(([counter, id]): Finding => ({
      weight: 'bad', shard: number,
      text: `Shard ${number} (${name}) would give id ${id} next, of shard ${shardOfId(id)} `
        + `(${counter}).`,
      next: 'Its database was changed by hand or restored wrongly. Stop the server, restore it.',
    })),
    ...unsafe.map((text): Finding => ({
      weight: 'bad', shard: number, text: `Shard ${number} (${name}): ${text}`,
      next: 'Change this setting of its server.',
    })),
  ];
}

/** It went away while it was looked at. */
function notWhole({ number, name }: ShardRecord): (error: unknown) => Finding[] {
  return (error) => {
    if (!(error instanceof HoldfastError) || !error.retryable) throw error;
    return [{
      weight: 'bad', shard: number,
      text: `Shard ${number} (${name}) could not be looked through to the end: ${error.message}`,
      next: 'Check again when its database answers.',
    }];
  };
}

/** Every space that a shard answers for is of a tenant that is at home there, and the other way
 *  round: so no tenant has spaces on two shards. */
async function checkSpaces(
  { directory }: Shards, { number, name }: ShardRecord, store: ShardStore,
): Promise<Finding[]> {
  const astray = new Map<TenantId, number>();
  for (let after: Parameters<ShardStore['listSpaces']>[1]; ;) {
    const page = await store.listSpaces(SPACES_LIMIT_MAX, after);
    for (const { id, tenant } of page) {
      const isAnswered = directory.map.shardOfSpace(id) === number;
      const isHome = homeOf({ directory }, tenant) === number;
      if (isAnswered !== isHome) astray.set(tenant, (astray.get(tenant) ?? 0) + 1);
    }
    after = page.at(-1)?.id;
    if (after === undefined || page.length < SPACES_LIMIT_MAX) break;
  }
  return [...astray].map(([tenant, count]): Finding => ({
    weight: 'bad', shard: number,
    text: `${count} spaces of tenant ${tenant} are on shard ${number} (${name}), and the tenant is `
      + `at home on shard ${homeOf({ directory }, tenant)}.`,
    next: 'Change nothing by hand: keep both databases as they are, and restore the directory of '
      + 'shards as it was after the last move of this tenant.',
  }));
}

function checkPlaces({ directory }: Shards, looks: readonly ShardLook[]): Finding[] {
  const found = looks.flatMap(({ shard, figures }) => (figures?.tenants ?? [])
    .map(({ tenant }) => ({ tenant, shard: shard.number })));
  const reached = new Set(looks.filter(({ figures }) => figures).map(({ shard }) => shard.number));
  return directory.map.view.places.flatMap(({ tenant, shard, epoch }): Finding[] => {
    const at = found.filter((one) => one.tenant === tenant).map((one) => one.shard);
    const elsewhere = at.filter((one) => one !== shard);
    if (!reached.has(shard)) return [];
    if (!at.includes(shard) && elsewhere.length > 0) {
      return [{
        weight: 'bad', shard,
        text: `Tenant ${tenant} is at home on shard ${shard}, which has nothing of it; shard `
          + `${elsewhere.join(', ')} has.`,
        next: 'Change nothing by hand: restore the directory of shards, or the database of shard '
          + `${shard}.`,
      }];
    }
    if (elsewhere.length === 0) return [];
    const isLeft = epoch > 0;
    return [{
      weight: isLeft ? 'note' : 'bad', shard,
      text: `Tenant ${tenant} is at home on shard ${shard}; shard ${elsewhere.join(', ')} has rows `
        + `of it too${isLeft ? ', as after a move' : ', though it was never moved'}.`,
      next: isLeft ? 'Nothing: what is left there goes when the move is cleaned up.'
        : 'Change nothing by hand: one of both is a copy. Keep both, and ask for help.',
    }];
  });
}

/** Of one kind of database all have one format, but for the time of a change of it. */
function checkFormats(looks: readonly ShardLook[]): Finding[] {
  const kinds = Map.groupBy(looks.filter(({ figures }) => figures !== undefined),
    ({ shard: { url } }) => (url === '' ? 'first' : url.split(':')[0]));
  return [...kinds.values()].flatMap((same): Finding[] => {
    const newest = Math.max(...same.map(({ figures }) => figures?.schema ?? 0));
    return same.filter(({ figures }) => (figures?.schema ?? 0) < newest)
      .map(({ shard: { number, name }, figures }) => ({
        weight: 'note', shard: number,
        text: `Shard ${number} (${name}) has tables of format ${figures?.schema}, others of `
          + `${newest}.`,
        next: 'See: holdfast schema status',
      }));
  });
}

function otherPassword({ name }: ShardRecord): HoldfastError {
  return new HoldfastError('conflict', OP, `The making of shard ${name} was begun with another `
    + 'password file. Say that one.', { code: 'shard-password' });
}

function textOf(input: PlainRecord, name: string): string {
  const value = optional(input, name);
  if (value !== undefined) return value;
  throw new HoldfastError('invalid', OP, `The order lacks ${name}.`);
}

function optional(input: PlainRecord, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
