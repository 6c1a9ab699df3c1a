import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { FaultProxy, type Fault } from '../testing/fault-proxy.ts';
import type { ObjectBlockStore } from './object-block-store.ts';
import type { ObjectFinding } from './object-findings.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import type { S3Options } from './s3-options.ts';
import { GET_FAULTS, PUT_FAULTS, tryMixedFaults } from './testing/mixed-faults.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';
import { S3rver, S3RVER_BUCKET, S3RVER_KEY } from './testing/s3rver.ts';

const ATTEMPTS = 4;
const SHORT = { silenceTimeoutMs: 300 };
const CONTENT = Buffer.alloc(3 * SEGMENT_BYTES + 1234, 'what must never change ');

describe('S3BlockStore behind a network that breaks', () => {
  let server: S3rver;
  let proxy: FaultProxy;
  let options: S3Options;
  let findings: ObjectFinding[];
  let store: ObjectBlockStore;
  /** The same store, past the proxy: what is really there. */
  let truth: ObjectBlockStore;

  before(async () => {
    server = await S3rver.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.url, systemClock);
    findings = [];
    const place = { bucket: S3RVER_BUCKET, credentials: S3RVER_KEY };
    options = storeOptions({ ...place, endpoint: proxy.url }, {
      limits: QUICK_LIMITS, onFinding: (finding) => findings.push(finding),
    });
    store = await openS3BlockStore(options);
    truth = await openS3BlockStore({ ...options, endpoint: server.url });
    await store.counted;
    proxy.seen.length = 0;
  });

  /** Faults that end at a deadline get a short one. */
  const hurry = async (fault: Fault): Promise<void> => {
    if (fault !== 'hang' && fault !== 'slow') return;
    await store.close();
    store = await openS3BlockStore({ ...options, limits: { ...QUICK_LIMITS, ...SHORT } });
    await store.counted;
    proxy.seen.length = 0;
  };
  afterEach(async () => {
    proxy.heal();
    await proxy.close();
    await store.close();
    await truth.close();
  });

  const countOf = (method: string): number => {
    return proxy.seen.filter((line) => line.startsWith(`${method} `)).length;
  };

  for (const fault of PUT_FAULTS) {
    it(`a put is whole in the end when it meets "${fault}" once`, async () => {
      await hurry(fault);
      proxy.spoil({ fault, method: 'PUT', times: 1 });
      const block = Block.of([CONTENT]);
      await store.put(block);
      assert.deepEqual(proxy.made, [fault]);
      assert.ok((await truth.get(block.id)).equals(CONTENT));
      assert.deepEqual(await truth.find(block.id), { sizeBytes: CONTENT.length });
      assert.equal(store.state().blockCount, 1);
    });

    it(`a put is refused after some attempts when it meets "${fault}" each time`, async () => {
      await hurry(fault);
      proxy.spoil({ fault, method: 'PUT' });
      const block = Block.of([CONTENT]);
      const put = store.put(block).then(() => 'stored', (error: unknown) => error);
      const outcome = await put;
      const isStored = (await truth.find(block.id)) !== undefined;
      if (outcome === 'stored') {
        // A broken answer does not unmake the object; the check after writing saw it.
        assert.ok(isStored);
      } else {
        const kind = fault === 'slow-down' ? 'busy' : 'unavailable';
        assert.ok(isKind(outcome, kind), String(outcome));
        assert.equal(store.state().blockCount, 0);
      }
      assert.ok(countOf('PUT') <= ATTEMPTS, `${countOf('PUT')} attempts`);
      assert.equal(store.state().queuedBytes, 0);
      proxy.heal();
      await store.put(block);
      assert.ok((await truth.get(block.id)).equals(CONTENT));
      assert.equal(store.state().blockCount, 1);
    });
  }

  it('asks once, and sends nothing, for a block that is there already', async () => {
    const block = Block.of([CONTENT]);
    await truth.put(block);
    await store.put(block);
    assert.deepEqual(proxy.seen.map((line) => line.split(' ')[0]), ['HEAD']);
  });

  it('reads back every put, if that is wanted, and writes again what is wrong', async () => {
    await store.close();
    store = await openS3BlockStore({ ...options, putCheck: 'read' });
    await store.counted;
    proxy.seen.length = 0;
    proxy.spoil({ fault: 'corrupt-request', method: 'PUT', times: 1 });
    const block = Block.of([CONTENT]);
    await store.put(block);
    const methods = proxy.seen.map((line) => line.split(' ')[0]);
    assert.deepEqual(methods, ['HEAD', 'PUT', 'GET', 'GET', 'GET', 'PUT', 'GET']);
    assert.ok((await truth.get(block.id)).equals(CONTENT));
  });

  it('tells of each put that was acknowledged and not kept', async () => {
    proxy.spoil({ fault: 'dropped', method: 'PUT' });
    const put = store.put(Block.of([CONTENT]));
    await assert.rejects(put, (error) => {
      return error instanceof HoldfastError && error.code === 'put-not-kept';
    });
    assert.deepEqual(findings.map(({ kind }) => kind), Array(3).fill('put-not-kept'));
  });

  it('does not take a block for stored that was damaged on its way there', async () => {
    proxy.spoil({ fault: 'corrupt-request', method: 'PUT' });
    const block = Block.of([CONTENT]);
    await assert.rejects(store.put(block), (error) => isKind(error, 'unavailable'));
    // The damaged bytes lie there under the block's name, but nobody is told that it is there.
    assert.equal(await truth.find(block.id), undefined);
    await assert.rejects(truth.get(block.id), (error) => isKind(error, 'corrupt'));
    assert.equal(truth.state().damagedCount, 1);
  });

  for (const fault of GET_FAULTS) {
    it(`a read gives the right bytes or none when it meets "${fault}"`, async () => {
      await hurry(fault);
      const block = Block.of([CONTENT]);
      await truth.put(block);
      const part = () => store.read(block.id, SEGMENT_BYTES - 5, 10);
      proxy.spoil({ fault, method: 'GET', times: 1, pauseMs: 2 });
      assert.ok((await store.get(block.id)).equals(CONTENT));
      proxy.spoil({ fault, method: 'GET', times: 1, pauseMs: 2 });
      assert.ok((await part()).equals(CONTENT.subarray(SEGMENT_BYTES - 5, SEGMENT_BYTES + 5)));
      assert.deepEqual(proxy.made, [fault, fault]);

      proxy.spoil({ fault, method: 'GET', pauseMs: 1000 });
      const kind = fault === 'slow-down' ? 'busy' : 'unavailable';
      await assert.rejects(store.get(block.id), (error) => isKind(error, kind));
      await assert.rejects(part(), (error) => isKind(error, kind));
    });
  }

  it('tells bytes damaged on the way from bytes damaged in the store', async () => {
    const block = Block.of([CONTENT]);
    await truth.put(block);
    proxy.spoil({ fault: 'corrupt-response', method: 'GET' });
    await assert.rejects(store.get(block.id), (error) => {
      return error instanceof HoldfastError && error.code === 'damaged-on-the-way';
    });
    assert.equal(store.state().damagedCount, 0);
    assert.deepEqual(findings.map(({ kind }) => kind), ['damaged-on-the-way']);
  });

  for (const fault of ['error-500', 'reset-request', 'hang', 'lost-answer'] as const) {
    it(`never calls a block absent, or a listing empty, because of "${fault}"`, async () => {
      await hurry(fault);
      const { id } = Block.of([CONTENT]);
      proxy.spoil({ fault });
      const unavailable = (error: unknown): boolean => isKind(error, 'unavailable');
      await assert.rejects(store.find(id), unavailable);
      await assert.rejects(store.get(id), unavailable);
      await assert.rejects(collect(store), unavailable);
      await assert.rejects(store.put(Block.of([CONTENT])), unavailable);
      const limits = { ...QUICK_LIMITS, ...SHORT };
      await assert.rejects(openS3BlockStore({ ...options, limits }), unavailable);
    });
  }

  it('is unavailable, and nothing else, while nothing listens', async () => {
    const block = Block.of([CONTENT]);
    await store.put(block);
    await proxy.close();
    const unavailable = (error: unknown): boolean => isKind(error, 'unavailable');
    await assert.rejects(store.find(block.id), unavailable);
    await assert.rejects(store.get(block.id), unavailable);
    await assert.rejects(store.read(block.id, 0, 1), unavailable);
    await assert.rejects(collect(store), unavailable);
    await assert.rejects(store.put(Block.of([Buffer.from('new')])), unavailable);
  });

  it('goes on while bytes come slowly, and ends at the deadline of the call', async () => {
    const block = Block.of([CONTENT]);
    await truth.put(block);
    proxy.spoil({ fault: 'slow', method: 'GET', pauseMs: 60 });
    assert.ok((await store.get(block.id)).equals(CONTENT));
    await store.close();
    proxy.heal();
    const limits = { ...QUICK_LIMITS, operationTimeoutMs: 300 };
    store = await openS3BlockStore({ ...options, limits });
    await store.counted;
    proxy.spoil({ fault: 'slow', method: 'GET', pauseMs: 60 });
    await assert.rejects(store.get(block.id), (error) => {
      return error instanceof HoldfastError && error.code === 'timeout';
    });
  });

  it('ends every call at its deadline, however often the service asks to wait', async () => {
    await store.close();
    const limits = { ...QUICK_LIMITS, operationTimeoutMs: 150, backoffMaxMs: 60_000 };
    store = await openS3BlockStore({ ...options, limits });
    await store.counted;
    const headers = { 'retry-after': '30' };
    proxy.spoil({ fault: 'answer', answer: { status: 503, body: '', headers } });
    const startMs = systemClock.monotonic();
    for (const call of [store.put(Block.of([CONTENT])), store.find(Block.of([CONTENT]).id)]) {
      await assert.rejects(call, (error) => isKind(error, 'unavailable'));
    }
    assert.ok(systemClock.monotonic() - startMs < 20_000);
  });

  it('keeps its promises over many seeds of mixed faults', async () => {
    await tryMixedFaults({ proxy, store, truth }, 30);
  });
});

async function collect(store: ObjectBlockStore): Promise<BlockId[]> {
  const ids: BlockId[] = [];
  for await (const id of store.list()) ids.push(id);
  return ids;
}
