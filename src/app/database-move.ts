/**
 * Carries accounts, metadata, the directory of shards and keyed requests of a data directory from
 * its files into one MariaDB database, or back, while no server runs. ADR 0052.
 *
 * Until the end nothing counts of what was carried: `database.json` says where the databases are,
 * and is written, or removed, when both sides have been compared. The database says of itself
 * meanwhile that it is not whole, and servers refuse it. Whoever is stopped gives the command
 * again: what is there already is compared instead of copied.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { DatabaseMove, DatabaseMoveOutcome } from '../cli/index.ts';
import {
  findOwner, leaveDatabase, markDatabase, readTurns,
} from '../metadata/stores/mariadb/installation.ts';
import type { DatabaseMark } from '../metadata/stores/mariadb/installation.ts';
import {
  armFailpoint, clusterSlice, databaseSlice, failpoint, findDataDirectory, formatDatabaseUrl,
  lockData, serverSlice,
} from '../platform/index.ts';
import type { Clock, Config, DataLock, DatabaseSettings } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { findDatabaseNote, addressOf, forgetDatabase, noteDatabase } from './database-place.ts';
import { DatabaseCarrier } from './database-carrier.ts';
import {
  forgetMove, placeDrafts, putFilesAside, readMoveNote, writeMoveNote,
} from './database-move-note.ts';
import type { DatabaseKind, DatabaseMoveNote } from './database-move-note.ts';
import * as refusals from './database-move-refusals.ts';
import {
  TURN_TABLES, bringHomes, checkAlone, checkFilesMovable, checkNotAltered, checkServerMovable,
  closeFileShards,
} from './database-move-checks.ts';
import { hasDirectoryFile, makeOnMariadb, sectionsOf } from './database-sections.ts';
import { fenceDatabase, unfenceDatabase } from '../tables/stores/mariadb/mariadb-fence.ts';
import { moveWebhooksOut } from './webhook-place.ts';

/** What says whose the database is goes on changing, and turns are taken away at the end. */
const FENCE = { open: ['installation'], endable: TURN_TABLES };

export interface MoveParts {
  readonly root: string;
  readonly installation: string;
  readonly address: ServerAddress;
  readonly url: string;
  readonly settings: DatabaseSettings;
  readonly clock: Clock;
  /** Of one that has begun. */
  readonly note: DatabaseMoveNote | undefined;
}

/** Looks at both sides. Nothing is carried before `run`.
 *  @throws conflict `data-locked`: a server runs; conflict: with what to do. */
export async function openDatabaseMove(
  config: Config, { to, clock }: { to: DatabaseKind; clock: Clock },
): Promise<DatabaseMove> {
  const { dataDirectory, failpoint: armed } = config.of(serverSlice);
  if (armed !== undefined) armFailpoint(armed);
  const { path: root, instanceId: installation } = await findDataDirectory(dataDirectory);
  const lock = lockData(root);
  try {
    const isOnServer = await findDatabaseNote(root, installation) !== undefined;
    const note = await readMoveNote(root);
    const known = { root, installation, clock, note };
    const settings = config.of(databaseSlice);
    if (!isOnServer && to === 'files') return closing(staysInFiles(known), lock);
    if (settings.url === undefined) throw refusals.noSettings(note?.url);
    const url = formatDatabaseUrl(settings.url);
    const parts: MoveParts = {
      ...known, url, settings, address: await addressOf(settings),
    };
    if (to === 'files') {
      if (config.of(clusterSlice).node !== undefined) throw refusals.severalServers();
      return closing(await toFiles(parts), lock);
    }
    return closing(isOnServer ? staysOnServer(parts) : await toMariadb(parts), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function closing(move: Omit<DatabaseMove, 'close'>, lock: DataLock): DatabaseMove {
  return { ...move, close: async () => lock.release() };
}

type Move = Omit<DatabaseMove, 'close'>;

/** Nothing is left to be carried. */
function only(run: () => Promise<DatabaseMoveOutcome>): Move {
  return { plan: async () => [], run };
}

/** A move to MariaDB is given up, or one to files was all but over. */
function staysInFiles({ root, note }: Pick<MoveParts, 'root' | 'note'>): Move {
  if (note === undefined) throw refusals.isThere('files');
  return only(async () => {
    await forgetMove(root);
    return note.to === 'files' ? { kind: 'moved', to: 'files', url: note.url, aside: [] }
      : { kind: 'stayed', at: 'files', url: note.url };
  });
}

/** A move to files is given up, or one to MariaDB was all but over. */
function staysOnServer(parts: MoveParts): Move {
  const { note, url } = parts;
  if (note === undefined) throw refusals.isThere('mariadb');
  if (note.to === 'mariadb') return only(() => endOnServer(parts, note));
  if (note.step === 'flip') throw refusals.onlyForward();
  return only(async () => {
    await checkOwn(parts, ['leaving', 'whole']);
    await stay(parts);
    return { kind: 'stayed', at: 'mariadb', url };
  });
}

/** What was begun to be left counts as before. */
async function stay({ root, address, installation }: MoveParts): Promise<void> {
  await unfenceDatabase(address);
  await markDatabase(address, { installation, mark: 'whole' });
  await forgetMove(root);
}

async function checkOwn(
  { address, installation }: MoveParts, marks: readonly DatabaseMark[],
): Promise<DatabaseMark> {
  const owner = await findOwner(address);
  if (owner?.installation === installation && marks.includes(owner.mark)) return owner.mark;
  throw refusals.notOurs(owner);
}

async function toMariadb(parts: MoveParts): Promise<Move> {
  const { root, address, installation, clock, url, note: before } = parts;
  if (!existsSync(join(root, 'stores-complete'))) throw refusals.nothingThere();
  const owner = await findOwner(address);
  // One that was stopped between its last two steps left the database as a whole.
  const isBegun = owner?.installation === installation
    && (owner.mark === 'filling' || (owner.mark === 'whole' && before?.to === 'mariadb'
      && before.step === 'flip'));
  if (owner !== undefined && !isBegun) throw refusals.notEmpty();
  const sections = sectionsOf({ hasDirectory: hasDirectoryFile(root) });
  for (const { file, open } of sections) await open(join(root, file), { create: false, clock });
  await checkFilesMovable(root);
  const carrier = new DatabaseCarrier({ address, clock }, sections.map((section) => (
    { ...section, path: join(root, section.file) })));
  return {
    plan: () => carrier.countFiles(),
    run: async (onRows) => {
      const note: DatabaseMoveNote = {
        to: 'mariadb', step: 'copy', begunAt: begunAt(parts, 'mariadb'), url,
      };
      await writeMoveNote(root, note);
      await markDatabase(address, { installation, mark: 'filling' });
      failpoint('app.database-marked');
      await closeFileShards(root);
      await makeOnMariadb(address, { root, clock });
      return carrier.carry('to-server', { onRows, flip: () => flipToServer(parts, note) });
    },
  };
}

async function flipToServer(
  parts: MoveParts, note: DatabaseMoveNote,
): Promise<DatabaseMoveOutcome> {
  const { root, address, installation, url } = parts;
  await writeMoveNote(root, { ...note, step: 'flip' });
  failpoint('app.database-compared');
  await markDatabase(address, { installation, mark: 'whole' });
  failpoint('app.database-owned');
  await noteDatabase(root, { installation, url });
  failpoint('app.database-flipped');
  return endOnServer(parts, note);
}

function begunAt({ note, clock }: MoveParts, to: DatabaseKind): number {
  return note?.to === to ? note.begunAt : clock.now();
}

async function endOnServer(
  { root, url }: MoveParts, note: DatabaseMoveNote,
): Promise<DatabaseMoveOutcome> {
  const aside = await putFilesAside(root, note);
  await forgetMove(root);
  return { kind: 'moved', to: 'mariadb', url, aside };
}

async function toFiles(parts: MoveParts): Promise<Move> {
  const { root, note, address, url } = parts;
  if (note?.to === 'files' && note.step === 'flip') return only(() => endInFiles(parts, note));
  await checkOwn(parts, ['whole', 'leaving']);
  const carrier = await carrierToFiles(parts);
  return {
    plan: () => carrier.countOnServer(),
    run: async (onRows) => {
      // A move to MariaDB that was all but over: its files are in the way of those to come.
      if (note?.to === 'mariadb') await endOnServer(parts, note);
      const begun: DatabaseMoveNote = {
        to: 'files', step: 'copy', begunAt: begunAt(parts, 'files'), url,
      };
      await beginLeaving(parts, begun);
      const turns = await readTurns(address, TURN_TABLES);
      await carrier.makeFiles();
      return carrier.carry('to-files', { onRows, flip: async () => {
        const compared: DatabaseMoveNote = { ...begun, step: 'flip', turns };
        await writeMoveNote(root, compared);
        failpoint('app.database-compared');
        return endInFiles(parts, compared);
      } });
    },
  };
}

/** Whoever starts from now on is refused; then it is looked who is there already. Who is there and
 *  does not tell changes nothing any more. */
async function beginLeaving(parts: MoveParts, begun: DatabaseMoveNote): Promise<void> {
  const { root, address, installation, clock, note } = parts;
  await writeMoveNote(root, begun);
  try {
    await markDatabase(address, { installation, mark: 'leaving' });
  } catch (error) {
    // Its tables are being altered: nothing has begun, and servers may start as before.
    if (isLocked(error) && note?.to !== 'files') await forgetMove(root);
    throw error;
  }
  failpoint('app.database-marked');
  try {
    await checkNotAltered(parts);
    await unfenceDatabase(address); // Of a try that was cut short: what is at work has to show.
    await checkAlone(address, { root, clock });
    await checkServerMovable(address, { root, clock });
    await bringHomes(address, { root, installation, clock });
    await fenceDatabase(address, FENCE);
    failpoint('app.database-fenced');
  } catch (error) {
    const isPassing = error instanceof HoldfastError && error.retryable && !isLocked(error)
      && error.code !== 'database-refused';
    if (isPassing) throw error;
    if (note?.to !== 'files') await stay(parts);
    throw error;
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'schema-locked';
}

/** Only forward once the database is left: no server takes it, who opened it before has no turn
 *  there, and `database.json` is not gone yet. */
async function endInFiles(
  parts: MoveParts, note: DatabaseMoveNote,
): Promise<DatabaseMoveOutcome> {
  const { root, address, url, clock } = parts;
  if (await checkOwn(parts, ['leaving', 'left']) === 'leaving') await leave(parts, note);
  failpoint('app.database-owned');
  await placeDrafts(root);
  await moveWebhooksOut(root, { address, clock });
  await forgetDatabase(root);
  failpoint('app.database-flipped');
  await forgetMove(root);
  return { kind: 'moved', to: 'files', url, aside: [] };
}

/** What was compared may be of hours ago, if the move was cut short then; and whoever works on the
 *  database by hand may take the fence away. */
async function leave(
  { root, address, installation }: MoveParts, note: DatabaseMoveNote,
): Promise<void> {
  const { turns } = note;
  await fenceDatabase(address, FENCE); // One that an earlier version has begun has none.
  if (turns !== undefined && await leaveDatabase(address, { installation, turns })) return;
  await writeMoveNote(root, { ...note, step: 'copy' });
  throw refusals.changedMeanwhile();
}

async function carrierToFiles({ root, address, clock }: MoveParts): Promise<DatabaseCarrier> {
  const { MariadbShardDirectory } = await import(
    '../metadata/shards/stores/mariadb/mariadb-directory.ts');
  const directory = MariadbShardDirectory.of({ address, clock });
  const hasDirectory = await directory.readRev().finally(() => directory.close()) > 0;
  return DatabaseCarrier.intoDrafts(root, { address, clock }, sectionsOf({ hasDirectory }));
}
