/**
 * The sealing key where several servers have one user database: each has it in a file of its own,
 * DATA/identity.key, and it must be the same. The key itself is not in the database, or a copy of
 * that alone would be a second factor. What is there is a check value, from which it cannot be
 * worked out; the first server to start puts it there.
 */
import { createHmac } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { HoldfastError } from '../../../base/errors.ts';
import { SecretSeal } from '../../secret-seal.ts';
import { openSealingKey } from '../sqlite/sealing-key.ts';
import type { MariadbIdentityStore } from './mariadb-identity-store.ts';

const OP = 'identity/openSharedSealingKey';
const CONTEXT = 'holdfast sealing key check 1';

/** Makes the file when it is missing and the database knows no key yet.
 *  @throws invalid `sealing-key-missing`, `sealing-key-other`: copy the file from another server;
 *  corrupt `key-damaged`; unavailable; full. */
export async function openSharedSealingKey(
  store: MariadbIdentityStore, file: string,
): Promise<Uint8Array> {
  const known = await store.findSealingCheck();
  const isNew = !existsSync(file);
  if (isNew && known !== undefined) throw missing();
  const key = openSealingKey(file);
  void new SecretSeal(key); // Refuses what cannot be a key, before it is taken for another one.
  const own = createHmac('sha256', key).update(CONTEXT).digest('hex');
  const valid = known ?? await store.keepSealingCheck(own);
  if (valid === own) return key;
  // Another server was quicker. Nothing was sealed with a key that was made a moment ago.
  if (isNew) rmSync(file);
  throw isNew ? missing() : other();
}

const HOW = 'Copy identity.key from the data directory of a server that works, or from its backup, '
  + 'into the one of this server. If no server has it any more: docs/runbooks/lost-second-step.md.';

function missing(): HoldfastError {
  return new HoldfastError('invalid', OP, 'The data directory of this server lacks the key that '
    + `second factors in the database are sealed with. ${HOW}`, { code: 'sealing-key-missing' });
}

function other(): HoldfastError {
  return new HoldfastError('invalid', OP, 'This server has another key than the one that second '
    + `factors in the database are sealed with. ${HOW}`, { code: 'sealing-key-other' });
}
