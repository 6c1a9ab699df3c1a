/** Hostile and broken requests: a clear answer, nothing stored, and the process goes on. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { ask, basic, fingerprint } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { sleep } from '../support/deadline.ts';
import { openSocket, sendRaw } from '../support/raw-http.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { HostileRequests } from './hostile-requests.ts';

const CREDENTIALS = { name: 'ada', password: 'correct-horse-battery' };
const ROOT = '/remote.php/dav/files/ada/';
const BYTES_MAX = 700 * 1024 * 1024;
/** Whoever waits for those who never finish waits for a minute at least. */
const WAIT_MS_MAX = 30_000;

/** The head of a request on a connection that stays. */
function keepingAlive(method: string, path: string, ...headers: string[]): string {
  const authorization = `Authorization: ${basic(CREDENTIALS)}`;
  const lines = [`${method} ${ROOT}${path} HTTP/1.1`, 'Host: x', authorization, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

describe('hostile input', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const hostile = new HostileRequests(basic(CREDENTIALS), ROOT);
  let server: TestServer;
  let user: DavClient;
  const wanted = new Map([['there.txt', fingerprint(Buffer.from('there'))]]);

  before(async () => {
    server = await servers.start();
    user = await server.addUser(CREDENTIALS);
    await server.addUser({ name: 'bob', password: 'the password of bob' });
    await user.put('there.txt', 'there');
  });

  async function assertUnharmed(what: string): Promise<void> {
    assert.ok(server.isRunning, `the server has ended after ${what}\n${server.tail()}`);
    assert.equal((await ask('GET', `${server.url}/healthz`)).status, 200, what);
  }

  for (const { name, bytes, statuses } of hostile.all()) {
    it(`is answered with a clear refusal: ${name}`, async () => {
      // Where no answer is right as well, silence is one.
      const answers = statuses.includes(undefined) ? 0 : 1;
      const { status, text } = await sendRaw(server.port, bytes, { answers });
      const allowed = statuses.map(String).join(', ');
      const said = `${status} instead of ${allowed}: ${text.slice(0, 600)}`;
      assert.ok(statuses.includes(status), said);
      assert.doesNotMatch(text, /\.ts:\d+|node:internal|root:x:0/, 'it tells of our inside');
      await assertUnharmed(name);
    });
  }

  it('has stored nothing, up to here', async () => {
    assert.deepEqual(await user.tree(), wanted);
  });

  it('of two requests that share a connection, each gets its own answer', async () => {
    const first = keepingAlive('GET', 'there.txt');
    const { statuses, text } = await sendRaw(server.port, first + first
      + hostile.message({ method: 'GET', target: `${ROOT}missing.txt` }), { answers: 3 });
    assert.deepEqual(statuses, [200, 200, 404], text);
  });

  it('in a refused body is not taken for the next request', async () => {
    const smuggled = keepingAlive('DELETE', 'there.txt');
    const length = `Content-Length: ${smuggled.length}`;
    const head = keepingAlive('PUT', 'no/parent/here.txt', length);
    const { statuses } = await sendRaw(server.port, head + smuggled);
    assert.deepEqual(statuses, [409]);
    assert.equal((await user.get('there.txt')).status, 200);
  });

  it('by HTTP/1.0 is served, by an absolute address too', async () => {
    const old = hostile.message({ method: 'GET', target: `${ROOT}there.txt`, version: 'HTTP/1.0' });
    const plain = await sendRaw(server.port, old);
    assert.equal(plain.status, 200);
    assert.match(plain.text, /there$/);
    const target = `${server.url}${ROOT}there.txt`;
    const absolute = await sendRaw(server.port, hostile.message({ method: 'GET', target })
      .replace('Host: 127.0.0.1', `Host: 127.0.0.1:${server.port}`));
    assert.equal(absolute.status, 200, absolute.text);
  });

  it('that waits for leave is refused before it sends its body', async () => {
    const head = hostile.message({
      target: `${ROOT}no/parent.txt`, headers: ['Expect: 100-continue', 'Content-Length: 1000000'],
    });
    const { statuses } = await sendRaw(server.port, head);
    assert.deepEqual(statuses, [409]);
  });

  it('that breaks off in the middle leaves nothing behind', async () => {
    const head = keepingAlive('PUT', 'broken.bin', 'Content-Length: 5000000');
    for (let n = 0; n < 20; n += 1) {
      const socket = await openSocket(server.port);
      socket.write(head);
      socket.write(Buffer.alloc(n * 200_000));
      await sleep(20);
      socket.destroy();
    }
    await sleep(300);
    assert.deepEqual(await user.tree(), wanted);
    await assertUnharmed('broken uploads');
  });

  it('that breaks off in the middle of an overwrite leaves the old file', async () => {
    const head = keepingAlive('PUT', 'there.txt', 'Content-Length: 5000000');
    const socket = await openSocket(server.port);
    socket.write(head);
    socket.write(Buffer.alloc(2_000_000));
    await sleep(100);
    socket.destroy();
    await sleep(200);
    assert.equal((await user.get('there.txt')).text, 'there');
  });

  it('from 300 senders that never finish keeps nobody else waiting', async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, async (_, n) => {
      const socket = await openSocket(server.port);
      socket.write(n % 2 === 0 ? 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ' : hostile.message({
        target: `${ROOT}slow.bin`, headers: ['Content-Length: 1000000'],
      }));
      return socket;
    }));
    after(() => {
      for (const socket of sockets) socket.destroy();
    });
    const startedMs = performance.now();
    assert.equal((await user.get('there.txt')).status, 200);
    assert.ok(performance.now() - startedMs < WAIT_MS_MAX, 'others had to wait');
    for (const socket of sockets) socket.destroy();
    await sleep(300);
  });

  it('from readers that never read does not fill the memory', async () => {
    await user.put('wide.bin', Buffer.alloc(60_000_000, 7));
    const request = hostile.message({ method: 'GET', target: `${ROOT}wide.bin` });
    const sockets = await Promise.all(Array.from({ length: 24 }, async () => {
      const socket = await openSocket(server.port);
      socket.pause();
      socket.write(request);
      return socket;
    }));
    await sleep(1_500);
    const residentBytes = server.residentBytes();
    for (const socket of sockets) socket.destroy();
    assert.ok(residentBytes < BYTES_MAX, `${residentBytes} bytes`);
    await user.remove('wide.bin');
  });

  it('has harmed nothing after all of it', async () => {
    assert.deepEqual(await user.tree(), wanted);
    await assertUnharmed('everything');
    assert.doesNotMatch(server.log, /"level":(?:"fatal"|60)/);
    await server.restart();
    assert.deepEqual(await user.tree(), wanted);
  });
});
