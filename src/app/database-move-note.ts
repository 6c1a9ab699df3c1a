/**
 * What a data directory knows of a move of its databases that has begun and not ended: the file
 * `database-move.json` (docs/formats/database-move.md), and files that are on their way. Whether
 * the databases are files or on a server says `database.json` alone.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { DatabaseTurns } from '../metadata/stores/mariadb/installation.ts';
import { failpoint } from '../platform/index.ts';
import { readJson, replaceJson, syncFolder } from '../storage/index.ts';
import { DATABASE_FILES } from './database-sections.ts';

const NAME = 'database-move.json';
const FORMAT = 'holdfast-database-move';
const VERSION = 1;
/** Files are built here, where no start looks for them. */
const DRAFTS = 'database-move';
/** What SQLite keeps beside a file; moved with it, though a file that was closed has none. */
const BESIDE = ['-wal', '-shm', '-journal'];
/** Of a file that counts no more, with the moment at which the move began. */
const ASIDE = '.moved-';

export type DatabaseKind = 'files' | 'mariadb';

/** `copy`: nothing counts of what was carried. `flip`: all was carried and compared, and on the way
 *  to files it only goes on from here. */
export interface DatabaseMoveNote {
  readonly to: DatabaseKind;
  readonly step: 'copy' | 'flip';
  /** Milliseconds since 1970 UTC. */
  readonly begunAt: number;
  readonly url: string;
  /** Of `flip`, on the way to files: nobody may have written since. */
  readonly turns?: DatabaseTurns;
}

/** @throws corrupt: it cannot be understood. */
export async function readMoveNote(root: string): Promise<DatabaseMoveNote | undefined> {
  let note: Record<string, unknown> | undefined;
  try {
    note = await readJson(join(root, NAME));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw damaged(cause);
    throw cause;
  }
  if (note === undefined) return undefined;
  const { to, step, begunAt, url, turns } = note;
  const isRight = note['format'] === FORMAT && note['version'] === VERSION
    && (to === 'files' || to === 'mariadb') && (step === 'copy' || step === 'flip')
    && typeof begunAt === 'number' && typeof url === 'string';
  if (!isRight) throw damaged();
  return { to, step, begunAt, url, ...(isTurns(turns) && { turns }) };
}

function isTurns(value: unknown): value is DatabaseTurns {
  return typeof value === 'object' && value !== null
    && Object.values(value).every((turn) => typeof turn === 'number');
}

/** Durable once resolved. */
export async function writeMoveNote(root: string, note: DatabaseMoveNote): Promise<void> {
  await replaceJson(join(root, NAME), { format: FORMAT, version: VERSION, ...note });
}

/** The move is over, or was given up: what was built for it goes too. */
export async function forgetMove(root: string): Promise<void> {
  await rm(join(root, DRAFTS), { recursive: true, force: true });
  await rm(join(root, NAME), { force: true });
  await syncFolder(root);
}

/** Where a file is built that is to be `name`. */
export async function draftOf(root: string, name: string): Promise<string> {
  await mkdir(join(root, DRAFTS), { recursive: true, mode: 0o700 });
  return join(root, DRAFTS, name);
}

/** The files that were built take their places. Those that have them already stay. */
export async function placeDrafts(root: string): Promise<void> {
  for (const name of DATABASE_FILES) {
    const draft = join(root, DRAFTS, name);
    if (!existsSync(draft)) continue;
    await rename(draft, join(root, name));
    await syncFolder(root);
    failpoint('app.database-file');
  }
}

/** The files count no more: they get names that nobody takes for live, and stay. Answers those
 *  names. */
export async function putFilesAside(
  root: string, { begunAt }: Pick<DatabaseMoveNote, 'begunAt'>,
): Promise<string[]> {
  const stamp = new Date(begunAt).toISOString().replaceAll(/[:.]/g, '-');
  const names: string[] = [];
  for (const name of DATABASE_FILES) {
    const aside = `${name}${ASIDE}${stamp}`;
    for (const suffix of [...BESIDE, '']) {
      if (!existsSync(join(root, name + suffix))) continue;
      await rename(join(root, name + suffix), join(root, aside + suffix));
      failpoint('app.database-file');
    }
    if (existsSync(join(root, aside))) names.push(aside);
  }
  await syncFolder(root);
  return names;
}

function damaged(cause?: unknown): HoldfastError {
  const message = `${NAME} in the data directory is damaged, or of another version: it says how `
    + 'far a move of the databases is. See docs/runbooks/to-mariadb.md. Nothing was changed.';
  return new HoldfastError('corrupt', 'app/moveDatabase', message, {
    code: 'database-move-damaged', cause,
  });
}
