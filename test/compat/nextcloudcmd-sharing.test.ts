/**
 * Two people who share a folder, each with a sync client. What one does the other gets, and when
 * the permissions change the clients must notice by themselves: put back what may not be changed,
 * take away what may not be seen, and never delete a file of its owner.
 */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DavClient, Tree } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';
import { BRAKE_SETTINGS, testBrake } from './brake-scenario.ts';
import { nextcloudcmd, Replica } from './sync-program.ts';

const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';
const VIEWER = 1;
const EDITOR = 15;

describe('two people with nextcloudcmd', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  let relay: TcpRelay;
  let ada: DavClient;
  let ben: DavClient;
  let adas: Replica;
  let bens: Replica;
  let shareId: string;

  before(async () => {
    needPrograms('nextcloudcmd');
    server = await servers.start({ env: BRAKE_SETTINGS });
    ada = await server.addUser({ name: 'ada' });
    ben = await server.addUser({ name: 'ben' });
    relay = await TcpRelay.open(() => server.port);
    const make = ({ name, credentials }: DavClient): Replica =>
      new Replica(name, nextcloudcmd, credentials, () => relay.url);
    [adas, bens] = [make(ada), make(ben)];
    write(adas.folder, 'work/team/plan.txt', 'the plan');
    write(adas.folder, 'work/team/deep/er/leaf.txt', 'leaf');
    write(adas.folder, 'work/team/doomed.txt', 'doomed');
    write(adas.folder, 'private.txt', 'nobody else');
    write(bens.folder, 'mine.txt', 'mine');
    await sync(adas);
    await sync(bens);
  });
  after(async () => {
    await relay?.close();
  });

  async function sync(replica: Replica): Promise<void> {
    const { code, tail } = await replica.sync();
    assert.equal(code, 0, tail);
  }

  async function ocs(
    method: string, target: string, body = '', user = ada,
  ): Promise<Record<string, unknown>> {
    const answer = await user.ask(method, `${target}?format=json`, {
      body, headers: {
        'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded',
      },
    });
    const { ocs: { meta, data } } = JSON.parse(answer.text) as {
      ocs: { meta: { statuscode: number; message: string }; data: Record<string, unknown> };
    };
    assert.equal(meta.statuscode, 200, meta.message);
    return data;
  }

  async function share(path: string, permissions: number): Promise<string> {
    const data = await ocs('POST', SHARES,
      `path=${encodeURIComponent(path)}&shareType=0&shareWith=ben&permissions=${permissions}`);
    return String(data['id']);
  }

  /** What lies below a folder, by paths from there. */
  function below(tree: Tree, folder: string): Tree {
    const start = `${folder}/`;
    return new Map([...tree].filter(([path]) => path.startsWith(start))
      .map(([path, what]) => [path.slice(start.length), what]));
  }

  /** Both local copies and the server hold the same in the shared folder. */
  async function assertSame(what: string): Promise<void> {
    const wanted = below(await ada.tree(), 'work/team');
    assertSameTree(below(readTree(adas.folder), 'work/team'), wanted, `${what}: Ada`);
    assertSameTree(below(readTree(bens.folder), 'team'), wanted, `${what}: Ben`);
    assert.equal(existsSync(join(bens.folder, 'private.txt')), false);
    assert.equal(existsSync(join(bens.folder, 'mine.txt')), true);
  }

  it('the one who receives a folder has it after the next sync', async () => {
    shareId = await share('/work/team', EDITOR);
    await sync(bens);
    await assertSame('shared');
  });

  it('each gets what the other writes, moves and deletes, large files too', async () => {
    appendFileSync(join(bens.folder, 'team/plan.txt'), ', as Ben sees it');
    write(bens.folder, 'team/from ben/big.bin', seededBytes(12_000_000, 'shared'));
    rmSync(join(bens.folder, 'team/doomed.txt'));
    await sync(bens);
    await sync(adas);
    await assertSame('by Ben');
    renameSync(join(adas.folder, 'work/team/deep/er'), join(adas.folder, 'work/team/moved'));
    appendFileSync(join(adas.folder, 'work/team/plan.txt'), ', and Ada');
    await sync(adas);
    await sync(bens);
    await assertSame('by Ada');
  });

  it('a rename of what was received is the receiver\'s own', async () => {
    renameSync(join(bens.folder, 'team'), join(bens.folder, 'ada team'));
    await sync(bens);
    await sync(adas);
    assert.ok(existsSync(join(adas.folder, 'work/team/plan.txt')));
    renameSync(join(bens.folder, 'ada team'), join(bens.folder, 'team'));
    await sync(bens);
    await assertSame('renamed and back');
  });

  it('who may only read any more gets everything back, and changes nothing', async () => {
    const wanted = await ada.tree();
    await ocs('PUT', `${SHARES}/${shareId}`, `permissions=${VIEWER}`);
    relay.forget();
    await sync(bens);
    const asked = relay.requests.filter(({ method }) => method === 'PROPFIND');
    assert.ok(asked.length > 1, 'the client noticed: it looked below the root');
    appendFileSync(join(bens.folder, 'team/plan.txt'), ', not allowed');
    rmSync(join(bens.folder, 'team/moved'), { recursive: true });
    write(bens.folder, 'team/new.txt', 'not allowed either');
    for (let run = 0; run < 3; run += 1) await bens.sync();
    assertSameTree(await ada.tree(), wanted, 'the server after forbidden changes');
    const local = below(readTree(bens.folder), 'team');
    for (const [path, what] of below(wanted, 'work/team')) {
      assert.equal(local.get(path), what, `${path} is as its owner has it`);
    }
    await sync(adas);
    assertSameTree(readTree(adas.folder), wanted, 'Ada\'s copy');
    rmSync(join(bens.folder, 'team/new.txt'), { force: true });
  });

  it('who may write again does so', async () => {
    await ocs('PUT', `${SHARES}/${shareId}`, `permissions=${EDITOR}`);
    await sync(bens);
    write(bens.folder, 'team/allowed again.txt', 'yes');
    await sync(bens);
    await sync(adas);
    await assertSame('editor again');
  });

  it('who is shut out loses the local copy, and its owner loses nothing', async () => {
    const wanted = await ada.tree();
    await ocs('DELETE', `${SHARES}/${shareId}`);
    await sync(bens);
    // What Ben had changed without leave lies there as a conflict copy, which is his to keep.
    const left = [...below(readTree(bens.folder), 'team')].filter(([, what]) => what !== 'folder');
    assert.deepEqual(left, []);
    rmSync(join(bens.folder, 'team'), { recursive: true, force: true });
    await sync(bens);
    await sync(adas);
    assertSameTree(await ada.tree(), wanted, 'the server');
    assertSameTree(readTree(adas.folder), wanted, 'Ada');
    assert.ok(existsSync(join(bens.folder, 'mine.txt')));
  });

  it('who deletes what was received only lets go of it', async () => {
    const wanted = await ada.tree();
    await share('/work/team', EDITOR);
    await sync(bens);
    await assertSame('shared again');
    rmSync(join(bens.folder, 'team'), { recursive: true });
    await sync(bens);
    await sync(bens);
    assert.equal(existsSync(join(bens.folder, 'team')), false, 'it does not come back');
    assertSameTree(await ada.tree(), wanted, 'the server');
    await sync(adas);
    assertSameTree(readTree(adas.folder), wanted, 'Ada');
  });

  it('asks once and moves nothing when nothing has changed', async () => {
    await share('/private.txt', VIEWER);
    await sync(bens);
    await sync(bens);
    relay.forget();
    await sync(bens);
    const dav = relay.requests.filter(({ target }) => target.startsWith('/remote.php'));
    assert.equal(dav.length, 1, dav.map(({ method, target }) => `${method} ${target}`).join('\n'));
  });

  describe('the brake', () => testBrake(() => ({ server, relay })));
});
