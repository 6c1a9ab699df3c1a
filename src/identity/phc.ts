/**
 * Password hashes as text: the PHC string format of argon2id, for example
 * `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, both in base64 without padding.
 * See the PHC string format specification and RFC 9106 (argon2, version 0x13 = 19).
 */
import { HoldfastError } from '../base/errors.ts';
import type { HashCost } from './config.ts';

export interface PasswordHash {
  cost: HashCost;
  salt: Buffer;
  hash: Buffer;
}

const SHAPE =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
/** Above these, checking one password could be used to exhaust the machine. */
const COST_MAX: HashCost = { memoryKib: 1024 * 1024, passes: 64, parallelism: 16 };
const SALT_BYTES = { min: 8, max: 64 };
const HASH_BYTES = { min: 16, max: 64 };

export function encodePhc({ cost, salt, hash }: PasswordHash): string {
  const parameters = `m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}`;
  return `$argon2id$v=19$${parameters}$${base64(salt)}$${base64(hash)}`;
}

/** @throws corrupt: not such a string, or beyond the limits. */
export function parsePhc(text: string): PasswordHash {
  const [, memory, passes, parallelism, saltText = '', hashText = ''] = SHAPE.exec(text) ?? [];
  const cost = {
    memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism),
  };
  const salt = Buffer.from(saltText, 'base64');
  const hash = Buffer.from(hashText, 'base64');
  const sound =
    isSoundCost(cost) && within(salt, SALT_BYTES) && within(hash, HASH_BYTES) &&
    // Only the shortest spelling, so that a hash has one form.
    base64(salt) === saltText && base64(hash) === hashText;
  if (!sound) {
    const message = 'A stored password cannot be read. Set the password anew.';
    throw new HoldfastError('corrupt', 'identity/parsePhc', message, { code: 'password-hash' });
  }
  return { cost, salt, hash };
}

/** argon2 needs 8 KiB per lane. Comparisons with NaN are false, so a missing number is unsound. */
export function isSoundCost({ memoryKib, passes, parallelism }: HashCost): boolean {
  return (
    passes >= 1 && passes <= COST_MAX.passes &&
    parallelism >= 1 && parallelism <= COST_MAX.parallelism &&
    memoryKib >= 8 * parallelism && memoryKib <= COST_MAX.memoryKib
  );
}

function within(bytes: Buffer, { min, max }: { min: number; max: number }): boolean {
  return bytes.length >= min && bytes.length <= max;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
