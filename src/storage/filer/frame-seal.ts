/**
 * The seal on each frame of a session: GMAC (AES-256-GCM over nothing but additional data) with a
 * key of this session and direction, and the frame's number as nonce.
 *
 * It proves that the frame comes from the holder of the session key and is the next one: a frame
 * that is changed, left out, repeated, or moved breaks it. GMAC because it costs 3 µs for a small
 * frame and 35 µs a MiB, where HMAC-SHA-256 takes 500 µs a MiB. A nonce never repeats: a key lives
 * as long as its connection, and frames are only counted up.
 */
import { createCipheriv, timingSafeEqual } from 'node:crypto';

export const SEAL_BYTES = 16;
const NONCE_BYTES = 12;

export class FrameSeal {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  #count = 0;

  /** `key`: 32 bytes, for one direction of one connection. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The seal of the next frame. Call it once for each frame, in the order of sending. */
  tag(parts: readonly Uint8Array[]): Buffer {
    this.#nonce.writeUInt32LE(this.#count % 0x1_0000_0000, 4);
    this.#nonce.writeUInt32LE(Math.floor(this.#count / 0x1_0000_0000), 8);
    this.#count += 1;
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce);
    for (const part of parts) if (part.length > 0) cipher.setAAD(part);
    cipher.final();
    return cipher.getAuthTag();
  }

  /** True when `tag` is the seal of the next frame. Takes the same time wherever they differ. */
  check(parts: readonly Uint8Array[], tag: Uint8Array): boolean {
    return timingSafeEqual(this.tag(parts), tag);
  }
}
