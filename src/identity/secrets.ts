/**
 * Secrets that Holdfast makes itself. They are random and long, so a plain SHA-256 of them is safe
 * to store: there is nothing to guess, and checking one is cheap.
 */
import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;
const ID_BYTES = 12;
/** Easy to type on a phone. 25 of 36 symbols are 129 bits. */
const SYMBOLS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const GROUPS = 5;
const GROUP_SYMBOLS = 5;
const APP_PASSWORD = /^[0-9a-z]{5}(?:[- ]?[0-9a-z]{5}){4}$/i;

/** 256 random bits, fit for an address or a cookie. */
export function makeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Names something towards its owner; not secret. */
export function makeId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** For example `k3v9x-7qw2m-...`: five groups of five. */
export function makeAppPassword(): string {
  return groupsOf(SYMBOLS, GROUPS);
}

/** The form that is hashed: people leave out the hyphens or write capitals. Undefined when the text
 *  cannot be an app password. */
export function canonicalAppPassword(text: string): string | undefined {
  return APP_PASSWORD.test(text) ? text.replace(/[- ]/g, '').toLowerCase() : undefined;
}

/** Without symbols that look alike on paper: 15 of 31 are 74 bits. */
const PAPER_SYMBOLS = 'abcdefghjkmnpqrstuvwxyz23456789';
const RECOVERY_GROUPS = 3;
const RECOVERY_CODE = /^[a-hjkmnp-z2-9]{5}(?:[- ]?[a-hjkmnp-z2-9]{5}){2}$/i;

/** For example `k3v9x-7qw2m-p4d8z`: for when the phone is lost. */
export function makeRecoveryCode(): string {
  return groupsOf(PAPER_SYMBOLS, RECOVERY_GROUPS);
}

/** As canonicalAppPassword. */
export function canonicalRecoveryCode(text: string): string | undefined {
  return RECOVERY_CODE.test(text) ? text.replace(/[- ]/g, '').toLowerCase() : undefined;
}

function groupsOf(symbols: string, count: number): string {
  const group = (): string =>
    Array.from({ length: GROUP_SYMBOLS }, () => symbols.charAt(randomInt(symbols.length))).join('');
  return Array.from({ length: count }, group).join('-');
}

/** Lower-case hexadecimal SHA-256. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Compares two hashes in a time that does not depend on where they differ. */
export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
