/**
 * The master key: 32 bytes in a file of the operator's, outside the data directory, so that who
 * copies that directory has not copied the key. It is read once and never logged.
 */
import { randomBytes } from 'node:crypto';
import { open, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { KEY_BYTES } from './key-ring.ts';
import { syncFolder } from './ring-files.ts';

const OP = 'storage/masterKey';
const HEX = /^[0-9a-f]{64}$/i;
/** A little more than the longest file that can be right. */
const READ_BYTES_MAX = 256;

export interface MasterKeyPlace {
  /** The file, from the settings. */
  readonly path: string;
  readonly dataDirectory: string;
}

/**
 * The file holds 64 hexadecimal digits, or exactly 32 bytes.
 * @throws invalid, code `master-key-malformed` or `master-key-inside`: it lies in the data
 *   directory; unavailable, code `master-key-unreadable`.
 */
export async function readMasterKey(place: MasterKeyPlace): Promise<Buffer> {
  await checkOutside(place);
  let bytes: Buffer;
  try {
    bytes = await readStart(place.path);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (bytes.length === KEY_BYTES) return bytes;
  const text = bytes.toString('latin1').trim();
  bytes.fill(0);
  if (!HEX.test(text)) throw malformed();
  return Buffer.from(text, 'hex');
}

/** The path may name anything, a pipe or an endless device too. */
async function readStart(path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(READ_BYTES_MAX);
  let filled = 0;
  const file = await open(path, 'r');
  try {
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes.subarray(0, filled);
}

/** Makes the file, readable for its owner only, and never replaces one. Durable once resolved.
 *  @throws exists; invalid, code `master-key-inside`; unavailable. */
export async function createMasterKey(place: MasterKeyPlace): Promise<Buffer> {
  await checkOutside(place);
  const key = randomBytes(KEY_BYTES);
  try {
    const file = await open(place.path, 'wx', 0o600);
    try {
      await file.writeFile(`${key.toString('hex')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(resolve(place.path)));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unreadable(cause);
    const message = 'There is a file already where the new master key should go.';
    throw new HoldfastError('exists', `${OP}.create`, message);
  }
  return key;
}

/** Links count as what they lead to. */
async function checkOutside({ path, dataDirectory }: MasterKeyPlace): Promise<void> {
  const inside = await trueTo(resolve(dataDirectory));
  const file = await trueTo(resolve(path));
  if (file !== inside && !file.startsWith(`${inside}${sep}`)) return;
  const message = 'The master key must not lie in the data directory: who steals or copies that '
    + 'directory would have the key with it. Keep it elsewhere.';
  throw new HoldfastError('invalid', OP, message, { code: 'master-key-inside' });
}

async function trueTo(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(cause);
    const folder = dirname(path);
    return folder === path ? path : join(await trueTo(folder), basename(path));
  }
}

function unreadable(cause: unknown): HoldfastError {
  const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
  const message = 'The file with the master key cannot be used. Check the setting '
    + 'storage.encryption_key_file and the permissions; without this key no encrypted file can be '
    + 'read. Nothing was changed.';
  const options = { code: 'master-key-unreadable', cause, facts: { code } };
  return new HoldfastError('unavailable', OP, message, options);
}

function malformed(): HoldfastError {
  const message = 'The file with the master key must hold 64 hexadecimal digits or 32 bytes. '
    + 'Nothing was changed.';
  return new HoldfastError('invalid', OP, message, { code: 'master-key-malformed' });
}
