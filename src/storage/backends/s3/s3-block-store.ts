/** Opens a BlockStore in a bucket of Amazon S3 or of any service that speaks its protocol. */
import { ObjectBlockStore } from './object-block-store.ts';
import { plainS3Dialect, s3Dialect } from './dialect.ts';
import { placeOf } from './s3-client.ts';
import type { S3Options } from './s3-options.ts';

/** See ObjectBlockStore.open. @throws invalid, too: a setting that cannot be right. */
export async function openS3BlockStore(options: S3Options): Promise<ObjectBlockStore> {
  const { endpoint, region } = options;
  const addressing = options.addressing ?? (endpoint === undefined ? 'host' : 'path');
  const where = { endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`, region, addressing };
  const plain = options.checksumHeaders === false ? plainS3Dialect : s3Dialect;
  const dialect = { ...plain, settings: options.section ?? plain.settings };
  const place = placeOf(options, where, dialect.settings);
  return ObjectBlockStore.open(options, place, dialect, 'S3BlockStore');
}
