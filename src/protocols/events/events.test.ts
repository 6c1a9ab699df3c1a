import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EventSite, basic } from './testing/event-site.ts';
import type { Page } from './testing/event-site.ts';
import { CHANGES_PATH } from './event-routes.ts';
import { PUSH_PATH } from './push-socket.ts';
import { PASSWORD } from '../nextcloud/testing/cloud-site.ts';

const SOCKET_PATH = `${CHANGES_PATH}/socket`;

function pathsOf({ items = [] }: Page): string[] {
  return items.map(({ kind, path }) => `${kind} ${path}`);
}

let site: EventSite;

beforeEach(async () => {
  site = await EventSite.open();
});
afterEach(() => site.close());

describe('GET changes', () => {
  it('says first to list everything, then what has changed, then nothing', async () => {
    await site.write('anna', 'before');
    const first = await site.page();
    assert.equal(first.reset, true);
    await site.write('anna', 'a');
    await site.write('anna', 'a');
    const page = await site.page(`?cursor=${first.cursor}`);
    assert.deepEqual(pathsOf(page), ['added /a']);
    assert.match(page.items?.[0]?.node?.etag ?? '', /^"/);
    const quiet = await site.page(`?cursor=${page.cursor}`);
    assert.deepEqual(quiet, { items: [], cursor: page.cursor, isMore: false });
    for (const bad of ['nonsense', `${page.cursor.slice(0, -2)}xx`]) {
      assert.equal((await site.page(`?cursor=${bad}`)).reset, true);
    }
    assert.equal((await site.page(`?cursor=${page.cursor}`, 'ben')).reset, true, 'it is Anna\'s');
  });

  it('waits until there is something, also in a folder that is shared meanwhile', async () => {
    await site.write('anna', 'gift');
    const { cursor } = await site.page();
    const ofBen = await site.page('', 'ben');
    const waiting = [
      site.page(`?cursor=${cursor}&wait=55`),
      site.page(`?cursor=${ofBen.cursor}&wait=55`, 'ben'),
    ];
    await site.waiting(2);
    await site.write('anna', 'new');
    assert.deepEqual(pathsOf(await (waiting[0] as Promise<Page>)), ['added /new']);
    await site.waiting(1);
    await site.share('gift');
    assert.deepEqual(pathsOf(await (waiting[1] as Promise<Page>)), ['added /gift']);
    await site.waiting(0);
  });

  it('answers with nothing when the time is over, and lets go of who has left', async () => {
    const { cursor } = await site.page();
    const page = await site.page(`?cursor=${cursor}&wait=1`);
    assert.deepEqual(page, { items: [], cursor, isMore: false });
    await site.waiting(0);
  });

  it('refuses those who have not signed in, wrong queries, other methods and a crowd', async () => {
    assert.equal((await site.get('', { user: '' })).status, 401);
    assert.equal((await site.get('?wait=56')).status, 400);
    assert.equal((await site.get('?limit=0')).status, 400);
    assert.equal((await site.get('', { method: 'POST' })).status, 405);
    assert.equal((await site.get('/socket')).status, 400);
    const { cursor } = await site.page();
    const crowd = Array.from({ length: 20 }, () => site.page(`?cursor=${cursor}&wait=55`));
    await site.waiting(20);
    const refused = await site.get();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['retry-after'], '30');
    assert.equal((JSON.parse(refused.text) as { code: string }).code, 'too-many-listeners');
    await site.page('', 'ben');
    await site.write('anna', 'end');
    await Promise.all(crowd);
  });
});

describe('The stream of changes', () => {
  it('brings each page with its cursor, and goes on after a cut', async () => {
    const stream = await site.stream();
    assert.match(String(stream.res.headers['content-type']), /^text\/event-stream/);
    assert.equal((await stream.next())?.retry, '3000');
    const first = await stream.next();
    assert.equal(first?.event, 'reset');
    await site.write('anna', 'a');
    const next = await stream.next();
    assert.equal(next?.event, 'changes');
    const page = site.checkPage(next?.data ?? '');
    assert.deepEqual(pathsOf(page), ['added /a']);
    assert.equal(next?.id, page.cursor);
    stream.close();
    await site.waiting(0);
    await site.write('anna', 'b');
    const again = await site.stream({ 'Last-Event-ID': page.cursor });
    await again.next();
    const missed = await again.next();
    assert.deepEqual(pathsOf(JSON.parse(missed?.data ?? '') as Page), ['added /b']);
    again.close();
  });
});

describe('The socket of changes', () => {
  it('brings the same pages, from a cursor on', async () => {
    const { cursor } = await site.page();
    const socket = site.socket(`${SOCKET_PATH}?cursor=${cursor}`, basic('anna'));
    await site.waiting(1);
    await site.write('anna', 'a');
    const page = site.checkPage(await socket.next());
    assert.deepEqual(pathsOf(page), ['added /a']);
    socket.close();
    await site.waiting(0);
    const fresh = site.socket(SOCKET_PATH, basic('anna'));
    assert.equal((await fresh.page()).reset, true);
    fresh.ws.send('x'.repeat(10_000));
    await fresh.closed;
    await site.waiting(0);
  });

  it('is opened with a cookie by our own pages alone, and by nobody who is unknown', async () => {
    const { token } = await site.cloud.identity.sessions.signIn({
      user: 'anna', password: PASSWORD, address: '127.0.0.1', device: 'browser',
    } as never);
    const cookie = { Cookie: `holdfast-session=${token}` };
    const own = `http://127.0.0.1:${site.port}`;
    const opens = (headers: Record<string, string>): Promise<number | undefined> =>
      site.socket(SOCKET_PATH, headers).opened;
    assert.equal(await opens({}), 401);
    assert.equal(await opens({ ...cookie, Origin: 'https://evil.example' }), 403);
    assert.equal(await opens(cookie), 403);
    assert.equal(await opens({ ...cookie, Origin: own }), undefined);
    assert.equal(await opens({ ...basic('anna'), Origin: 'https://evil.example' }), 403);
    assert.equal(await site.socket('/api/v1/changes', basic('anna')).opened, 200);
  });

  it('lets go of who asks wrongly for it', { timeout: 60_000 }, async () => {
    const headers = { ...basic('anna'), Connection: 'Upgrade', Upgrade: 'websocket' };
    for (let count = 0; count < 3; count += 1) {
      const req = http.get({ port: site.port, path: SOCKET_PATH, agent: false, headers });
      const [{ statusCode }] = await once(req, 'response') as [http.IncomingMessage];
      assert.equal(statusCode, 400, 'it has no key');
      req.destroy();
    }
    await site.waiting(0);
  });

  it('is closed when the account is', async () => {
    const socket = site.socket(SOCKET_PATH, basic('ben'));
    assert.equal((await socket.page()).reset, true);
    await site.cloud.identity.users.setDisabled('ben' as never, true);
    await site.write('ben', 'x');
    assert.deepEqual(await socket.closed, { code: 1008, reason: 'access-ended' });
  });

  it('ends with the server, as do streams and those who wait', async () => {
    const { cursor } = await site.page();
    const waiting = site.page(`?cursor=${cursor}&wait=55`);
    const stream = await site.stream({}, `?cursor=${cursor}`);
    const socket = site.socket(`${SOCKET_PATH}?cursor=${cursor}`, basic('anna'));
    await site.waiting(3);
    assert.equal(site.cloud.server.inFlight, 0, 'who waits is no work');
    const begunMs = performance.now();
    const draining = site.cloud.server.drain(600_000);
    assert.deepEqual(await waiting, { items: [], cursor, isMore: false });
    await stream.next();
    assert.deepEqual(await stream.next(), { event: 'bye', data: '{"reason":"ending"}' });
    assert.deepEqual(await socket.closed, { code: 1001, reason: 'ending' });
    await draining;
    assert.ok(performance.now() - begunMs < 300_000, 'not by the deadline');
  });
});

describe('The push socket of desktop clients', () => {
  async function signedIn(user = 'anna'): Promise<ReturnType<EventSite['socket']>> {
    const socket = site.socket(PUSH_PATH);
    await socket.send(user);
    await socket.send(PASSWORD);
    assert.equal(await socket.next(), 'authenticated');
    return socket;
  }

  it('is announced', async () => {
    const { text } = await site.cloud.ocs('/ocs/v2.php/cloud/capabilities?format=json');
    const { ocs } = JSON.parse(text) as {
      ocs: { data: { capabilities: { notify_push: unknown } } };
    };
    const { notify_push: push } = ocs.data.capabilities;
    assert.deepEqual(push, {
      type: ['files'], endpoints: { websocket: `ws://localhost:${site.port}${PUSH_PATH}` },
    });
  });

  it('says that files have changed, to those alone who can see them', async () => {
    const [anna, ben] = [await signedIn(), await signedIn('ben')];
    await site.write('anna', 'a');
    assert.equal(await anna.next(), 'notify_file');
    await site.write('ben', 'b');
    assert.equal(await ben.next(), 'notify_file');
    await ben.send('listen notify_file_id');
    await site.share('a');
    assert.match(await ben.next(), /^notify_file_id \[\d+\]$/);
  });

  it('turns away who shows a wrong password, and closes when the account is closed', async () => {
    const wrong = site.socket(PUSH_PATH);
    await wrong.send('anna');
    await wrong.send('wrong');
    assert.equal(await wrong.next(), 'err: Invalid credentials');
    assert.equal((await wrong.closed).code, 1008);
    const ben = await signedIn('ben');
    await site.cloud.identity.users.setDisabled('ben' as never, true);
    await site.write('ben', 'b');
    assert.deepEqual(await ben.closed, { code: 1008, reason: 'access-ended' });
    await site.waiting(0);
  });
});
