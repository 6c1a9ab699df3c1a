import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../base/ids.ts';
import { parseName, parsePath } from '../base/names.ts';
import { ChangeFeed, SpaceDirectory } from '../files/index.ts';
import type { Caller } from '../identity/index.ts';
import {
  MemoryMetadataStore,
} from '../metadata/stores/memory/memory-metadata-store.ts';
import { SeededRandom, silentLog, systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { isPrivate, systemResolve } from './addresses.ts';
import { signatureOf } from './send.ts';
import { FolderWebhookStore } from './folder-webhook-store.ts';
import { TRIES_MAX } from './webhook-sender.ts';
import { Webhooks } from './webhooks.ts';
import type { WebhooksParts } from './webhooks.ts';

const SECRET = 'a secret that is long enough';

interface Received {
  id: string;
  signature: string;
  body: string;
}

function callerNamed(user: string): Caller {
  return {
    user: parseUserId(user), tenant: DEFAULT_TENANT, displayName: user, admin: false,
    device: 'test', credential: 'password', groups: [], groupsRev: 0,
  };
}

const anna = callerNamed('anna');
const ben = callerNamed('ben');

function failsWith(kind: string, code?: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.kind === kind
    && (code === undefined || error.code === code);
}

/** Files of both, without content. */
class Site {
  readonly metadata = new MemoryMetadataStore();
  readonly spaces = new SpaceDirectory({
    metadata: this.metadata, now: () => this.now,
    defaults: { casePolicy: 'sensitive', quotaBytes: undefined },
  });
  now = Date.UTC(2026, 10, 21);

  async #make(caller: Caller, path: string, isFolder: boolean): Promise<number> {
    const names = parsePath(path.split('/'));
    const { id: spaceId } = await this.spaces.personalSpace(caller);
    const parent = (await this.metadata.resolve(spaceId, names.slice(0, -1))).at(-1);
    const actor = { user: caller.user, device: '', at: this.now, lockTokens: [] };
    const place = {
      spaceId, parentId: parent?.id ?? assert.fail(), name: names.at(-1) ?? parseName('x'), actor,
    };
    await this.metadata.commit(isFolder ? { op: 'make-folder', ...place } : {
      op: 'put-file', ...place, modifiedAt: undefined,
      content: { sizeBytes: 0, manifest: Buffer.from(path), checksums: '' },
    });
    return spaceId;
  }

  folder(caller: Caller, path: string): Promise<number> {
    return this.#make(caller, path, true);
  }

  write(caller: Caller, path: string): Promise<number> {
    return this.#make(caller, path, false);
  }
}

/** A receiver on a free port, which takes or refuses what comes. */
class Receiver {
  readonly #server = http.createServer((req, res) => this.#take(req, res));
  readonly received: Received[] = [];
  status = 200;
  #onEach = (): void => undefined;

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  #take(req: http.IncomingMessage, res: http.ServerResponse): void {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const { 'holdfast-delivery': id, 'holdfast-signature': signature } = req.headers;
      const body = Buffer.concat(pieces).toString();
      this.received.push({ id: String(id), signature: String(signature), body });
      res.writeHead(this.status, { Location: '/elsewhere' }).end();
      this.#onEach();
    });
  }

  /** Resolves when so many have come in all. */
  async until(count: number): Promise<Received> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.#onEach = resolve;
      });
    }
    return this.received[count - 1] ?? assert.fail();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Waits at once, whatever the time: the pauses of tries are hours. */
const HASTY: Clock = {
  now: () => systemClock.now(), monotonic: () => systemClock.monotonic(),
  after: (delayMs, act) => systemClock.after(delayMs >= 10_000 ? 3_600_000 : 1, act),
};

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('Webhooks', () => {
  let site: Site;
  let folder: string;
  let receiver: Receiver;
  let url: string;
  let webhooks: Webhooks;

  const make = async (more: Partial<WebhooksParts> = {}): Promise<Webhooks> => new Webhooks({
    store: await FolderWebhookStore.open(folder),
    clock: HASTY, random: new SeededRandom(3), log: silentLog,
    resolve: systemResolve, allowPrivate: true,
    feed: new ChangeFeed({
      metadata: site.metadata, spaces: site.spaces, now: () => site.now, installation: 'here',
    }),
    findCaller: async (user) => (user === 'anna' ? anna : ben),
    textOf: ({ changes }) =>
      JSON.stringify(changes.map(({ kind, path }) => `${kind} ${path?.join('/')}`)),
    ...more,
  });

  const open = async (more: Partial<WebhooksParts> = {}): Promise<Webhooks> => {
    const opened = await make(more);
    opened.startSending();
    return opened;
  };

  beforeEach(async () => {
    site = new Site();
    const { metadata } = site;
    const commit = metadata.commit.bind(metadata);
    metadata.commit = async (change) => {
      const result = await commit(change);
      if ('spaceId' in change) webhooks.changed(change.spaceId);
      return result;
    };
    folder = await mkdtemp(join(tmpdir(), 'holdfast-webhooks-'));
    receiver = new Receiver();
    url = await receiver.open();
    webhooks = await open();
  });
  afterEach(async () => {
    await webhooks.close();
    receiver.close();
    await rm(folder, { recursive: true });
  });

  it('send what their owner sees changing, signed, and no more than was asked for', async () => {
    await webhooks.add(anna, { url, secret: SECRET, path: '/work', kinds: ['added'] });
    await site.folder(anna, 'work');
    await site.write(anna, 'diary');
    await site.write(ben, 'work');
    await site.write(anna, 'work/plan');
    let told: string[] = [];
    for (let count = 1; !told.includes('added work/plan'); count += 1) {
      const { body, signature } = await receiver.until(count);
      told = [...told, ...JSON.parse(body) as string[]];
      const [, seconds = ''] = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(signature) ?? [];
      const mac = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
      assert.equal(signature, `t=${seconds},v1=${mac}`);
      assert.equal(signature, signatureOf(SECRET, Number(seconds), body));
    }
    assert.deepEqual(told, ['added work', 'added work/plan']);
  });

  it('send the same message again after a restart, and then what changed meanwhile', async () => {
    receiver.status = 500;
    await webhooks.add(anna, { url, secret: SECRET });
    await site.write(anna, 'a');
    const first = await receiver.until(1);
    await webhooks.close();
    await site.write(anna, 'b');
    receiver.status = 204;
    webhooks = await open();
    const again = await receiver.until(2);
    assert.deepEqual([again.id, again.body], [first.id, first.body]);
    assert.match((await receiver.until(3)).body, /added b/);
    assert.equal((await webhooks.list(anna.user))[0]?.dead.length, 0);
  });

  it('send nothing for an account that is closed, also not what is under way', async () => {
    receiver.status = 500;
    await webhooks.add(anna, { url, secret: SECRET });
    await site.write(anna, 'a');
    await receiver.until(1);
    await webhooks.close();
    const asked = Promise.withResolvers<undefined>();
    webhooks = await open({
      findCaller: async () => {
        asked.resolve(undefined);
        return undefined;
      },
    });
    await Promise.race([asked.promise, receiver.until(2)]);
    await webhooks.close();
    assert.equal(receiver.received.length, 1);
  });

  it('give a message up after many tries, follow no redirection, and send it again when asked',
    async () => {
      receiver.status = 302;
      const { id } = await webhooks.add(anna, { url, secret: SECRET });
      await site.write(anna, 'a');
      await receiver.until(1);
      const hook = async () => (await webhooks.list(anna.user))[0] ?? assert.fail();
      for (let tries = 1; tries < TRIES_MAX; tries += 1) {
        while ((await hook()).pending?.tries !== tries) await turn();
        await webhooks.close();
        webhooks = await open();
        await receiver.until(tries + 1);
      }
      while ((await hook()).dead.length === 0) await turn();
      const [dead] = (await hook()).dead;
      assert.deepEqual([dead?.tries, dead?.trouble],
        [TRIES_MAX, 'The receiver answered 302.']);
      receiver.status = 200;
      await assert.rejects(webhooks.resend(ben.user, id, dead?.id ?? ''), failsWith('not-found'));
      await webhooks.resend(anna.user, id, dead?.id ?? '');
      const last = await receiver.until(TRIES_MAX + 1);
      assert.equal(last.id, dead?.id);
      assert.deepEqual(new Set(receiver.received.map((each) => each.id)), new Set([last.id]));
    });

  it('lead to no address inside a network, whatever its name', async () => {
    const inside = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '192.168.1.1', '100.64.0.1'];
    for (const address of inside) assert.ok(isPrivate({ address, family: 4 }), address);
    for (const address of ['::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1']) {
      assert.ok(isPrivate({ address, family: 6 }), address);
    }
    assert.ok(!isPrivate({ address: '93.184.216.34', family: 4 }));
    assert.ok(!isPrivate({ address: '2606:2800:220:1::1', family: 6 }));
    await webhooks.close();
    const resolve: WebhooksParts['resolve'] = async () => [
      { address: '93.184.216.34', family: 4 }, { address: '10.0.0.1', family: 4 },
    ];
    webhooks = await open({ allowPrivate: false, resolve });
    const denied = failsWith('denied', 'private-address');
    for (const bad of [url, 'https://name.example/', 'http://[::1]/', 'http://2130706433/']) {
      await assert.rejects(webhooks.add(anna, { url: bad, secret: SECRET }), denied, bad);
    }
    for (const bad of ['ftp://x.example/', 'https://a:b@x.example/', 'nonsense']) {
      await assert.rejects(webhooks.add(anna, { url: bad, secret: SECRET }), failsWith('invalid'));
    }
    await assert.rejects(webhooks.add(anna, { url, secret: 'short' }), failsWith('invalid'));
  });

  it('are bounded, belong to their owner, and leave nothing behind', async () => {
    await Promise.allSettled(Array.from({ length: 30 }, () =>
      webhooks.add(anna, { url, secret: SECRET })));
    const made = await webhooks.list(anna.user);
    assert.equal(made.length, 20);
    await assert.rejects(webhooks.add(anna, { url, secret: SECRET }), failsWith('too-large'));
    const [first] = made;
    await assert.rejects(webhooks.remove(ben.user, first?.id ?? ''), failsWith('not-found'));
    assert.deepEqual(await webhooks.list(ben.user), []);
    for (const { id } of made) await webhooks.remove(anna.user, id);
    assert.deepEqual(await readdir(folder), []);
  });

  /** As two servers have them that share a database. */
  const makeTwo = async (): Promise<[Webhooks, Webhooks]> => {
    await webhooks.close();
    const store = Object.assign(await FolderWebhookStore.open(folder), { isShared: true });
    const two = [3, 4].map((seed) => make({ store, random: new SeededRandom(seed) }));
    const [one, other] = await Promise.all(two);
    assert.ok(one !== undefined && other !== undefined);
    webhooks = one;
    return [one, other];
  };

  it('are sent by the server that may, whichever has made or removed them', async () => {
    const [one, other] = await makeTwo();
    let isOther = false;
    one.startSending(() => Promise.resolve(!isOther));
    other.startSending(() => Promise.resolve(isOther));
    const { id } = await other.add(anna, { url, secret: SECRET });
    assert.deepEqual((await one.list(anna.user)).map((each) => each.id), [id]);
    for (let count = 1; count <= 4; count += 1) {
      isOther = count % 2 === 0;
      await site.write(anna, `f${count}`);
      assert.match((await receiver.until(count)).body, new RegExp(`added f${count}"`));
      while ((await one.list(anna.user))[0]?.pending !== undefined) await turn();
    }
    // What they have begun meanwhile ends.
    await Promise.all([one, other].map((each) => each.close()));
    assert.equal(new Set(receiver.received.map((each) => each.id)).size, 4);
    assert.equal(receiver.received.length, 4);
  });

  it('send nothing more of one that was removed at the other server', async () => {
    const [one, other] = await makeTwo();
    const asked = Promise.withResolvers<undefined>();
    const removed = Promise.withResolvers<undefined>();
    one.startSending(async () => {
      asked.resolve(undefined);
      await removed.promise;
      return true;
    });
    const { id } = await one.add(anna, { url, secret: SECRET });
    await site.write(anna, 'a');
    await asked.promise;
    await other.remove(anna.user, id);
    removed.resolve(undefined);
    for (let time = 0; time < 50; time += 1) await turn();
    await one.close();
    assert.deepEqual(receiver.received, []);
  });

  it('lose no message to a server that slept and believes that it may still send', async () => {
    const [one, other] = await makeTwo();
    const asleep = Promise.withResolvers<undefined>();
    const woken = Promise.withResolvers<undefined>();
    one.startSending(async () => {
      asleep.resolve(undefined);
      await woken.promise;
      return true;
    });
    const { id } = await one.add(anna, { url, secret: SECRET });
    await site.write(anna, 'a');
    await asleep.promise;
    other.startSending();
    const first = await receiver.until(1);
    receiver.status = 500;
    await site.write(anna, 'b');
    const second = await receiver.until(2);
    assert.match(second.body, /added b/);
    await other.close();
    receiver.status = 204;
    woken.resolve(undefined);
    // The first one twice, under its id; the second one after all.
    assert.deepEqual((await receiver.until(3)).id, first.id);
    assert.equal((await receiver.until(4)).id, second.id);
    assert.equal((await one.list(anna.user))[0]?.id, id);
  });
});
