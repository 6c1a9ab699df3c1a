/** Moves of tenants between shards, as the server does them and operators order them. */
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { parseTenantId } from '../base/ids.ts';
import type { SpaceId } from '../base/ids.ts';
import { MAP_SURE_MS, NotedMoveJournal, TenantMover } from '../metadata/index.ts';
import type { MoveRecord, TenantRows, tenantMoveSlice } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { Clock, ValuesOf } from '../platform/index.ts';
import type { Shards } from './shards.ts';
import type { Stores } from './stores.ts';

/** In the data directory. */
export const TENANT_MOVES_FOLDER = 'tenant-moves';
const OP = 'app/tenantMoves';
const HOUR_MS = 3_600_000;
const IDLE_MS = 1_000;
const FREEZE_MAX_MS = 2_000;

export interface TenantMovesOptions {
  /** The data directory. */
  readonly root: string;
  readonly shards: Pick<Shards, 'directory' | 'pool'>;
  readonly clock: Clock;
  readonly settings: ValuesOf<typeof tenantMoveSlice.settings>;
  /** Told of each space that is elsewhere now: whoever waits for its news looks there. */
  readonly onFlipped: (space: SpaceId) => void;
}

/** Goes on with the moves that a server before this one has left. */
export async function openTenantMoves(options: TenantMovesOptions): Promise<TenantMover> {
  const { root, shards, clock, settings, onFlipped } = options;
  return TenantMover.open({
    journal: await NotedMoveJournal.open(join(root, TENANT_MOVES_FOLDER)),
    directory: shards.directory, clock, rowsOf: (number) => rowsOf(shards, number),
    pace: {
      rowsPerSecond: settings.rowsPerSecond, freezeMaxMs: FREEZE_MAX_MS,
      reverseMs: settings.wayBackHours * HOUR_MS, quietMs: 2 * MAP_SURE_MS, idleMs: IDLE_MS,
    },
    onFlipped: (_, spaces) => spaces.forEach((space) => onFlipped(space)),
  });
}

async function rowsOf(
  { directory, pool }: Pick<Shards, 'directory' | 'pool'>, number: number,
): Promise<TenantRows> {
  const shard = directory.map.view.shards.find((each) => each.number === number);
  const isReady = shard?.state === 'open' || shard?.state === 'draining';
  const rows = isReady ? (await pool.get(shard)).tenantRows : undefined;
  if (rows !== undefined) return rows;
  throw new HoldfastError('not-found', OP, `There is no shard ${number} that tenants can be on. `
    + 'See: holdfast shard list', { code: 'shard-missing', facts: { shard: number } });
}

/** `mover`: undefined while no server runs. */
export function tenantMoveOperations(
  mover: TenantMover | undefined, { identity, shards }: Pick<Stores, 'identity' | 'shards'>,
): Operations {
  const there = (): TenantMover => {
    if (mover === undefined) throw noServer();
    return mover;
  };
  const tenantOf = ({ tenant }: PlainRecord) =>
    parseTenantId(typeof tenant === 'string' ? tenant : '');
  const viewOf = (record: MoveRecord): PlainRecord =>
    JSON.parse(JSON.stringify(record)) as PlainRecord;
  const change = (word: 'pause' | 'resume' | 'abort' | 'back' | 'finish') =>
    [`tenant.move-${word}`, async (input: PlainRecord) => {
      const tenant = tenantOf(input);
      await there()[word](tenant);
      return viewOf(there().get(tenant));
    }] as const;
  return {
    'tenant.move': async (input) => {
      const { to } = input;
      if (typeof to !== 'number' || !Number.isSafeInteger(to) || to < 0) {
        throw new HoldfastError('invalid', OP, 'Name a shard by its number. See: holdfast shard '
          + 'list');
      }
      const { id } = await identity.tenants.get(tenantOf(input)); // No move by a typing error.
      const shard = shards.directory.map.view.shards.find((each) => each.number === to);
      if (shard?.state === 'draining') throw isDraining(to);
      return viewOf(await there().start(id, to));
    },
    'tenant.moves': async () => ({ moves: there().list().map(viewOf) }),
    ...Object.fromEntries([change('pause'), change('resume'), change('abort'), change('back'),
      change('finish')]),
  };
}

function isDraining(shard: number): HoldfastError {
  return new HoldfastError('conflict', OP, `Shard ${shard} takes no tenants any more. Choose `
    + 'another one: holdfast shard list', { code: 'shard-draining', facts: { shard } });
}

function noServer(): HoldfastError {
  return new HoldfastError('unavailable', OP, 'Tenants are moved by the server. Start it first.',
    { code: 'no-server' });
}
