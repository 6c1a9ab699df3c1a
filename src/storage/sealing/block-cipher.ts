/**
 * AES-256-GCM over one block (NIST SP 800-38D). The nonce is random, so one key must not encrypt
 * more than 2^32 blocks; a store has room for far fewer.
 *
 * The tag covers where the ciphertext claims to belong too: the first 48 bytes of the record's
 * header, which hold its kind, lengths and block id. They are the same wherever the record lies, so
 * it can be copied as it is. Encrypting 4 MiB takes a millisecond, less than hashing it: no thread
 * would do it cheaper than the hand-over to it costs.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { BlockId } from '../../base/ids.ts';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** By how much a payload grows. */
export const CIPHER_BYTES: number = IV_BYTES + TAG_BYTES;

/** What the tag covers besides the ciphertext. */
export interface RecordPlace {
  readonly codec: number;
  readonly encryption: number;
  readonly payloadBytes: number;
  readonly sizeBytes: number;
  readonly id: BlockId;
}

/** Nonce, ciphertext, tag: the payload of a record. */
export function encrypt(
  key: KeyObject, place: RecordPlace, pieces: readonly Uint8Array[],
): Uint8Array[] {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(place));
  const sealed: Uint8Array[] = [iv];
  for (const piece of pieces) sealed.push(cipher.update(piece));
  const rest = cipher.final();
  if (rest.length > 0) sealed.push(rest);
  sealed.push(cipher.getAuthTag());
  return sealed;
}

/** Undefined when it is not what was encrypted with this key for this place. */
export function decrypt(key: KeyObject, place: RecordPlace, payload: Buffer): Buffer | undefined {
  if (payload.length < CIPHER_BYTES) return undefined;
  const iv = payload.subarray(0, IV_BYTES);
  const tagAt = payload.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(place));
  decipher.setAuthTag(payload.subarray(tagAt));
  const plain = decipher.update(payload.subarray(IV_BYTES, tagAt));
  try {
    decipher.final();
  } catch {
    return undefined; // The tag does not fit: the one thing that can go wrong here.
  }
  return plain;
}

/** Bytes 0 to 47 of the record header. */
function associatedData(place: RecordPlace): Buffer {
  const bytes = Buffer.allocUnsafe(48);
  bytes.write('HFR1', 0, 'latin1');
  bytes[4] = 1; // Type: block.
  bytes[5] = place.codec;
  bytes[6] = place.encryption;
  bytes[7] = 1; // Version of the header.
  bytes.writeUInt32LE(place.payloadBytes, 8);
  bytes.writeUInt32LE(place.sizeBytes, 12);
  bytes.write(place.id, 16, 32, 'hex');
  return bytes;
}
