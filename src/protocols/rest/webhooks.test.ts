/** Webhooks by the API: added, told, refused, given up, sent again; as a receiver sees them. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import { ChangeFeed, SpaceDirectory } from '../../files/index.ts';
import { SeededRandom, silentLog, systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { FolderWebhookStore, Webhooks, systemResolve } from '../../webhooks/index.ts';
import { pageText } from '../events/change-answer.ts';
import { peopleOf } from '../people.ts';
import type { SiteParts } from '../nextcloud/testing/cloud-site.ts';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

const SECRET = 'a secret that is long enough';
const ROUND_MS = 60_000;
const TRY_MS = 10_000;
const HOURS_5_MS = 5 * 60 * 60 * 1000;
/** See docs/formats/webhooks.md. */
const TRIES = 8;

/** Its hours pass when the test says so. */
class LeapingClock implements Clock {
  aheadMs = 0;

  now(): number {
    return systemClock.now() + this.aheadMs;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(delayMs: number, act: () => void): () => void {
    const isFar = delayMs >= TRY_MS && delayMs !== ROUND_MS;
    return systemClock.after(isFar ? HOURS_5_MS : 1, act);
  }
}

interface Received {
  readonly id: string;
  readonly signature: string;
  readonly body: string;
}

describe('Webhooks in the API', { timeout: 120_000 }, () => {
  const clock = new LeapingClock();
  const received: Received[] = [];
  let status = 200;
  let onEach = (): void => undefined;
  const receiver = http.createServer((req, res) => {
    void readAll(req).then((body) => {
      const { 'holdfast-delivery': id, 'holdfast-signature': signature } = req.headers;
      received.push({ id: String(id), signature: String(signature), body });
      res.writeHead(status).end();
      onEach();
    });
  });
  let site: RestSite;
  let folder: string;
  let webhooks: Webhooks;
  let url: string;
  const ben = { auth: `ben:${PASSWORD}` };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-webhooks-api-'));
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const made: { parts?: SiteParts } = {};
    site = await RestSite.open({
      webhooks: (parts) => {
        made.parts = parts;
        return () => webhooks;
      },
    });
    webhooks = await openWebhooks(made.parts ?? assert.fail());
  });
  after(async () => {
    await webhooks.close();
    await site.close();
    receiver.closeAllConnections();
    receiver.close();
    await rm(folder, { recursive: true });
  });

  async function openWebhooks(parts: SiteParts): Promise<Webhooks> {
    const { metadata, identity, now } = parts;
    const spaces = new SpaceDirectory({
      metadata, now, people: peopleOf(identity),
      defaults: { casePolicy: 'sensitive', quotaBytes: undefined },
    });
    const commit = metadata.commit.bind(metadata);
    metadata.commit = async (change) => {
      const result = await commit(change);
      if ('spaceId' in change) webhooks.changed(change.spaceId);
      return result;
    };
    const opened = new Webhooks({
      store: await FolderWebhookStore.open(folder), clock, random: new SeededRandom(7),
      log: silentLog, resolve: systemResolve, allowPrivate: true, textOf: pageText,
      feed: new ChangeFeed({ metadata, spaces, now, installation: 'here' }),
      findCaller: async (user) => ({
        user, tenant: DEFAULT_TENANT, displayName: user, admin: false, device: 'webhook',
        credential: 'api-token', groups: [], groupsRev: 0,
      }),
    });
    opened.startSending();
    return opened;
  }

  async function until(count: number): Promise<Received> {
    while (received.length < count) {
      await new Promise<void>((resolve) => {
        onEach = resolve;
      });
    }
    return received[count - 1] ?? assert.fail();
  }

  async function shown(id: string, isSo: (hook: Json) => boolean): Promise<Json> {
    for (;;) {
      const { json } = await site.ask('GET', '/webhooks');
      const hook = json.items.find((one: Json) => one.id === id);
      if (isSo(hook)) return hook;
    }
  }

  it('send what changes, signed with a secret that is never shown', async () => {
    const made = await site.ask('POST', '/webhooks', {
      json: { url, secret: SECRET, label: 'mine', kinds: ['added'] },
    });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual([made.json.url, made.json.label, made.json.state], [url, 'mine', 'active']);
    await site.put('told.txt', 'x');
    const { body, signature } = await until(1);
    const [, seconds = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    const wanted = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
    assert.equal(mac, wanted);
    const page = JSON.parse(body) as { items: { kind: string; path: string }[] };
    assert.deepEqual(page.items.map(({ kind, path }) => `${kind} ${path}`), ['added /told.txt']);
    const list = await site.ask('GET', '/webhooks');
    assert.equal(list.json.items.length, 1);
    assert.ok(!list.text.includes(SECRET) && !made.text.includes(SECRET));
    assert.equal((await site.ask('DELETE', `/webhooks/${made.json.id}`)).status, 204);
    await site.put('untold.txt', 'x');
    assert.deepEqual((await site.ask('GET', '/webhooks')).json, { items: [] });
    assert.deepEqual(await readdir(folder), []);
  });

  it('are tried again, given up, shown as dead, and sent again when asked', async () => {
    const before = received.length;
    status = 500;
    const { json: { id } } = await site.ask('POST', '/webhooks', { json: { url, secret: SECRET } });
    await site.put('hard.txt', 'x');
    for (let tries = 1; tries <= TRIES; tries += 1) {
      await until(before + tries);
      if (tries === TRIES) break;
      const { pending } = await shown(id, (hook) => hook.pending?.tries === tries);
      assert.equal(pending.trouble, 'The receiver answered 500.');
      clock.aheadMs += HOURS_5_MS;
    }
    const { dead: [dead] } = await shown(id, (hook) => hook.dead.length > 0);
    assert.equal(dead.tries, TRIES);
    const kept = await readFile(join(folder, `${id}.json`), 'utf8');
    assert.match(kept, /"format":1/);
    const resend = `/webhooks/${id}/deliveries/${dead.id}/resend`;
    assert.equal((await site.ask('POST', resend, ben)).status, 404);
    status = 200;
    assert.equal((await site.ask('POST', resend)).status, 202);
    const last = await until(before + TRIES + 1);
    assert.equal(last.id, dead.id);
    await shown(id, (hook) => hook.dead.length === 0 && hook.pending === undefined);
    assert.equal((await site.ask('POST', resend)).status, 404);
    await site.ask('DELETE', `/webhooks/${id}`);
  });

  it('belong to their owner, and are refused without a secret, an address or the right to read',
    async () => {
      const { json: { id } } = await site.ask('POST', '/webhooks', {
        json: { url, secret: SECRET },
      });
      assert.deepEqual((await site.ask('GET', '/webhooks', ben)).json, { items: [] });
      assert.equal((await site.ask('DELETE', `/webhooks/${id}`, ben)).status, 404);
      const wrong = [
        { url }, { url, secret: 'short' }, { url: 'ftp://example.org/x', secret: SECRET },
        { url: 'nonsense', secret: SECRET },
      ];
      for (const json of wrong) {
        assert.equal((await site.ask('POST', '/webhooks', { json })).status, 400);
      }
      const headers = await site.tokenFor('anna', ['account']);
      const blind = await site.ask('POST', '/webhooks', {
        auth: undefined, headers, json: { url, secret: SECRET },
      });
      assert.deepEqual([blind.status, blind.json.code], [403, 'scope']);
      await site.ask('DELETE', `/webhooks/${id}`);
    });
});

async function readAll(req: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
