/**
 * Whole-file checksums as clients speak them: `SHA1:hex`, several separated by blanks.
 * The server keeps only checksums that it has computed over the bytes it stored.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';

/** In the order in which one is preferred where only one can be told. */
export const CHECKSUM_ALGORITHMS = ['SHA256', 'SHA1', 'MD5'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

const NODE_NAME: Readonly<Record<ChecksumAlgorithm, string>> = {
  SHA256: 'sha256', SHA1: 'sha1', MD5: 'md5',
};
const HEX_DIGITS: Readonly<Record<ChecksumAlgorithm, number>> = { SHA256: 64, SHA1: 40, MD5: 32 };

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  /** Lower-case. */
  hex: string;
}

export function findAlgorithm(raw: string): ChecksumAlgorithm | undefined {
  const wanted = raw.trim().toUpperCase().replace('-', '');
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === wanted);
}

/** Reads `SHA1:hex`; undefined for an algorithm that this server does not compute: such a checksum
 *  cannot be verified, so it is not kept either. @throws invalid: not of that form. */
export function parseChecksum(raw: string): Checksum | undefined {
  const colon = raw.indexOf(':');
  const hex = raw.slice(colon + 1).trim().toLowerCase();
  if (colon < 1 || !/^[0-9a-f]+$/.test(hex)) refuse('A checksum looks like SHA1:hex digits.');
  const algorithm = findAlgorithm(raw.slice(0, colon));
  if (algorithm === undefined) return undefined;
  if (hex.length !== HEX_DIGITS[algorithm]) refuse('The checksum has a wrong length.');
  return { algorithm, hex };
}

export function formatChecksum({ algorithm, hex }: Checksum): string {
  return `${algorithm}:${hex}`;
}

export function newHasher(algorithm: ChecksumAlgorithm): Hash {
  return createHash(NODE_NAME[algorithm]);
}

/** Adds or replaces one checksum in a stored list. */
export function withChecksum(stored: string, added: Checksum): string {
  const others = stored.split(' ')
    .filter((one) => one !== '' && !one.startsWith(`${added.algorithm}:`));
  return [...others, formatChecksum(added)].join(' ');
}

/** @throws invalid `checksum-mismatch`: the bytes are not those that the client has. */
export function checkChecksum(wanted: Checksum, actual: Checksum): void {
  if (wanted.hex === actual.hex) return;
  const message = 'The bytes that arrived do not match their checksum. Please send them again.';
  throw new HoldfastError('invalid', 'files/checkChecksum', message, { code: 'checksum-mismatch' });
}

function refuse(message: string): never {
  throw new HoldfastError('invalid', 'files/parseChecksum', message, { code: 'checksum-syntax' });
}
