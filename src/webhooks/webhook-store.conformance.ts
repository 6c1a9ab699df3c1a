/** The promises of WebhookStore. Every implementation runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { parseUserId } from '../base/ids.ts';
import { PER_USER_MAX } from './webhook.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

const anna = parseUserId('anna');
const ben = parseUserId('ben');

export function webhookOf(id: string, more: Partial<Webhook> = {}): Webhook {
  return {
    id: `webhook-${id}`, owner: anna, url: 'https://a.example/x', secret: 'not to be seen',
    label: '', filter: { path: '', kinds: ['added'] }, createdAt: 1, state: 'active', cursor: 'c',
    pending: undefined, again: [], dead: [], deadInARow: 0, ...more,
  };
}

/** `open` opens the same place again; `clear` empties it. */
export function testWebhookStore(
  name: string, open: () => Promise<WebhookStore>, clear: () => Promise<void>,
): void {
  describe(`${name} keeps the promises of WebhookStore`, () => {
    let store: WebhookStore;
    beforeEach(async () => {
      await clear();
      store = await open();
    });
    afterEach(() => store.close());

    const again = async (): Promise<void> => {
      await store.close();
      store = await open();
    };

    it('lists those of a user, oldest first, as made, also when opened again', async () => {
      const young = webhookOf('young', { createdAt: 3 });
      const old = webhookOf('old', { createdAt: 2 });
      for (const webhook of [old, young, webhookOf('of-ben', { owner: ben })]) {
        await store.add(webhook);
      }
      await again();
      // As JSON: what is undefined may be left out.
      const listed = JSON.stringify((await store.list(anna)).map(({ url, secret, ...rest }) =>
        ({ ...rest, url, secret })));
      assert.equal(listed, JSON.stringify([old, young].map(({ url, secret, ...rest }) =>
        ({ ...rest, url, secret }))));
      assert.equal((await store.revs()).size, 3);
    });

    it('changes one after the other, and shows by its revision that it was changed', async () => {
      await store.add(webhookOf('one'));
      const { rev } = await store.find('webhook-one') ?? assert.fail();
      assert.equal((await store.revs()).get('webhook-one'), rev);
      await Promise.all(Array.from({ length: 10 }, () => store.change('webhook-one', (webhook) =>
        ({ ...webhook, deadInARow: webhook.deadInARow + 1 }))));
      const left = await store.change('webhook-one', () => undefined);
      assert.equal(left?.webhook.deadInARow, 10);
      assert.notEqual(left.rev, rev);
      await again();
      assert.equal((await store.find('webhook-one'))?.webhook.deadInARow, 10);
    });

    it('forgets one that was deleted, calmly twice, and makes it no more by a change', async () => {
      await store.add(webhookOf('one'));
      for (let time = 0; time < 2; time += 1) await store.delete('webhook-one');
      assert.equal(await store.change('webhook-one', (webhook) => webhook), undefined);
      assert.equal(await store.find('webhook-one'), undefined);
      await again();
      assert.deepEqual(await store.list(anna), []);
    });

    it('takes so many of a user, also when they come at once', async () => {
      const adding = Array.from({ length: PER_USER_MAX + 5 }, (_, at) =>
        store.add(webhookOf(String(at))));
      const refused = (await Promise.allSettled(adding))
        .flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
      assert.equal(refused.length, 5);
      assert.ok(refused.every((error) => isKind(error, 'too-large')));
      await store.add(webhookOf('of-ben', { owner: ben }));
    });
  });
}
