/**
 * Secrets that must be read again, such as what codes are made from, lie encrypted in the store: a
 * copy of the user database alone is no second factor. AES-256-GCM with a key that is kept in a
 * file of its own; the user's id is authenticated with it, so that no secret can be moved to
 * another user.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';

export const SEALING_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

export class SecretSeal {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    if (key.length !== SEALING_KEY_BYTES) {
      const message = 'The key of the user database is not one of Holdfast. Restore it.';
      throw new HoldfastError('corrupt', 'identity/SecretSeal', message, { code: 'key-damaged' });
    }
    this.#key = key;
  }

  /** base64url of nonce, ciphertext and tag. */
  seal(secret: Uint8Array, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(contextOf(owner)));
    const text = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** undefined: it was sealed by another key, for somebody else, or is damaged. */
  open(sealed: string, owner: string): Buffer | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const cipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(Buffer.from(contextOf(owner)));
    cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([text, cipher.final()]);
    } catch {
      return undefined; // Its tag does not fit: that is what is answered.
    }
  }
}

function contextOf(owner: string): string {
  return `holdfast second factor 1 ${owner}`;
}
