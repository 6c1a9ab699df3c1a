/** Where the services that speak the S3 protocol differ. */
import type { IncomingHttpHeaders } from 'node:http';
import type { BlockId } from '../../../base/ids.ts';
import type { ServiceChecksum } from './block-label.ts';

/** What an answer tells about the stored object. */
export interface ToldChecksums {
  sha256: string | undefined;
  md5: string | undefined;
  crc32c: string | undefined;
}

export interface Dialect {
  /** As the operator knows it, for messages. */
  service: string;
  /** Before the names of settings in messages, for example `storage.s3`. */
  settings: string;
  /** Extra headers of a put of bytes with this SHA-256. */
  putHeaders(sha256: BlockId): Record<string, string>;
  /** Extra headers of a question after an object, so that it tells its checksum. */
  headHeaders: Readonly<Record<string, string>>;
  /** The header that makes a put fail where there is an object already; empty if none is known. */
  createHeaders: Readonly<Record<string, string>>;
  /** The checksums that the service worked out from what it stores, in hexadecimal. */
  told(headers: IncomingHttpHeaders): ToldChecksums;
  /** The best of what it told about the store's marker: what it will tell about blocks. */
  choose(told: ToldChecksums, right: ToldChecksums): ServiceChecksum;
  /** Whether a differing checksum means differing bytes. An ETag may be something else. */
  refutes: Readonly<Record<'md5' | 'crc32c', boolean>>;
}

export const s3Dialect: Dialect = {
  service: 'the S3 service',
  settings: 'storage.s3',
  putHeaders: (sha256) => ({
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
  }),
  headHeaders: { 'x-amz-checksum-mode': 'ENABLED' },
  createHeaders: { 'if-none-match': '*' },
  told(headers) {
    const sha256 = textOf(headers['x-amz-checksum-sha256']);
    return {
      // A checksum of parts ends in their count and says nothing of the whole.
      sha256: sha256?.includes('-') === false ? fromBase64(sha256, 32) : undefined,
      md5: md5Of(headers),
      crc32c: undefined,
    };
  },
  choose(told, right) {
    if (told.sha256 !== undefined && told.sha256 === right.sha256) return 'sha256';
    return told.md5 !== undefined && told.md5 === right.md5 ? 'md5' : 'none';
  },
  refutes: { md5: false, crc32c: true },
};

/** The same for services that refuse the headers with checksums. */
export const plainS3Dialect: Dialect = { ...s3Dialect, putHeaders: () => ({}), headHeaders: {} };

/** The ETag, where it looks like an MD5. With some kinds of encryption it looks so and is not. */
export function md5Of(headers: IncomingHttpHeaders): string | undefined {
  return /^(?:W\/)?"?([0-9a-f]{32})"?$/.exec(headers.etag ?? '')?.[1];
}

export function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}

export function fromBase64(text: string, sizeBytes: number): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === sizeBytes ? bytes.toString('hex') : undefined;
}
