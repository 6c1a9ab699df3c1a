/**
 * The file by which the machines of one cluster know each other: the cluster's id and a secret.
 * Three lines of text, so that it can be carried by any means:
 *
 *     holdfast-cluster-key 1
 *     0b0e7ae4-0a09-4f6b-9b2b-6a1c4f2d9e10
 *     <32 random bytes in base64>
 *
 * While the key is being replaced a fourth line holds the one before: whoever dials takes a filer
 * that proves either of them. A filer knows the first one only.
 */
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { Random } from '../../platform/index.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { syncFolder } from './durable-json.ts';
import { isUuid, KEY_BYTES_MIN } from './handshake.ts';

export interface ClusterKey {
  readonly clusterId: string;
  /** Never shown or logged. */
  readonly key: Buffer;
  /** Undefined unless the key is being replaced. */
  readonly previousKey?: Buffer;
}

const FIRST_LINE = 'holdfast-cluster-key 1';
const KEY_BYTES = 32;
const TEXT_BYTES_MAX = 4096;

/** Makes the file, readable by its owner alone; durable once resolved. Never replaces one.
 *  @returns false when there is one already. */
export async function makeClusterKey(
  path: string, { clusterId, random }: { clusterId: string; random: Random },
): Promise<boolean> {
  const draft = `${path}.${random.token(9)}.draft`;
  const file = await open(draft, 'wx', 0o600);
  try {
    const key = random.bytes(KEY_BYTES).toString('base64');
    await file.writeFile(`${FIRST_LINE}\n${clusterId}\n${key}\n`);
    await file.sync();
    await file.close();
    await link(draft, path); // Unlike rename, link never replaces a key.
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
    await syncFolder(dirname(path));
  }
}

/**
 * Begins to replace the key: a new one comes first, the old one stays accepted. Or ends it: the old
 * one goes. Durable once resolved; the file is the old or the new one after a power cut.
 * @throws conflict: a replacement has begun already, or none has; what `readClusterKey` throws.
 */
export async function rotateClusterKey(
  path: string, { step, random }: { step: 'begin' | 'finish'; random: Random },
): Promise<void> {
  const { clusterId, key, previousKey } = await readClusterKey(path);
  if (step === 'begin' && previousKey !== undefined) {
    refuse('conflict', 'is being replaced already. Give it to all filers, then use --finish.');
  }
  if (step === 'finish' && previousKey === undefined) {
    refuse('conflict', 'is not being replaced. Nothing was changed.');
  }
  const keys = step === 'begin' ? [random.bytes(KEY_BYTES), key] : [key];
  const lines = [FIRST_LINE, clusterId, ...keys.map((one) => one.toString('base64'))];
  const draft = `${path}.${random.token(9)}.draft`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${lines.join('\n')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** @throws not-found: no such file; conflict: of a newer version; invalid: damaged, or others may
 *  read it; unavailable: it cannot be read. */
export async function readClusterKey(path: string): Promise<ClusterKey> {
  const text = await readOwn(path);
  const lines = text.split('\n').map((line) => line.trim());
  const [first = '', clusterId = '', encoded = '', previous = ''] = lines;
  if (first !== FIRST_LINE && first.startsWith('holdfast-cluster-key ')) {
    refuse('conflict', 'was made by a newer Holdfast. Update this one.');
  }
  const key = Buffer.from(encoded, 'base64');
  const isWhole = first === FIRST_LINE && isUuid(clusterId) && key.length >= KEY_BYTES_MIN;
  if (!isWhole) refuse('invalid', 'is damaged. Copy it again from the machine that made it.');
  if (previous === '') return { clusterId, key };
  const previousKey = Buffer.from(previous, 'base64');
  if (previousKey.length >= KEY_BYTES_MIN) return { clusterId, key, previousKey };
  refuse('invalid', 'is damaged. Copy it again from the machine that made it.');
}

async function readOwn(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, size } = await file.stat();
      if ((mode & 0o077) !== 0) {
        refuse('invalid', 'may be read by others than its owner. Run chmod 600 on it.');
      }
      if (size > TEXT_BYTES_MAX) refuse('invalid', 'is damaged: it is too long.');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = errorCode(cause);
    if (code === 'ENOENT') {
      refuse('not-found', "is not there. Make one with 'holdfast cluster key' on the main machine, "
        + 'copy it here, and name it with --cluster-key.');
    }
    const message = 'The cluster key cannot be read. Check its permissions.';
    const options = { cause, facts: { code } };
    throw new HoldfastError('unavailable', 'storage/readClusterKey', message, options);
  }
}

function refuse(kind: 'not-found' | 'conflict' | 'invalid', rest: string): never {
  throw new HoldfastError(kind, 'storage/readClusterKey', `The cluster key ${rest}`);
}
