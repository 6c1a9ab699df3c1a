/** Moves of tenants between shards, as the server does them and operators order them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { parseTenantId } from '../base/ids.ts';
import type { SpaceId, TenantId } from '../base/ids.ts';
import { MAP_SURE_MS, NotedMoveJournal, TenantMover } from '../metadata/index.ts';
import type { MoveJournal, MoveRecord, TenantRows, tenantMoveSlice } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { Clock, LeasedWork, ValuesOf } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import type { Shards } from './shards.ts';
import type { Stores } from './stores.ts';

/** In the data directory. */
export const TENANT_MOVES_FOLDER = 'tenant-moves';
const OP = 'app/tenantMoves';
const HOUR_MS = 3_600_000;
const IDLE_MS = 1_000;
const FREEZE_MAX_MS = 2_000;
/** What a server that was stopped in the middle has sent may still be written for so long. */
const SETTLE_MS = 30_000;
/** Tenants are moved by who has this lease. */
const MOVING = 'tenant-moves';

export interface TenantMovesOptions {
  /** The data directory. */
  readonly root: string;
  readonly stores: Pick<Stores, 'shards' | 'database' | 'webNode'>;
  readonly clock: Clock;
  readonly settings: ValuesOf<typeof tenantMoveSlice.settings>;
  /** Told of each space that is elsewhere now: whoever waits for its news looks there. */
  readonly onFlipped: (space: SpaceId) => void;
}

/** Whoever has tenants moved. */
export interface MoveDesk {
  /** Of all servers. */
  list: () => MoveRecord[] | Promise<MoveRecord[]>;
  /** @throws as TenantMover.start; conflict: another server moves tenants. */
  start: (tenant: TenantId, to: number) => Promise<MoveRecord>;
}

/**
 * The moves of an installation. With a directory in files one server does them, and notes them in
 * its data directory. With one on MariaDB the server that has the lease does, and notes them there:
 * so another one goes on when it dies, and no two begin with one tenant.
 */
export class TenantMoves implements MoveDesk {
  readonly #options: TenantMovesOptions;
  #mover: TenantMover | undefined;
  #ending: { stop: () => Promise<void> } | undefined;

  private constructor(options: TenantMovesOptions) {
    this.#options = options;
  }

  /** Goes on with what a server before this one has left, if it is for this one. */
  static async begin(options: TenantMovesOptions): Promise<TenantMoves> {
    const moves = new TenantMoves(options);
    const { root, stores: { webNode, database } } = options;
    if (webNode === undefined || database.kind !== 'mariadb') {
      const journal = await NotedMoveJournal.open(join(root, TENANT_MOVES_FOLDER));
      moves.#ending = await moves.#open(journal, () => true, 0);
      return moves;
    }
    await carryNotes(options, database.address);
    const { MariadbMoveJournal } = await onMariadb();
    const { clock } = options;
    let work: LeasedWork | undefined;
    moves.#ending = work = await webNode.leased(MOVING, async ({ epoch }) => {
      const journal = new MariadbMoveJournal({ address: database.address, clock, epoch });
      const settleMs = webNode.isAlone ? 0 : SETTLE_MS;
      // At the first try there is nobody to ask yet: the lease has just been taken.
      const isOurs = (): boolean => work === undefined || work.lease?.epoch === epoch;
      const ending = await moves.#open(journal, isOurs, settleMs);
      return {
        stop: async () => {
          await ending.stop();
          await journal.close();
        },
      };
    });
    return moves;
  }

  async #open(
    journal: MoveJournal, isOurs: () => boolean, settleMs: number,
  ): Promise<{ stop: () => Promise<void> }> {
    const { stores: { shards }, clock, settings, onFlipped } = this.#options;
    const mover = await TenantMover.open({
      journal, isOurs, directory: shards.directory, clock,
      rowsOf: (number) => rowsOf(shards, number),
      pace: {
        rowsPerSecond: settings.rowsPerSecond, freezeMaxMs: FREEZE_MAX_MS,
        reverseMs: settings.wayBackHours * HOUR_MS, quietMs: 2 * MAP_SURE_MS, idleMs: IDLE_MS,
      },
      onFlipped: (_, spaces) => spaces.forEach((space) => onFlipped(space)),
    }, settleMs);
    this.#mover = mover;
    return {
      stop: async () => {
        this.#mover = undefined;
        await mover.close();
      },
    };
  }

  /** Whether tenants are moved by this process. */
  get isHere(): boolean {
    return this.#mover !== undefined;
  }

  /** @throws conflict: another server moves tenants. */
  async mover(): Promise<TenantMover> {
    if (this.#mover !== undefined) return this.#mover;
    const leases = await this.#options.stores.webNode?.leases.list() ?? [];
    const holder = leases.find(({ name, leftMs }) => name === MOVING && leftMs > 0)?.holder;
    throw movedElsewhere(holder);
  }

  async start(tenant: TenantId, to: number): Promise<MoveRecord> {
    return (await this.mover()).start(tenant, to);
  }

  /** Also of those that another server does. */
  async list(): Promise<MoveRecord[]> {
    if (this.#mover !== undefined) return this.#mover.list();
    const { stores: { database }, clock } = this.#options;
    if (database.kind !== 'mariadb') return [];
    return (await onMariadb()).readMoves(database.address, clock);
  }

  /** Moves stand still where they are, and go on at the next start, or elsewhere. */
  async stop(): Promise<void> {
    await this.#mover?.close(); // Under the lease still: nobody is left frozen.
    await this.#ending?.stop();
  }
}

/** Earlier versions noted moves in the data directory also where the directory of shards is on
 *  MariaDB: without their notes a tenant that they left frozen would stay so. */
async function carryNotes(
  { root, clock }: TenantMovesOptions, address: ServerAddress,
): Promise<void> {
  const folder = join(root, TENANT_MOVES_FOLDER);
  if (!existsSync(folder)) return;
  const noted = await NotedMoveJournal.open(folder);
  const { MariadbMoveJournal } = await onMariadb();
  // Under no lease: whoever has it notes them anew under its own.
  const journal = new MariadbMoveJournal({ address, clock, epoch: 0 });
  await noted.carryTo(journal).finally(() => journal.close());
}

/** Whoever has no such server never loads what speaks to one. */
function onMariadb() {
  return import('../metadata/move/stores/mariadb/mariadb-move-journal.ts');
}

function movedElsewhere(holder: string | undefined): HoldfastError {
  const where = holder === undefined
    ? 'No server moves tenants at this moment; one begins within half a minute. Try again then.'
    : `Tenants are moved by the server "${holder}" at present. Give this order there.`;
  return new HoldfastError('conflict', OP, where, { code: 'moves-elsewhere' });
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

/** `moves`: undefined while no server runs. */
export function tenantMoveOperations(
  moves: TenantMoves | undefined, { identity, shards }: Pick<Stores, 'identity' | 'shards'>,
): Operations {
  const there = async (): Promise<TenantMover> => {
    if (moves === undefined) throw noServer();
    return moves.mover();
  };
  const tenantOf = ({ tenant }: PlainRecord) =>
    parseTenantId(typeof tenant === 'string' ? tenant : '');
  const viewOf = (record: MoveRecord): PlainRecord =>
    JSON.parse(JSON.stringify(record)) as PlainRecord;
  const change = (word: 'pause' | 'resume' | 'abort' | 'back' | 'finish') =>
    [`tenant.move-${word}`, async (input: PlainRecord) => {
      const tenant = tenantOf(input);
      const mover = await there();
      await mover[word](tenant);
      return viewOf(mover.get(tenant));
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
      return viewOf(await (await there()).start(id, to));
    },
    'tenant.moves': async () => {
      if (moves === undefined) throw noServer();
      return { moves: (await moves.list()).map(viewOf) };
    },
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
