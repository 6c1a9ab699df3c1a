/**
 * DIR/control.json: where the server that runs on a data directory takes orders, and the secret
 * that proves that whoever orders may read the directory. Readable by its owner alone; a leftover
 * of a server that was killed is harmless, since nobody answers there with that secret.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ControlNote {
  readonly port: number;
  readonly token: string;
}

const NAME = 'control.json';

export async function writeControlNote(directory: string, note: ControlNote): Promise<void> {
  const path = join(directory, NAME);
  const draft = `${path}.${randomUUID()}.draft`;
  await writeFile(draft, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}

export async function removeControlNote(directory: string): Promise<void> {
  await rm(join(directory, NAME), { force: true });
}

/** Undefined when there is none, or none that makes sense. */
export async function readControlNote(directory: string): Promise<ControlNote | undefined> {
  let note: unknown;
  try {
    note = JSON.parse(await readFile(join(directory, NAME), 'utf8'));
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isAbsent || error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { port, token } = (note ?? {}) as { port?: unknown; token?: unknown };
  if (typeof port !== 'number' || typeof token !== 'string') return undefined;
  return { port, token };
}
