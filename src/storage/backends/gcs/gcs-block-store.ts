/**
 * Opens a BlockStore in a bucket of Google Cloud Storage, through its XML API with an HMAC key.
 *
 * Why not its own client: the XML API is the S3 protocol but for a handful of headers, which are
 * in gcs-dialect.ts. One implementation means one set of deadlines, checks and tests, and no second
 * library of 20 MB with retries of its own.
 */
import { ObjectBlockStore } from '../s3/object-block-store.ts';
import { placeOf } from '../s3/s3-client.ts';
import type { ObjectStoreOptions } from '../s3/s3-options.ts';
import { gcsDialect } from './gcs-dialect.ts';

export interface GcsOptions extends ObjectStoreOptions {
  /** `https://storage.googleapis.com` when left out. */
  endpoint?: string;
}

const ENDPOINT = 'https://storage.googleapis.com';
/** The XML API finds the bucket wherever it is. */
const REGION = 'auto';

/** `credentials` are an HMAC key of a service account. See ObjectBlockStore.open.
 *  @throws invalid, too: a setting that cannot be right. */
export async function openGcsBlockStore(options: GcsOptions): Promise<ObjectBlockStore> {
  const { endpoint = ENDPOINT } = options;
  const where = { endpoint, region: REGION, addressing: 'path' } as const;
  const dialect = { ...gcsDialect, settings: options.section ?? gcsDialect.settings };
  const place = placeOf(options, where, dialect.settings);
  return ObjectBlockStore.open(options, place, dialect, 'GcsBlockStore');
}
