/** Two servers on one MariaDB database and one bucket, as users and their operator see them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { basic } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests, TestServer } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';
import { TwoNodes } from '../support/two-nodes.ts';

const WAIT_MS = 90_000;
const MIB = 1024 * 1024;
const PASSWORD = 'correct-horse-battery';

/** Where a webhook leads: keeps the messages that it was sent. */
class Receiver {
  readonly #messages: string[] = [];
  readonly #server = http.createServer((req, res) => {
    let text = '';
    req.setEncoding('utf8').on('data', (piece: string) => (text += piece)).on('end', () => {
      this.#messages.push(text);
      res.writeHead(204).end();
    });
  });

  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  timesOf(name: string): number {
    return this.#messages.filter((message) => message.includes(name)).length;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('two servers on one database and one bucket', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let nodes: TwoNodes;
  let one: TestServer;
  let two: TestServer;
  let ada: DavClient;
  let adaAtTwo: DavClient;
  const receiver = new Receiver();
  const laterReceiver = new Receiver();

  before(async () => {
    nodes = await TwoNodes.start(servers, { HOLDFAST_WEBHOOKS_ALLOW_PRIVATE: 'true' });
    ({ one, two } = nodes);
    ada = await one.addUser();
    adaAtTwo = two.client('ada', PASSWORD);
  });
  after(async () => {
    await nodes.stop();
    receiver.close();
    laterReceiver.close();
  });

  const figure = async (user: DavClient, name: string): Promise<number> => {
    const { text } = await user.ask('GET', '/metrics');
    return Number(new RegExp(`^holdfast_${name}(?:{[^}]*})? (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
  };

  it('know of each other', async () => {
    const { stdout } = await nodes.command('one', 'node', 'list');
    const rows = stdout.trim().split('\n').map((line) => line.split('\t'));
    assert.deepEqual(rows.map(([name, state]) => [name, state]),
      [['one', 'there'], ['two', 'there']]);
    assert.ok(rows[1]?.[3]?.endsWith(two.data));
  });

  it('refuse a third one without a name, under a name that is taken, or with disks', async () => {
    const other = join(scratchFolder('third'), 'data');
    await nodes.command('one', 'node', 'prepare', other);
    const { env } = nodes;
    const refused = async (more: Record<string, string>, all = env): Promise<string> => {
      const data = all === env ? other : scratchFolder('disks');
      const third = TestServer.prepare({ data, env: { ...all, ...more } });
      await assert.rejects(third.startAgain());
      return third.log;
    };
    assert.match(await refused({}), /A server named \W*one\W* is using this database already/);
    assert.match(await refused({ HOLDFAST_CLUSTER_NODE: 'two' }),
      /Another node is running under the name/);
    const onDatabase = Object.fromEntries(
      Object.entries(env).filter(([name]) => name.startsWith('HOLDFAST_DATABASE_')));
    assert.match(await refused({ HOLDFAST_CLUSTER_NODE: 'three' }, onDatabase),
      /set storage.backend to s3, gcs or azure/);
  });

  it('show at once what was written at the other one', async () => {
    for (const [at, [writer, reader]] of [[ada, adaAtTwo], [adaAtTwo, ada]].entries()) {
      assert.ok(writer !== undefined && reader !== undefined);
      const path = `folder-${at}`;
      assert.equal((await writer.makeFolder(path)).status, 201);
      for (let time = 0; time < 10; time += 1) {
        const bytes = seededBytes(5 * 1024, `${at} ${time}`);
        await writer.put(`${path}/file.bin`, bytes);
        assert.ok((await reader.get(`${path}/file.bin`)).body.equals(bytes), `version ${time}`);
      }
      const [listed] = await reader.list(path);
      assert.equal(listed?.path, `${path}/file.bin`);
      const patch = '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><c xmlns="urn:x">red</c>'
        + '</d:prop></d:set></d:propertyupdate>';
      await writer.file('PROPPATCH', `${path}/file.bin`, { body: patch });
      const asked = '<d:propfind xmlns:d="DAV:"><d:prop><c xmlns="urn:x"/></d:prop></d:propfind>';
      const found = await reader.file('PROPFIND', `${path}/file.bin`, {
        headers: { Depth: '0' }, body: asked,
      });
      assert.match(found.text, />red</);
      const locked = await writer.file('LOCK', `${path}/file.bin`, {
        headers: { Timeout: 'Second-600' },
        body: '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/>'
          + '</locktype></lockinfo>',
      });
      assert.equal(locked.status, 200, locked.text);
      assert.equal((await reader.put(`${path}/file.bin`, 'no')).status, 423);
      const token = locked.headers['lock-token'] ?? '';
      const unlocked = await reader.file('UNLOCK', `${path}/file.bin`, {
        headers: { 'Lock-Token': token },
      });
      assert.equal(unlocked.status, 204);
      assert.equal((await writer.remove(path)).status, 204);
      assert.equal((await reader.get(`${path}/file.bin`)).status, 404);
    }
  });

  it('take pieces of one upload, and put them together', async () => {
    const bytes = seededBytes(9 * MIB, 'pieces');
    const upload = '/remote.php/dav/uploads/ada/across';
    const headers = { 'OC-Total-Length': bytes.length, Destination: `${ada.root}across.bin` };
    assert.equal((await ada.ask('MKCOL', upload, { headers })).status, 201);
    const cuts = [0, 3 * MIB, 6 * MIB, bytes.length];
    for (let piece = 1; piece < cuts.length; piece += 1) {
      const user = piece % 2 === 0 ? ada : adaAtTwo;
      const body = bytes.subarray(cuts[piece - 1], cuts[piece]);
      assert.equal((await user.ask('PUT', `${upload}/${piece}`, { body, headers })).status, 201);
    }
    const moved = await adaAtTwo.ask('MOVE', `${upload}/.file`, { headers });
    assert.equal(moved.status, 201, moved.text);
    assert.ok((await ada.get('across.bin')).body.equals(bytes));
  });

  it('hold a quota together', async () => {
    const ben = await one.addUser({ name: 'ben', password: PASSWORD });
    const benAtTwo = two.client('ben', PASSWORD);
    await ben.put('first', 'x');
    assert.equal((await benAtTwo.put('second', 'x')).status, 201);
    const { code, stderr } = await nodes.command('one', 'quota', 'set', 'ben', String(4 * MIB));
    assert.equal(code, 0, stderr);
    const puts = Array.from({ length: 8 }, (_, at) =>
      (at % 2 === 0 ? ben : benAtTwo).put(`file-${at}`, seededBytes(MIB, `quota ${at}`)));
    const statuses = (await Promise.all(puts)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 3, statuses.join(' '));
    assert.ok(statuses.every((status) => status === 201 || status === 507));
  });

  it('refuse somebody who was disabled at the other one, or has signed out', async () => {
    const eve = await one.addUser({ name: 'eve', password: PASSWORD });
    const eveAtTwo = two.client('eve', PASSWORD);
    for (const client of [eve, eveAtTwo]) assert.ok((await client.put('x', 'x')).status < 300);
    assert.equal((await nodes.command('one', 'user', 'disable', 'eve')).code, 0);
    assert.equal((await eveAtTwo.get('x')).status, 401);
    assert.equal((await eve.get('x')).status, 401);
  });

  it('count failed sign-ins together', async () => {
    const mia = await one.addUser({ name: 'mia', password: PASSWORD });
    assert.equal((await mia.put('x', 'x')).status, 201);
    const wrong = (server: TestServer, at: number) =>
      server.client('mia', `wrong horse ${at}`).get('x');
    for (let at = 0; at < 6; at += 1) {
      assert.equal((await wrong(at % 2 === 0 ? one : two, at)).status, 401, `${at}`);
    }
    for (const [at, server] of [one, two].entries()) {
      const { status, headers } = await wrong(server, 10 + at);
      assert.notEqual(status, 401, 'it has to wait');
      assert.ok(Number(headers['retry-after']) >= 1, `${status}`);
    }
    assert.equal((await mia.get('x')).status, 200, 'what was right before is no guess');
  });

  it('tell those who wait at one of a change at the other', async () => {
    const heard: string[] = [];
    const request = http.get(`${two.url}/api/v1/changes/stream`, {
      headers: { Authorization: basic(ada.credentials) },
    });
    request.on('error', () => undefined);
    request.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text: string) => heard.push(text));
      response.on('error', () => undefined);
    });
    try {
      // Before that page it follows from nowhere yet, and a change is part of what is read anew.
      await eventually(WAIT_MS, 'it follows', () => heard.join('').includes('event: reset'));
      await ada.put('told.txt', 'news');
      await eventually(WAIT_MS, 'it is told', () => heard.join('').includes('told.txt'));
    } finally {
      request.destroy();
    }
  });

  /** What changes for her is sent to `to` from now on. */
  const hookTo = async (to: Receiver): Promise<string> => {
    const url = await to.open();
    const made = await adaAtTwo.ask('POST', '/api/v1/webhooks', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ url, secret: 'long enough to be secret' }),
    });
    assert.equal(made.status, 201, made.text);
    return url;
  };

  it('show a webhook at both, and one of them sends what changes at either', async () => {
    const url = await hookTo(receiver);
    const listed = await ada.ask('GET', '/api/v1/webhooks');
    const { items } = JSON.parse(listed.text) as { items: { url: string }[] };
    assert.deepEqual(items.filter((item) => item.url === url).length, 1);
    for (const [at, writer] of [ada, adaAtTwo].entries()) {
      await writer.put(`hooked-${at}.txt`, 'news');
      await eventually(WAIT_MS, 'it is sent', () => receiver.timesOf(`hooked-${at}.txt`) > 0);
    }
    assert.equal(receiver.timesOf('hooked-0.txt'), 1);
  });

  it('keep the files of a tenant with a storage of its own, which either may make', async () => {
    for (const name of ['north', 'south']) {
      assert.equal((await nodes.command('one', 'tenant', 'add', name)).code, 0);
    }
    const zoe = await one.addUser({ name: 'zoe', password: PASSWORD, args: ['--tenant', 'north'] });
    const zoeAtTwo = two.client('zoe', PASSWORD);
    const max = await one.addUser({ name: 'max', password: PASSWORD, args: ['--tenant', 'south'] });
    const maxAtTwo = two.client('max', PASSWORD);
    const stored = (user: DavClient, name: string): Promise<true> =>
      eventually(WAIT_MS, `${name} is stored`, async () =>
        (await user.put(name, `I am ${name}`)).status < 300);
    // One storage is wanted at both at once; the other is made by the second one.
    await Promise.all([
      stored(zoe, 'a.txt'), stored(zoeAtTwo, 'b.txt'), stored(maxAtTwo, 'c.txt'),
    ]);
    for (const user of [zoe, zoeAtTwo]) {
      assert.equal((await user.get('a.txt')).text, 'I am a.txt');
      assert.equal((await user.get('b.txt')).text, 'I am b.txt');
    }
    assert.equal((await max.get('c.txt')).text, 'I am c.txt');
    const [atOne, atTwo] = [one, two].map(({ data }) =>
      readFileSync(join(data, 'block-homes.json'), 'utf8'));
    assert.equal(atOne, atTwo);
  });

  it('go on when one is killed: the other serves, and does what that one did', async () => {
    await hookTo(laterReceiver);
    const bytes = seededBytes(2 * MIB, 'kept');
    assert.equal((await ada.put('kept.bin', bytes)).status, 201);
    const admin = await two.addUser({ name: 'root', args: ['--admin'], password: PASSWORD });
    const collects = (): Promise<number> => figure(admin, 'lease_home_work');
    assert.equal(await collects(), 0, 'the first one was there first');
    const tell = async (node: 'one' | 'two', ...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await nodes.command(node, ...words);
      return code === 0 ? stdout : stderr;
    };
    await tell('one', 'shard', 'add', 'far', ...await nodes.anotherDatabase());
    await tell('one', 'tenant', 'add', 'acme');
    await tell('one', 'tenant', 'move', 'acme', '--to', '1');
    await eventually(WAIT_MS, 'the other one tells of a move', async () =>
      /acme\tshard 0 to 1\treverse/.test(await tell('two', 'tenant', 'move', 'status')));
    const finish = ['tenant', 'move', 'finish', 'acme'];
    assert.match(await tell('two', ...finish), /moved by the server "one"/);
    await one.kill();
    assert.ok((await adaAtTwo.get('kept.bin')).body.equals(bytes));
    assert.equal((await adaAtTwo.put('after.txt', 'still here')).status, 201);
    await eventually(WAIT_MS, 'it takes over', async () => await collects() === 1);
    await eventually(WAIT_MS, 'it sends', () => laterReceiver.timesOf('after.txt') > 0);
    await eventually(WAIT_MS, 'it goes on with the move', async () =>
      /no way back any more/.test(await tell('two', ...finish)));
    await one.startAgain();
    assert.equal((await ada.get('after.txt')).text, 'still here');
    assert.equal(await tell('one', 'schema', 'drift'), '', 'all tables are known by now');
    assert.equal((await nodes.command('one', 'node', 'list')).stdout.match(/there/g)?.length, 2);
  });
});
