import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { SeededRandom, systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import type { ObjectBlockStore } from '../s3/object-block-store.ts';
import type { ObjectFinding } from '../s3/object-findings.ts';
import { FaultProxy, type Fault } from '../testing/fault-proxy.ts';
import { openAzureBlockStore } from './azure-block-store.ts';
import type { AzureOptions } from './azure-options.ts';
import {
  Azurite, AZURITE_ACCOUNT, AZURITE_CONTAINER, AZURITE_KEY, azuriteMissing,
} from './testing/azurite.ts';

const PUT_FAULTS: Fault[] = [
  'error-500', 'slow-down', 'reset-request', 'lost-answer', 'hang', 'corrupt-request',
];
const GET_FAULTS: Fault[] = [
  'error-500', 'slow-down', 'reset-request', 'reset-response', 'lost-answer', 'hang',
  'corrupt-response',
];
const QUICK = {
  silenceTimeoutMs: 400, operationTimeoutMs: 6000, backoffFirstMs: 2, backoffMaxMs: 10,
};
const CONTENT = Buffer.alloc(2 * SEGMENT_BYTES + 1234, 'what must never change ');
const isUnavailable = (error: unknown): boolean => isKind(error, 'unavailable');

describe('AzureBlockStore', { skip: azuriteMissing() ?? false }, () => {
  let server: Azurite;
  let proxy: FaultProxy;
  let options: AzureOptions;
  let findings: ObjectFinding[];
  let store: ObjectBlockStore;
  /** The same store, past the proxy: what is really there. */
  let truth: ObjectBlockStore;

  before(async () => {
    server = await Azurite.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    proxy = await FaultProxy.start(new URL(server.url).origin, systemClock);
    findings = [];
    options = {
      account: AZURITE_ACCOUNT, container: AZURITE_CONTAINER,
      endpoint: `${proxy.url}/${AZURITE_ACCOUNT}`, credentials: { accountKey: AZURITE_KEY },
      prefix: `${randomUUID()}/`, storeId: 'store-under-test', whenEmpty: 'create',
      clock: systemClock, random: new SeededRandom(7), limits: QUICK,
      onFinding: (finding) => findings.push(finding),
    };
    store = await openAzureBlockStore(options);
    truth = await openAzureBlockStore({ ...options, endpoint: server.url });
    await store.counted;
    proxy.seen.length = 0;
  });
  afterEach(async () => {
    proxy.heal();
    await proxy.close();
    await store.close();
    await truth.close();
  });

  const keyOf = (id: BlockId): string => `${options.prefix}blocks/${id}`;
  const spoilFor = async (faults: readonly Fault[], act: () => Promise<void>): Promise<void> => {
    for (const fault of faults) {
      proxy.made.length = 0;
      proxy.spoil({ fault, times: 1 });
      await act();
      assert.deepEqual(proxy.made, [fault]);
    }
  };

  it('puts a block whole in the end, whatever fault one request meets', async () => {
    let count = 0;
    for (const fault of PUT_FAULTS) {
      count += 1;
      proxy.spoil({ fault, method: 'PUT', times: 1 });
      const block = Block.of([CONTENT, Buffer.from(fault)]);
      await store.put(block);
      assert.equal(proxy.made.at(-1), fault);
      assert.ok((await truth.get(block.id)).equals(Buffer.concat(block.pieces)), fault);
      assert.equal(store.state().blockCount, count);
    }
  });

  it('refuses a put after some attempts when every request meets the fault', async () => {
    for (const fault of PUT_FAULTS) {
      proxy.spoil({ fault, method: 'PUT' });
      const block = Block.of([CONTENT, Buffer.from(`always ${fault}`)]);
      proxy.seen.length = 0;
      await assert.rejects(store.put(block), isUnavailable, fault);
      const putCount = proxy.seen.filter((line) => line.startsWith('PUT')).length;
      assert.ok(putCount >= 2 && putCount <= 4, `${putCount} attempts`);
      proxy.heal();
      await store.put(block);
      assert.ok((await truth.get(block.id)).equals(Buffer.concat(block.pieces)), fault);
    }
  });

  it('does not believe an acknowledgement: it looks, and tells of a block not kept', async () => {
    const answer = { status: 201, body: '' };
    const block = Block.of([CONTENT]);
    proxy.spoil({ fault: 'answer', method: 'PUT', answer, times: 1 });
    await store.put(block);
    assert.ok((await truth.get(block.id)).equals(CONTENT));
    assert.deepEqual(findings.map(({ kind }) => kind), ['put-not-kept']);
    proxy.spoil({ fault: 'answer', method: 'PUT', answer });
    const other = Block.of([Buffer.from('never kept')]);
    await assert.rejects(store.put(other), (error) => {
      return error instanceof HoldfastError && error.code === 'put-not-kept';
    });
  });

  it('reads the right bytes, whole and in part, whatever fault one request meets', async () => {
    const block = Block.of([CONTENT]);
    await truth.put(block);
    await spoilFor(GET_FAULTS, async () => {
      assert.ok((await store.get(block.id)).equals(CONTENT));
    });
    await spoilFor(GET_FAULTS, async () => {
      const part = await store.read(block.id, SEGMENT_BYTES - 5, 10);
      assert.ok(part.equals(CONTENT.subarray(SEGMENT_BYTES - 5, SEGMENT_BYTES + 5)));
    });
  });

  it('reads a part by asking for its segments only', async () => {
    const block = Block.of([CONTENT]);
    await store.put(block);
    proxy.seen.length = 0;
    await store.read(block.id, SEGMENT_BYTES - 5, 10);
    assert.deepEqual(proxy.seen.length, 1);
  });

  it('is unavailable in an outage, and never answers absent or empty', async () => {
    const { id } = Block.of([CONTENT]);
    for (const fault of ['error-500', 'reset-request', 'hang'] as const) {
      proxy.spoil({ fault });
      await Promise.all([
        assert.rejects(store.find(id), isUnavailable),
        assert.rejects(store.get(id), isUnavailable),
        assert.rejects(store.read(id, 0, 1), isUnavailable),
        assert.rejects(store.list()[Symbol.asyncIterator]().next(), isUnavailable),
      ]);
      proxy.heal();
      assert.equal(await store.find(id), undefined);
    }
  });

  it('is unavailable, too, when what answers is no Azure, or the container is gone', async () => {
    const block = Block.of([CONTENT]);
    await store.put(block);
    const answers = [
      { status: 404, body: '<html>nothing here</html>' },
      { status: 200, body: '' },
      { status: 404, body: '', headers: { 'x-ms-error-code': 'ContainerNotFound' } },
      { status: 403, body: '', headers: { 'x-ms-error-code': 'AuthorizationFailure' } },
    ];
    for (const answer of answers) {
      proxy.spoil({ fault: 'answer', answer });
      await assert.rejects(store.get(Block.of([Buffer.from('other')]).id), isUnavailable);
      await assert.rejects(store.list()[Symbol.asyncIterator]().next(), isUnavailable);
      if (answer.status !== 200) await assert.rejects(store.find(block.id), isUnavailable);
      proxy.heal();
    }
    assert.ok((await store.get(block.id)).equals(CONTENT));
  });

  it('believes only Azure\'s own word that a blob is absent or this is the part', async () => {
    const block = Block.of([CONTENT]);
    await store.put(block);
    const path = /\/blocks\//;
    const answer = { status: 404, body: '<html>nothing here</html>' };
    proxy.spoil({ fault: 'answer', path, answer });
    await assert.rejects(store.get(block.id), isUnavailable);
    await assert.rejects(store.find(block.id), isUnavailable);
    await assert.rejects(store.put(block), isUnavailable);
    proxy.heal();
    const headers = { 'content-range': 'bytes 0-4/5' };
    proxy.spoil({ fault: 'answer', path, answer: { status: 206, body: 'wrong', headers } });
    await assert.rejects(store.read(block.id, SEGMENT_BYTES, 10), (error) => {
      return error instanceof HoldfastError && error.code === 'service-garbled';
    });
  });

  it('notices other bytes in a blob, and puts the block anew', async () => {
    const block = Block.of([CONTENT]);
    await store.put(block);
    const other = Buffer.from(CONTENT);
    other[1000] = (other[1000] ?? 0) ^ 1;
    await server.overwrite(keyOf(block.id), other);
    await assert.rejects(store.get(block.id), (error) => isKind(error, 'corrupt'));
    await assert.rejects(store.read(block.id, 0, 2000), (error) => isKind(error, 'corrupt'));
    assert.equal(await store.find(block.id), undefined);
    assert.equal(store.state().damagedCount, 1);
    await store.put(block);
    assert.ok((await store.get(block.id)).equals(CONTENT));
    assert.equal(store.state().damagedCount, 0);
  });

  it('refuses the place of another store, of a newer format, or with no marker', async () => {
    const markerKey = `${options.prefix}holdfast-store.json`;
    const openAgain = (more: Partial<AzureOptions> = {}): Promise<unknown> => {
      return openAzureBlockStore({ ...options, ...more });
    };
    const refused = (code: string) => (error: unknown): boolean => {
      return error instanceof HoldfastError && error.kind === 'conflict' && error.code === code;
    };
    await assert.rejects(openAgain({ storeId: 'another' }), refused('foreign-store'));
    const elsewhere = { prefix: `${randomUUID()}/`, whenEmpty: 'refuse' } as const;
    await assert.rejects(openAgain(elsewhere), refused('store-missing'));
    await store.put(Block.of([CONTENT]));
    const marker = await (await server.request('GET', `/${markerKey}`)).text();
    const newer = marker.replace('"version":1', '"version":3');
    await server.overwrite(markerKey, Buffer.from(newer));
    await assert.rejects(openAgain(), refused('newer-format'));
    await assert.rejects(store.get(Block.of([Buffer.from('x')]).id), isUnavailable);
    await server.request('DELETE', `/${markerKey}`);
    await assert.rejects(openAgain(), refused('prefix-not-empty'));
  });

  it('says what to do when the key, the container or the clock is wrong', async () => {
    const openWith = (more: Partial<AzureOptions>): Promise<unknown> => {
      return openAzureBlockStore({ ...options, ...more });
    };
    const says = (code: string, part: string) => (error: unknown): boolean => {
      assert.ok(error instanceof HoldfastError);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(part), error.message);
      return error.kind === 'unavailable';
    };
    const accountKey = Buffer.alloc(64, 'wrong').toString('base64');
    const wrongKey = openWith({ credentials: { accountKey } });
    // Azurite has the one word for it, Azure the other.
    await assert.rejects(wrongKey, says('access-denied', 'storage.azure.account_key'));
    const answer = { status: 403, body: '<Error><Code>AuthenticationFailed</Code></Error>' };
    proxy.spoil({ fault: 'answer', answer, times: 1 });
    await assert.rejects(openWith({}), says('credentials-refused', 'storage.azure.account_key'));
    const noContainer = openWith({ container: 'not-there' });
    await assert.rejects(noContainer, says('bucket-missing', 'storage.azure.container'));
    const late = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    // Azurite does not look at the clock.
    proxy.spoil({ fault: 'answer', answer, times: 1 });
    await assert.rejects(openWith({ clock: late }), says('clock-wrong', ' seconds'));
    const nowhere = openWith({ endpoint: 'http://127.0.0.1:1' });
    await assert.rejects(nowhere, says('service-unreachable', 'storage.azure.endpoint'));
  });

  it('lists a store of several pages whole, from anywhere', async () => {
    const paged = await openAzureBlockStore({ ...options, limits: { ...QUICK, pageKeysMax: 7 } });
    const blocks = Array.from({ length: 40 }, (_, at) => Block.of([Buffer.from(`${at}`)]));
    for (const block of blocks) await paged.put(block);
    const wanted = blocks.map(({ id }) => id).sort();
    for (const at of [undefined, 0, 20, 39]) {
      const after = at === undefined ? undefined : wanted[at];
      const found: BlockId[] = [];
      for await (const id of paged.list(after)) found.push(id);
      assert.deepEqual(found, wanted.slice(at === undefined ? 0 : at + 1));
    }
    await paged.close();
  });
});
