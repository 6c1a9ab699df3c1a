import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HoldfastError } from '../../../base/errors.ts';
import { systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { FaultProxy } from '../testing/fault-proxy.ts';
import { testObjectCollection } from '../testing/object-trash.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import { Ceph, CEPH_BUCKET, CEPH_KEY, cephMissing } from './testing/ceph.ts';
import { tryMixedFaults } from './testing/mixed-faults.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';

const missing = cephMissing();

describe('with the gateway of Ceph', { skip: missing ?? false }, () => {
  let server: Ceph;
  before(async () => {
    server = await Ceph.start();
  });
  after(() => server.stop());

  const at = () => ({ endpoint: server.url, bucket: CEPH_BUCKET, credentials: CEPH_KEY });

  testBlockStore('S3BlockStore', () => openS3BlockStore(storeOptions(at())));

  testObjectCollection('S3BlockStore', () => openS3BlockStore(storeOptions(at())));

  it('is refused with a wrong secret, and told so', async () => {
    const credentials = { ...CEPH_KEY, secretAccessKey: 'wrong' };
    const open = openS3BlockStore(storeOptions(at(), { credentials }));
    await assert.rejects(open, (error) => {
      return error instanceof HoldfastError && error.kind === 'unavailable' &&
        error.code === 'credentials-refused' && /secret_access_key/.test(error.message);
    });
  });

  it('names an unknown key and a missing bucket for what they are', async () => {
    const credentials = { ...CEPH_KEY, accessKeyId: 'NOBODY' };
    const codeOf = async (more: object): Promise<unknown> => {
      const error = await openS3BlockStore(storeOptions(at(), more)).catch((e: unknown) => e);
      return error instanceof HoldfastError ? error.code : error;
    };
    assert.equal(await codeOf({ credentials }), 'credentials-refused');
    assert.equal(await codeOf({ bucket: 'no-such-bucket' }), 'bucket-missing');
  });

  it('refuses bytes that changed on the way to it, and the put is right in the end', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const limits = { ...QUICK_LIMITS, silenceTimeoutMs: 2_000 };
    const options = storeOptions({ ...at(), endpoint: proxy.url }, { limits });
    const store = await openS3BlockStore(options);
    try {
      proxy.spoil({ fault: 'corrupt-request', method: 'PUT', times: 1 });
      const block = Block.of([Buffer.from('changed once on its way')]);
      await store.put(block);
      assert.deepEqual(proxy.made, ['corrupt-request']);
      assert.equal((await store.get(block.id)).toString(), 'changed once on its way');
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('lists page by page', async () => {
    const store = await openS3BlockStore(storeOptions(at(), { limits: { pageKeysMax: 3 } }));
    const blocks = Array.from({ length: 8 }, (_, at) => Block.of([Buffer.from(`page ${at}`)]));
    for (const block of blocks) await store.put(block);
    const ids = [];
    for await (const id of store.list()) ids.push(id);
    await store.close();
    assert.deepEqual(ids, blocks.map(({ id }) => id).sort());
  });

  it('keeps its promises over many seeds of mixed faults', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const limits = { ...QUICK_LIMITS, silenceTimeoutMs: 2_000, operationTimeoutMs: 10_000 };
    const options = storeOptions({ ...at(), endpoint: proxy.url }, { limits });
    const store = await openS3BlockStore(options);
    const truth = await openS3BlockStore({ ...options, endpoint: server.url });
    try {
      await tryMixedFaults({ proxy, store, truth }, 20);
    } finally {
      await store.close();
      await truth.close();
      await proxy.close();
    }
  });

  it('founds one store when two are founded at once in one place', async () => {
    const options = storeOptions(at());
    const opened = await Promise.allSettled(['one', 'two'].map((storeId) => {
      return openS3BlockStore({ ...options, storeId });
    }));
    const won = opened.filter((each) => each.status === 'fulfilled');
    for (const { value } of won) await value.close();
    assert.equal(won.length, 1);
  });
});
