import { HoldfastError } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';

export const PASSWORD_CHARACTERS_MIN = 10;
export const PASSWORD_BYTES_MAX = 1024;

/** Length is what protects; rules about kinds of characters only make passwords harder to keep.
 *  @throws invalid, with a message that says which rule. */
export function checkPassword(password: string, user: UserId): void {
  if (!password.isWellFormed() || password.includes('\0')) {
    refuse('password-characters', 'This password holds characters that cannot be used.');
  }
  if ([...password.normalize('NFC')].length < PASSWORD_CHARACTERS_MIN) {
    const message = `A password needs at least ${PASSWORD_CHARACTERS_MIN} characters.`;
    refuse('password-too-short', message);
  }
  if (!isPossiblePassword(password)) {
    refuse('password-too-long', `A password can be ${PASSWORD_BYTES_MAX} bytes long at most.`);
  }
  if (password.toLowerCase() === user) {
    refuse('password-is-name', 'A password must differ from the user name.');
  }
}

/** False for what is too long to be anyone's password: it is not worth hashing. */
export function isPossiblePassword(password: string): boolean {
  if (password.length > PASSWORD_BYTES_MAX) return false;
  return Buffer.byteLength(password.normalize('NFC')) <= PASSWORD_BYTES_MAX;
}

function refuse(code: string, message: string): never {
  throw new HoldfastError('invalid', 'identity/checkPassword', message, { code });
}
