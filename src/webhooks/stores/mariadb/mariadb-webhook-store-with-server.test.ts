import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parseUserId } from '../../../base/ids.ts';
import { SecretSeal } from '../../../identity/index.ts';
import { systemClock } from '../../../platform/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { testWebhookStore, webhookOf } from '../../webhook-store.conformance.ts';
import { MariadbWebhookStore } from './mariadb-webhook-store.ts';

let server: ScratchServer;
let address: ServerAddress;
const seal = new SecretSeal(Buffer.alloc(32, 7));

before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
});
after(() => server.stop());

const open = (with_ = seal, unreadable: string[] = []): Promise<MariadbWebhookStore> =>
  MariadbWebhookStore.open({
    address, clock: systemClock, seal: with_, onUnreadable: (id) => unreadable.push(id),
  });

async function clear(): Promise<void> {
  const store = await open();
  for (const id of (await store.revs()).keys()) await store.delete(id);
  await store.close();
}

testWebhookStore('MariadbWebhookStore', () => open(), clear);

it('MariadbWebhookStore shows what one has made to the other, and who has the database alone '
  + 'neither address nor secret', async () => {
  await clear();
  const unreadable: string[] = [];
  const [one, two] = [await open(), await open()];
  const stranger = await open(new SecretSeal(Buffer.alloc(32, 8)), unreadable);
  try {
    await one.add(webhookOf('one'));
    assert.equal((await two.list(parseUserId('anna')))[0]?.secret, 'not to be seen');
    await two.take(webhookOf('one', { label: 'as it was in a folder' }));
    assert.equal((await two.find('webhook-one'))?.webhook.label, '');
    const rows = JSON.stringify(await server.query('SELECT * FROM webhook', address.database));
    assert.match(rows, /webhook-one/);
    assert.doesNotMatch(rows, /not to be seen|a\.example/);
    assert.deepEqual(await stranger.list(parseUserId('anna')), []);
    assert.equal(await stranger.find('webhook-one'), undefined);
    assert.deepEqual(unreadable, ['webhook-one']);
  } finally {
    for (const store of [one, two, stranger]) await store.close();
  }
});

it('MariadbWebhookStore loses no change of two servers that change one at the same moment, and '
  + 'shows each by another revision', async () => {
  await clear();
  const [one, two] = [await open(), await open()];
  try {
    await one.add(webhookOf('one'));
    const revs = await Promise.all(Array.from({ length: 40 }, async (_, at) =>
      (await (at % 2 === 0 ? one : two).change('webhook-one', (webhook) =>
        ({ ...webhook, deadInARow: webhook.deadInARow + 1 })))?.rev));
    assert.equal(new Set(revs).size, 40);
    const found = await Promise.all([one, two].map((store) => store.find('webhook-one')));
    assert.deepEqual(found.map((kept) => kept?.webhook.deadInARow), [40, 40]);
    const [{ rev } = { rev: 0 }] = found.flatMap((kept) => kept ?? []);
    assert.deepEqual([...(await two.revs())], [['webhook-one', rev]]);
    assert.equal(rev, Math.max(...revs.map((each) => each ?? 0)));
    await two.delete('webhook-one');
    assert.equal(await one.change('webhook-one', (webhook) => webhook), undefined);
  } finally {
    for (const store of [one, two]) await store.close();
  }
});
