import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Config } from '../platform/index.ts';
import { backendSlice, partOf } from './backend-settings.ts';

it('partOf names a part of every place, and touches nothing else', () => {
  const env = {
    HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_BUCKET: 'b',
    HOLDFAST_STORAGE_S3_PREFIX: 'mine/', HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: 'k',
    HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: 's', HOLDFAST_STORAGE_CACHE_FOLDER: '/fast',
    HOLDFAST_STORAGE_MIRROR_BACKEND: 'local', HOLDFAST_STORAGE_MIRROR_LOCAL_FOLDER: '/far',
  };
  const whole = Config.load({ slices: [backendSlice], env }).of(backendSlice);
  const part = partOf(whole, 'tenants/acme/');
  const prefix = 'tenants/acme/';
  assert.deepEqual(part, {
    ...whole, s3Prefix: `mine/${prefix}`, gcsPrefix: prefix, azurePrefix: prefix,
    mirrorS3Prefix: prefix, mirrorGcsPrefix: prefix, mirrorAzurePrefix: prefix,
    cachePath: `/fast/${prefix}`, mirrorFolder: `/far/${prefix}`,
  });
  assert.equal(part.mirrorQueuePath, undefined, 'the home has a folder for it');
});
