/** Small files of JSON that are there whole or not at all, also after a power cut. */
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../backends/local/volume-files.ts';

const BYTES_MAX = 64 * 1024;

/** Undefined when there is no such file; a `SyntaxError` when it is not an object in JSON. */
export async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const value: unknown = text.length > BYTES_MAX ? undefined : JSON.parse(text);
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new SyntaxError('not an object in JSON');
}

/** Never replaces a file. @returns false when there was one. Durable once resolved. */
export async function createJson(path: string, value: object, draft: string): Promise<boolean> {
  await writeSynced(draft, value);
  try {
    await link(draft, path); // Unlike rename, link never replaces.
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  } finally {
    await unlink(draft);
    await syncFolder(dirname(path));
  }
}

/** Durable once resolved; one writer at a time. */
export async function replaceJson(path: string, value: object): Promise<void> {
  const draft = `${path}.draft`;
  await writeSynced(draft, value);
  await rename(draft, path);
  await syncFolder(dirname(path));
}

async function writeSynced(path: string, value: object): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
