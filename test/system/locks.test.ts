/** Locks, trash and versions of the real server, over HTTP and over kill -9. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { run } from '../support/command.ts';
import { eventually } from '../support/deadline.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const HEADERS = { 'X-User-Lock': '1' };
const BOX = '/remote.php/dav/files';

async function share(user: DavClient, path: string, whom: string): Promise<void> {
  const answer = await user.ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', {
    body: `path=${path}&shareType=0&shareWith=${whom}&permissions=15`,
    headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(answer.status, 200, answer.text);
}

async function lockedBy(user: DavClient, path: string): Promise<string | undefined> {
  const { text } = await user.ask('PROPFIND', path, {
    headers: { Depth: '0' },
    body: '<d:propfind xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:prop><nc:lock/>'
      + '<nc:lock-owner/></d:prop></d:propfind>',
  });
  return /<nc:lock-owner>([^<]*)</.exec(text)?.[1];
}

interface Site {
  server: TestServer;
  ada: DavClient;
  ben: DavClient;
}

describe('locks of the real server', { timeout: 120_000 }, () => {
  const servers = serverForTests();

  async function sharedFolder(): Promise<Site> {
    const server = await servers.start();
    const ada = await server.addUser({ name: 'ada' });
    const ben = await server.addUser({ name: 'ben' });
    await ada.ask('MKCOL', `${BOX}/ada/box`);
    for (const name of ['short.txt', 'long.txt']) await ada.put(`box/${name}`, 'first');
    await share(ada, '/box', 'ben');
    return { server, ada, ben };
  }

  const lock = (user: DavClient, path: string, seconds: number): Promise<Answer> =>
    user.ask('LOCK', path, { headers: { ...HEADERS, Timeout: `Second-${seconds}` } });

  it('outlive kill -9 until they expire, and then are gone', async () => {
    const { server, ada, ben } = await sharedFolder();
    assert.equal((await lock(ada, `${BOX}/ada/box/long.txt`, 600)).status, 200);
    assert.equal((await lock(ada, `${BOX}/ada/box/short.txt`, 3)).status, 200);
    await server.kill();
    await server.startAgain();
    const put = async (name: string): Promise<number> => (await ben.put(`box/${name}`, 'x')).status;
    assert.equal(await put('long.txt'), 423);
    await eventually(20_000, 'The lock ends.', async () => await put('short.txt') === 204);
    assert.equal(await lockedBy(ben, `${BOX}/ben/box/short.txt`), undefined);
    assert.equal(await put('long.txt'), 423);
    assert.equal(await lockedBy(ben, `${BOX}/ben/box/long.txt`), 'ada');
  });

  it('can be broken by the owner of the file, and the audit log says so', async () => {
    const { server, ada, ben } = await sharedFolder();
    assert.equal((await lock(ben, `${BOX}/ben/box/long.txt`, 600)).status, 200);
    assert.equal((await ada.put('box/long.txt', 'x')).status, 423);
    const freed = await ada.ask('UNLOCK', `${BOX}/ada/box/long.txt`, { headers: HEADERS });
    assert.equal(freed.status, 200, freed.text);
    assert.equal((await ada.put('box/long.txt', 'x')).status, 204);
    await server.stop();
    const { stdout } = await run(PROGRAM, ['audit', 'export', '--data', server.data], {
      timeoutMs: 20_000,
    });
    const entries = stdout.split('\n').filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [broken] = entries.filter(({ act }) => act === 'lock-broken');
    assert.deepEqual([broken?.['user'], broken?.['subject']], ['ada', 'ben']);
  });
});

describe('trash and versions of the real server', { timeout: 120_000 }, () => {
  const servers = serverForTests();

  it('give back what was deleted or overwritten, and keep what was dropped out of sight',
    async () => {
      const server = await servers.start();
      const ada = await server.addUser({ name: 'ada' });
      const told = await ada.put('note.txt', 'first');
      await ada.put('note.txt', 'second');
      const id = Number.parseInt(String(told.headers['oc-fileid']), 10);
      const depth = { headers: { Depth: '1' } };
      const folder = `/remote.php/dav/versions/ada/versions/${id}`;
      const { text } = await ada.ask('PROPFIND', folder, depth);
      const name = /versions\/\d+\/(\d+)</.exec(text)?.[1] ?? 'none';
      const Destination = '/remote.php/dav/versions/ada/restore/target';
      const back = await ada.ask('MOVE', `${folder}/${name}`, { headers: { Destination } });
      assert.equal(back.status, 201, back.text);
      assert.equal((await ada.get('note.txt')).text, 'first');

      const trash = '/remote.php/dav/trashbin/ada/trash';
      const entries = async (): Promise<string[]> => {
        const listed = await ada.ask('PROPFIND', trash, depth);
        return [...listed.text.matchAll(/<d:href>([^<]+\.d[^<]+)</g)].map(([, href = '']) => href);
      };
      await ada.ask('DELETE', `${BOX}/ada/note.txt`);
      await server.kill();
      await server.startAgain();
      const [entry = ''] = await entries();
      const restored = await ada.ask('MOVE', entry, {
        headers: { Destination: '/remote.php/dav/trashbin/ada/restore/note.txt' },
      });
      assert.equal(restored.status, 201, restored.text);
      assert.equal((await ada.get('note.txt')).text, 'first');
      await ada.ask('DELETE', `${BOX}/ada/note.txt`);
      assert.equal((await ada.ask('DELETE', trash)).status, 204);
      await server.kill();
      await server.startAgain();
      assert.deepEqual(await entries(), []);
    });
});
