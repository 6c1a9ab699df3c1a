import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import type { BlockStore } from '../../block-store.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import type { ObjectFinding } from '../s3/object-findings.ts';
import { tryMixedFaults } from '../s3/testing/mixed-faults.ts';
import { QUICK_LIMITS, storeOptions } from '../s3/testing/store-options.ts';
import { FaultProxy } from '../testing/fault-proxy.ts';
import { testObjectCollection } from '../testing/object-trash.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import { openGcsBlockStore } from './gcs-block-store.ts';

describe('with a stand-in for Google Cloud Storage', () => {
  let server: StandInService;
  before(async () => {
    server = await StandInService.start('gcs');
  });
  after(() => server.stop());

  const at = () => ({ endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY });

  testBlockStore('GcsBlockStore', () => openGcsBlockStore(storeOptions(at())));

  testObjectCollection('GcsBlockStore', () => openGcsBlockStore(storeOptions(at())));

  it('sees by the CRC-32C that a put was not kept, and reads nothing back', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const findings: ObjectFinding[] = [];
    const store = await openGcsBlockStore(storeOptions({ ...at(), endpoint: proxy.url }, {
      limits: QUICK_LIMITS, onFinding: (finding) => findings.push(finding),
    }));
    await store.counted;
    try {
      proxy.seen.length = 0;
      proxy.spoil({ fault: 'dropped', method: 'PUT', times: 1 });
      await store.put(Block.of([Buffer.from('dropped once')]));
      const methods = proxy.seen.map((line) => line.split(' ')[0]);
      assert.deepEqual(methods, ['HEAD', 'PUT', 'HEAD', 'PUT', 'HEAD']);
      assert.deepEqual(findings.map(({ kind }) => kind), ['put-not-kept']);
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('finds nothing where the stored bytes have another CRC-32C', async () => {
    const options = storeOptions(at());
    const store = await openGcsBlockStore(options);
    const block = Block.of([Buffer.from('right')]);
    await store.put(block);
    const stored = server.objects.get(`${options.prefix}blocks/${block.id}`);
    assert.ok(stored !== undefined);
    stored.bytes = Buffer.from('wrong');
    assert.equal(await store.find(block.id), undefined);
    await assert.rejects(store.get(block.id), (error) => isKind(error, 'corrupt'));
    assert.equal(store.state().damagedCount, 1);
    await store.put(block);
    assert.equal((await store.get(block.id)).toString(), 'right');
    assert.equal(store.state().damagedCount, 0);
    await store.close();
  });

  // Here, because s3rver fails on this version of Node when a listing has a second page.
  it('lists page by page, and never calls a broken listing complete', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const limits = { ...QUICK_LIMITS, silenceTimeoutMs: 400, pageKeysMax: 3 };
    const options = storeOptions({ ...at(), endpoint: proxy.url }, { limits });
    const store = await openGcsBlockStore(options);
    await store.counted;
    try {
      const blocks = Array.from({ length: 8 }, (_, at) => Block.of([Buffer.from(`page ${at}`)]));
      for (const block of blocks) await store.put(block);
      const wanted = blocks.map(({ id }) => id).sort();
      assert.deepEqual(await collect(store), { ids: wanted, error: undefined });
      for (const fault of ['error-500', 'reset-response', 'reset-request', 'hang'] as const) {
        proxy.spoil({ fault, path: new RegExp(`start-after=.*${wanted[2]}`) });
        const { ids, error } = await collect(store);
        assert.ok(isKind(error, 'unavailable'), fault);
        assert.deepEqual(ids, wanted.slice(0, 3));
        proxy.heal();
        proxy.spoil({ fault, path: /list-type/, times: 2 });
        assert.deepEqual(await collect(store), { ids: wanted, error: undefined });
      }
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('counts at the opening what is there, page by page', async () => {
    const limits = { pageKeysMax: 3 };
    const options = storeOptions(at(), { limits });
    const first = await openGcsBlockStore(options);
    const blocks = Array.from({ length: 7 }, (_, at) => Block.of([Buffer.from(`count ${at}`)]));
    for (const block of blocks) await first.put(block);
    await first.close();
    const second = await openGcsBlockStore({ ...options, whenEmpty: 'refuse' });
    await second.counted;
    const { blockCount, storedBytes } = second.state();
    assert.deepEqual({ blockCount, storedBytes }, { blockCount: 7, storedBytes: 7 * 7 });
    await second.close();
  });

  it('keeps its promises over many seeds of mixed faults', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const limits = { ...QUICK_LIMITS, silenceTimeoutMs: 2_000, operationTimeoutMs: 10_000 };
    const options = storeOptions({ ...at(), endpoint: proxy.url }, { limits });
    const store = await openGcsBlockStore(options);
    const truth = await openGcsBlockStore({ ...options, endpoint: server.url });
    try {
      await tryMixedFaults({ proxy, store, truth }, 20);
    } finally {
      await store.close();
      await truth.close();
      await proxy.close();
    }
  });

  it('names what to correct when the key, its secret or the bucket is wrong', async () => {
    const messageOf = async (more: object): Promise<string> => {
      const error = await openGcsBlockStore(storeOptions(at(), more)).catch((e: unknown) => e);
      assert.ok(error instanceof HoldfastError && error.kind === 'unavailable');
      return error.message;
    };
    const { accessKeyId, secretAccessKey } = STAND_IN_KEY;
    const wrongKey = { accessKeyId: 'OTHER', secretAccessKey };
    assert.match(await messageOf({ credentials: wrongKey }), /storage\.gcs\.access_key_id/);
    const wrongSecret = { accessKeyId, secretAccessKey: 'other' };
    assert.match(await messageOf({ credentials: wrongSecret }), /storage\.gcs\.secret_access_key/);
    assert.match(await messageOf({ bucket: 'another' }), /bucket does not exist/);
  });
});

async function collect(store: BlockStore): Promise<{ ids: BlockId[]; error: unknown }> {
  const ids: BlockId[] = [];
  try {
    for await (const id of store.list()) ids.push(id);
    return { ids, error: undefined };
  } catch (error) {
    return { ids, error };
  }
}
