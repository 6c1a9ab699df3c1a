/** Google Cloud Storage as it speaks the S3 protocol: its XML API, signed with an HMAC key. */
import type { Dialect } from '../s3/dialect.ts';
import { fromBase64, md5Of, textOf } from '../s3/dialect.ts';

export const gcsDialect: Dialect = {
  service: 'Google Cloud Storage',
  settings: 'storage.gcs',
  // It knows no checksum headers of S3, and mixing in its own would need its own signature. The
  // SHA-256 of the body is part of the signature anyway, and every answer tells a CRC-32C.
  putHeaders: () => ({}),
  headHeaders: {},
  createHeaders: {},
  told(headers) {
    const sums = textOf(headers['x-goog-hash']) ?? '';
    const crc32c = /(?:^|[,\s])crc32c=([A-Za-z0-9+/=]+)/.exec(sums)?.[1];
    const md5 = /(?:^|[,\s])md5=([A-Za-z0-9+/=]+)/.exec(sums)?.[1];
    return {
      sha256: undefined,
      crc32c: crc32c === undefined ? undefined : fromBase64(crc32c, 4),
      md5: md5 === undefined ? md5Of(headers) : fromBase64(md5, 16),
    };
  },
  choose(told, right) {
    if (told.crc32c !== undefined && told.crc32c === right.crc32c) return 'crc32c';
    return told.md5 !== undefined && told.md5 === right.md5 ? 'md5' : 'none';
  },
  refutes: { md5: false, crc32c: true },
};
