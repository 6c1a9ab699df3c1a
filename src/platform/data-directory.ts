/**
 * DIR/holdfast.json says that a directory is ours, which format its contents have, and which
 * instance it is. Everything else in the directory belongs to the modules.
 *
 * It is made only in an absent or empty directory: a mistyped path must never mix our files with
 * somebody else's, nor be taken for a fresh, empty server when the disk is merely not mounted.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { Clock } from './clock.ts';

export const DATA_FORMAT = 1;
const MARKER = 'holdfast.json';
const DRAFT = /^holdfast\.json\.[0-9a-f-]{36}\.draft$/;
/** What may lie in an empty directory: our own traces of a start that was cut short, and what file
 *  systems put into their root. */
const HARMLESS = [DRAFT, /^lost\+found$/];

export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  readonly format: number;
  readonly instanceId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** True when this very call made it. */
  readonly isNew: boolean;
}

/**
 * Opens the directory, or makes it when it is absent or empty. Durable once resolved; when two
 * processes make it at the same time, both get the same instance.
 * @throws conflict: not empty and not ours, a newer format, or a damaged marker; nothing was
 * changed. unavailable: it cannot be read or written.
 */
export async function openDataDirectory(path: string, clock: Clock): Promise<DataDirectory> {
  const root = resolve(path);
  try {
    const made = await mkdir(root, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncParents(root, made);
    const names = await readdir(root);
    if (names.includes(MARKER)) return { ...(await readMarker(root)), isNew: false };
    if (!names.every((name) => HARMLESS.some((harmless) => harmless.test(name)))) {
      const advice = 'Name an empty one with --data.';
      refuse('data-foreign', `is not empty and holds no Holdfast data. ${advice}`);
    }
    const isNew = await writeMarker(root, clock);
    return { ...(await readMarker(root)), isNew };
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
    const message = 'The data directory cannot be used. It must be a directory you may write.';
    const options = { cause, facts: { code } };
    throw new HoldfastError('unavailable', 'platform/openDataDirectory', message, options);
  }
}

/**
 * Opens a directory that was made before; makes nothing, for commands that only look or change what
 * is there.
 * @throws not-found: there is none; conflict, unavailable: as `openDataDirectory`.
 */
export async function findDataDirectory(path: string): Promise<DataDirectory> {
  const root = resolve(path);
  try {
    return { ...(await readMarker(root)), isNew: false };
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
    const options = { cause, facts: { code } };
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const message = 'There is no Holdfast data in that directory. Name the right one: --data.';
      throw new HoldfastError('not-found', 'platform/findDataDirectory', message, options);
    }
    const message = 'The data directory cannot be read. Check its permissions.';
    throw new HoldfastError('unavailable', 'platform/findDataDirectory', message, options);
  }
}

function refuse(code: string, rest: string): never {
  const message = `The data directory ${rest}`;
  throw new HoldfastError('conflict', 'platform/openDataDirectory', message, { code });
}

async function readMarker(root: string): Promise<Omit<DataDirectory, 'isNew'>> {
  const text = await readFile(join(root, MARKER), 'utf8');
  const marker = parseMarker(text);
  if (typeof marker['format'] === 'number' && marker['format'] > DATA_FORMAT) {
    refuse('data-newer', 'was written by a newer Holdfast. Start that version.');
  }
  const { format, instanceId, createdAt } = marker;
  if (format !== DATA_FORMAT || !isUuid(instanceId) || !isTime(createdAt)) refuseDamaged();
  return { path: root, format, instanceId, createdAt };
}

function parseMarker(text: string): Record<string, unknown> {
  try {
    const marker: unknown = JSON.parse(text);
    if (typeof marker === 'object' && marker !== null) return marker as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return refuseDamaged();
}

function refuseDamaged(): never {
  const advice = 'Restore that one file from a backup; nothing was changed.';
  refuse('data-damaged', `has a damaged ${MARKER}. ${advice}`);
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** Answers false when another process was faster; the marker is then theirs. */
async function writeMarker(root: string, clock: Clock): Promise<boolean> {
  const createdAt = new Date(clock.now()).toISOString();
  const marker = { format: DATA_FORMAT, instanceId: randomUUID(), createdAt };
  const draft = join(root, `${MARKER}.${randomUUID()}.draft`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(marker, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, join(root, MARKER)); // Unlike rename, link never replaces a marker.
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await unlink(draft);
    await syncDirectory(root);
  }
}

/** Else a new directory's own entry may be lost in a power cut. */
async function syncParents(root: string, firstMade: string): Promise<void> {
  let at = root;
  const top = dirname(resolve(firstMade));
  while (at !== top && at !== dirname(at)) {
    at = dirname(at);
    await syncDirectory(at);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
