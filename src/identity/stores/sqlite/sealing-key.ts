/**
 * The key that secrets in DATA/identity.db are sealed with: DATA/identity.key, 32 bytes, for the
 * server's own account only. It is made when it is first missing. When it was lost, what it had
 * sealed cannot be read any more: codes are refused then, and recovery codes go on working.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync }
  from 'node:fs';
import { dirname } from 'node:path';
import { SEALING_KEY_BYTES } from '../../secret-seal.ts';
import { explainSqlite } from './open-identity-database.ts';

const OP = 'identity/openSealingKey';

/** Durable once it is answered; of two processes that come at once, both get the same.
 *  @throws unavailable; full. */
export function openSealingKey(file: string): Uint8Array {
  return explainSqlite(OP, () => {
    if (!existsSync(file)) make(file);
    return readFileSync(file);
  });
}

function make(file: string): void {
  const draft = `${file}.new-${process.pid}`;
  rmSync(draft, { force: true });
  try {
    withFile(draft, 'wx', (fd) => writeSync(fd, randomBytes(SEALING_KEY_BYTES)));
    linkSync(draft, file);
  } catch (error) {
    // Another process may have been quicker: then its key counts.
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  withFile(dirname(file), 'r', () => undefined); // Else the name may be lost in a power cut.
}

function withFile(path: string, flags: 'wx' | 'r', act: (fd: number) => unknown): void {
  const fd = openSync(path, flags, 0o600);
  try {
    act(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
