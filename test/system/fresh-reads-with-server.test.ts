/**
 * What was acknowledged at one of two servers is seen by whoever asks the other one afterwards. A
 * server reads nothing again of which it knows that it has not changed (src/platform/mariadb/
 * change-marks.ts): so each change is made many times, while others ask both servers all the time.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DavClient } from '../support/dav-client.ts';
import type { Answer } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { TwoNodes } from '../support/two-nodes.ts';

const WAIT_MS = 60_000;
const PASSWORD = 'correct-horse-battery';
const TRIES = 40;
/** Of what takes a computation of a password each time. */
const SLOW_TRIES = 8;
const READERS = 6;
const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';
const JSON_BODY = { 'Content-Type': 'application/json' };

describe('A request that begins after a change at the other server', { timeout: 600_000 }, () => {
  const readers: Promise<void>[] = [];
  let isOver = false;
  // Before the servers are stopped, which is asked for next.
  after(async () => {
    isOver = true;
    await Promise.all(readers);
  });
  const servers = serverForTests();
  let nodes: TwoNodes;
  let one: TestServer;
  let two: TestServer;
  let ada: DavClient;
  let adaAtTwo: DavClient;
  let ben: DavClient;
  let benAtTwo: DavClient;
  let readCount = 0;

  before(async () => {
    nodes = await TwoNodes.start(servers);
    ({ one, two } = nodes);
    ada = await one.addUser({ args: ['--admin'] });
    adaAtTwo = two.client('ada', PASSWORD);
    ben = await one.addUser({ name: 'ben' });
    benAtTwo = two.client('ben', PASSWORD);
    await ben.put('own.txt', 'own');
    await ada.makeFolder('busy');
    await ada.put('busy/file.txt', 'always there');
    for (let at = 0; at < READERS; at += 1) readers.push(read(at % 2 === 0 ? ada : adaAtTwo));
  });
  after(async () => {
    await nodes.stop();
    assert.ok(readCount > 1_000, `${readCount} others have asked meanwhile`);
  });

  async function read(user: DavClient): Promise<void> {
    while (!isOver) {
      const { status, text } = await user.get('busy/file.txt');
      assert.deepEqual([status, text], [200, 'always there']);
      readCount += 1;
    }
  }

  /** Each try with the servers changed about. */
  async function inTurn(
    tries: number, act: (at: number, first: DavClient, second: DavClient) => Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < tries; at += 1) {
      await (at % 2 === 0 ? act(at, ada, adaAtTwo) : act(at, adaAtTwo, ada));
    }
  }

  function assertDone({ status, text }: Answer): void {
    assert.ok(status >= 200 && status < 300, `${status} ${text}`);
  }

  it('reads what a file was overwritten with', async () => {
    await inTurn(TRIES, async (at, writer, reader) => {
      assertDone(await writer.put('busy/often.txt', `version ${at}`));
      assert.equal((await reader.get('busy/often.txt')).text, `version ${at}`);
      assert.equal((await writer.get('busy/often.txt')).text, `version ${at}`);
    });
  });

  it('finds what was moved where it is now, and nowhere else', async () => {
    await ada.put('busy/at 0.txt', 'moved');
    await inTurn(TRIES, async (at, writer, reader) => {
      assert.equal((await reader.get(`busy/at ${at + 1}.txt`)).status, 404);
      assertDone(await writer.move(`busy/at ${at}.txt`, `busy/at ${at + 1}.txt`));
      assert.equal((await reader.get(`busy/at ${at + 1}.txt`)).text, 'moved');
      assert.equal((await reader.get(`busy/at ${at}.txt`)).status, 404);
    });
  });

  it('follows a folder that was moved with all that is in it', async () => {
    await ada.makeFolder('busy/box 0');
    await ada.put('busy/box 0/deep.txt', 'deep');
    await inTurn(TRIES, async (at, writer, reader) => {
      assert.equal((await reader.get(`busy/box ${at}/deep.txt`)).text, 'deep');
      assertDone(await writer.move(`busy/box ${at}`, `busy/box ${at + 1}`));
      assert.equal((await reader.get(`busy/box ${at}/deep.txt`)).status, 404);
      assert.equal((await reader.get(`busy/box ${at + 1}/deep.txt`)).text, 'deep');
    });
  });

  it('does not find what was deleted, and finds it when it is there again', async () => {
    await inTurn(TRIES, async (at, writer, reader) => {
      assertDone(await writer.put('busy/now and then.txt', `life ${at}`));
      assert.equal((await reader.get('busy/now and then.txt')).text, `life ${at}`);
      assertDone(await writer.remove('busy/now and then.txt'));
      assert.equal((await reader.get('busy/now and then.txt')).status, 404);
    });
  });

  it('may read what is shared from then on, and no longer when that was taken away', async () => {
    await ada.makeFolder('shown');
    await ada.put('shown/secret.txt', 'for ben');
    await inTurn(TRIES / 2, async (at, owner) => {
      const receiver = at % 2 === 0 ? benAtTwo : ben;
      assert.equal((await receiver.get('shown/secret.txt')).status, 404);
      const shared = await owner.ask('POST', `${SHARES}?format=json`, {
        headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ path: '/shown', shareType: '0', shareWith: 'ben' }).toString(),
      });
      assertDone(shared);
      const { ocs: { data: { id } } } = JSON.parse(shared.text) as {
        ocs: { data: { id: string } };
      };
      assert.equal((await receiver.get('shown/secret.txt')).text, 'for ben');
      assert.equal((await receiver.get('shown/secret.txt')).text, 'for ben');
      assertDone(await owner.ask('DELETE', `${SHARES}/${id}`, {
        headers: { 'OCS-APIRequest': 'true' },
      }));
      assert.equal((await receiver.get('shown/secret.txt')).status, 404);
    });
  });

  it('is refused from the moment on that its app password was taken back', async () => {
    await inTurn(SLOW_TRIES, async (at) => {
      const [server, other] = at % 2 === 0 ? [one, two] : [two, one];
      const headers = { 'OCS-APIRequest': 'true' };
      const made = await server.client('ben', PASSWORD)
        .ask('GET', '/ocs/v2.php/core/getapppassword?format=json', { headers });
      const { ocs: { data: { apppassword } } } = JSON.parse(made.text) as {
        ocs: { data: { apppassword: string } };
      };
      const device = server.client('ben', apppassword);
      const deviceThere = other.client('ben', apppassword);
      for (let n = 0; n < 3; n += 1) assert.equal((await deviceThere.get('own.txt')).text, 'own');
      assertDone(await device.ask('DELETE', '/ocs/v2.php/core/apppassword', { headers }));
      assert.equal((await deviceThere.get('own.txt')).status, 401);
    });
  });

  it('is refused from the moment on that the account was closed, or has another password',
    async () => {
      const own = new Map([[ada, two], [adaAtTwo, one]]);
      let password = PASSWORD;
      await inTurn(SLOW_TRIES, async (at, admin) => {
        const there = own.get(admin) ?? assert.fail();
        const user = there.client('ben', password);
        assert.equal((await user.get('own.txt')).text, 'own');
        const close = (isDisabled: boolean) => admin.ask('PATCH', '/api/v1/users/ben', {
          headers: JSON_BODY, body: JSON.stringify({ isDisabled }),
        });
        assertDone(await close(true));
        assert.equal((await user.get('own.txt')).status, 401);
        assertDone(await close(false));
        assert.equal((await user.get('own.txt')).text, 'own');
        password = `another-horse-battery-${at}`;
        assertDone(await admin.ask('PUT', '/api/v1/users/ben/password', {
          headers: JSON_BODY, body: JSON.stringify({ password }),
        }));
        assert.equal((await user.get('own.txt')).status, 401);
      });
    });

  it('reads the newest version of a tenant that is being moved, and that was', async () => {
    const tell = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await nodes.command('one', ...words);
      return code === 0 ? stdout : stderr;
    };
    await tell('tenant', 'add', 'acme');
    const zoe = await one.addUser({ name: 'zoe', args: ['--tenant', 'acme'] });
    const zoeAtTwo = two.client('zoe', PASSWORD);
    assertDone(await eventually(WAIT_MS, 'a file is stored', async () => {
      const answer = await zoe.put('often.txt', 'first');
      return answer.status < 300 && answer;
    }));
    await tell('shard', 'add', 'far', ...await nodes.anotherDatabase());
    let version = 0;
    const write = async (): Promise<void> => {
      version += 1;
      // While the last rows are carried over, changes are refused for a moment.
      await eventually(WAIT_MS, 'a version is stored', async () =>
        (await zoe.put('often.txt', `version ${version}`)).status < 300);
      const newest = `version ${version}`;
      for (const user of [zoeAtTwo, zoe]) assert.equal((await user.get('often.txt')).text, newest);
    };
    let isMoved = false;
    const moved = tell('tenant', 'move', 'acme', '--to', '1').then(() =>
      eventually(WAIT_MS, 'the tenant is moved', async () =>
        /acme\tshard 0 to 1\treverse/.test(await tell('tenant', 'move', 'status'))));
    const ended = moved.finally(() => {
      isMoved = true;
    });
    for (let after = 0; after < TRIES; after += isMoved ? 1 : 0) await write();
    await ended;
    assert.ok(version > TRIES, `${version} versions`);
  });
});
