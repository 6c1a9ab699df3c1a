/** The secret part of a public link's address. */
import { hash } from 'node:crypto';
import type { Random } from '../../platform/index.ts';

const SYMBOLS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** 20 of 62 symbols are 119 bits: not to be guessed. */
const TOKEN_SYMBOLS = 20;
/** Bytes from here on would make some symbols likelier than others. */
const BYTES_BELOW = 256 - (256 % SYMBOLS.length);

export function makeLinkToken(random: Random): string {
  let token = '';
  while (token.length < TOKEN_SYMBOLS) {
    for (const byte of random.bytes(TOKEN_SYMBOLS)) {
      if (byte < BYTES_BELOW) token += SYMBOLS.charAt(byte % SYMBOLS.length);
    }
  }
  return token.slice(0, TOKEN_SYMBOLS);
}

/** What is kept of it where links are looked up. */
export function hashLinkToken(token: string): string {
  return hash('sha256', `link ${token}`, 'hex');
}
