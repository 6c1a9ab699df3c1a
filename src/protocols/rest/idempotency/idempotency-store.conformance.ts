/** The promises of IdempotencyStore. Every implementation runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { parseUserId } from '../../../base/ids.ts';
import { KEY_TTL_MS } from './idempotency-store.ts';
import type { IdempotencyStore, KeptAnswer, KeyedRequest } from './idempotency-store.ts';

const AT = Date.UTC(2026, 10, 21);

export function keyed(key: string, changes: Partial<KeyedRequest> = {}): KeyedRequest {
  return { user: parseUserId('anna'), key, fingerprint: 'f1', ...changes };
}

export const ANSWER: KeptAnswer = {
  status: 201, headers: { ETag: '"1-1"' }, body: '{"id":"1"}', isWhole: true,
};

export function testIdempotencyStore(
  name: string, makeEmpty: () => Promise<IdempotencyStore>,
): void {
  describe(`${name} keeps the promises of IdempotencyStore`, () => {
    let store: IdempotencyStore;
    beforeEach(async () => {
      store = await makeEmpty();
    });
    afterEach(() => store.close());

    it('lets one of two begin, and tells the other that it is under way', async () => {
      const states = await Promise.all([store.begin(keyed('k'), AT), store.begin(keyed('k'), AT)]);
      assert.deepEqual(states.map(({ kind }) => kind).toSorted(), ['begun', 'busy']);
    });

    it('answers what was answered, and nothing to another request', async () => {
      await store.begin(keyed('k'), AT);
      await store.finish(keyed('k'), ANSWER);
      assert.deepEqual(await store.begin(keyed('k'), AT), { kind: 'done', answer: ANSWER });
      const other = keyed('k', { fingerprint: 'f2' });
      assert.deepEqual(await store.begin(other, AT), { kind: 'other' });
    });

    it('keeps an answer without a body as it is', async () => {
      const empty: KeptAnswer = { status: 204, headers: {}, body: undefined, isWhole: true };
      await store.begin(keyed('k'), AT);
      await store.finish(keyed('k'), empty);
      assert.deepEqual(await store.begin(keyed('k'), AT), { kind: 'done', answer: empty });
    });

    it('keeps the keys of users apart', async () => {
      await store.begin(keyed('k'), AT);
      const ofBen = keyed('k', { user: parseUserId('ben'), fingerprint: 'f2' });
      assert.deepEqual(await store.begin(ofBen, AT), { kind: 'begun' });
    });

    it('begins again what was forgotten, and not what was lost', async () => {
      await store.begin(keyed('forgotten'), AT);
      await store.forget(keyed('forgotten'));
      assert.deepEqual(await store.begin(keyed('forgotten'), AT), { kind: 'begun' });
      await store.begin(keyed('lost'), AT);
      await store.lose(keyed('lost'));
      assert.deepEqual(await store.begin(keyed('lost'), AT), { kind: 'unknown' });
      await store.forget(keyed('never begun'));
    });

    it('lets a key go when its time is over, and not before', async () => {
      await store.begin(keyed('k'), AT);
      await store.finish(keyed('k'), ANSWER);
      const late = await store.begin(keyed('k'), AT + KEY_TTL_MS - 1);
      assert.equal(late.kind, 'done');
      const over = await store.begin(keyed('k'), AT + KEY_TTL_MS);
      assert.equal(over.kind, 'begun');
    });

    it('refuses once closed, and is closed twice calmly', async () => {
      await store.close();
      await store.close();
      await assert.rejects(store.begin(keyed('k'), AT), (error) => isKind(error, 'unavailable'));
    });
  });
}
