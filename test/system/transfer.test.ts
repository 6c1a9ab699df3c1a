/** Files that are handed over by the real server, and by a command alone; also in a crash. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { ask, basic } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';
const KINDS = { user: 0, link: 3 };

function holdfast(server: TestServer, ...words: string[]): Promise<Outcome> {
  return run(PROGRAM, [...words, '--data', server.data], { timeoutMs: 60_000 });
}

async function share(by: DavClient, path: string, kind: 'user' | 'link', whom = '') {
  const body = `path=${encodeURIComponent(path)}&shareType=${KINDS[kind]}&permissions=1`
    + (whom === '' ? '' : `&shareWith=${whom}`);
  const answer = await by.ask('POST', `${SHARES}?format=json`, {
    body, headers: {
      'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded',
    },
  });
  const { ocs: { meta, data } } = JSON.parse(answer.text) as {
    ocs: { meta: { statuscode: number; message: string }; data: { token?: string } };
  };
  assert.equal(meta.statuscode, 200, meta.message);
  return data.token ?? '';
}

/** All that somebody has shared. */
async function endShares(by: DavClient): Promise<void> {
  const headers = { 'OCS-APIRequest': 'true' };
  const { text } = await by.ask('GET', `${SHARES}?format=json`, { headers });
  const { ocs: { data } } = JSON.parse(text) as { ocs: { data: { id: string }[] } };
  for (const { id } of data) await by.ask('DELETE', `${SHARES}/${id}?format=json`, { headers });
}

interface Site {
  server: TestServer;
  ada: DavClient;
  ben: DavClient;
  carl: DavClient;
  /** Of `work/plans`. */
  token: string;
}

/** What a stranger reads by the link. */
async function visit({ server, token }: Site): Promise<string> {
  const address = `${server.url}/public.php/dav/files/${token}/plan.txt`;
  const { status, text } = await ask('GET', address, {
    headers: { Authorization: basic({ name: token, password: '' }) },
  });
  return status === 200 ? text : String(status);
}

async function read(client: DavClient, path: string): Promise<string> {
  const { status, text } = await client.get(path);
  return status === 200 ? text : String(status);
}

describe('files that are handed over', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  async function begin(failpoint?: string): Promise<Site> {
    const server = await servers.start();
    const [ada, ben, carl] = [
      await server.addUser({ name: 'ada' }), await server.addUser({ name: 'ben' }),
      await server.addUser({ name: 'carl' }),
    ];
    await ada.file('MKCOL', 'work');
    await ada.file('MKCOL', 'work/plans');
    await ada.put('work/plans/plan.txt', 'the plan');
    await ada.put('work/other.txt', 'other');
    await ada.put('diary.txt', 'secret');
    await ben.put('mine.txt', 'mine');
    await share(ada, '/work', 'user', 'carl');
    const token = await share(ada, '/work/plans', 'link');
    const site = { server, ada, ben, carl, token };
    assert.equal(await visit(site), 'the plan');
    assert.equal(await read(carl, 'work/other.txt'), 'other');
    if (failpoint !== undefined) {
      await server.stop();
      await server.startAgain({ env: { HOLDFAST_FAILPOINT: failpoint } });
    }
    return site;
  }

  async function assertHandedOver(site: Site): Promise<void> {
    const { ada, ben, carl } = site;
    assert.equal(await visit(site), 'the plan');
    assert.equal(await read(ben, 'Files of ada/diary.txt'), 'secret');
    assert.equal(await read(ben, 'mine.txt'), 'mine');
    assert.equal(await read(carl, 'work/plans/plan.txt'), 'the plan');
    for (const path of ['diary.txt', 'work/other.txt', 'Files of ada/diary.txt']) {
      assert.equal(await read(ada, path), '404');
    }
  }

  it('are planned, then crossed, with shares and links that go on working', async () => {
    const site = await begin();
    const { server, ada, carl } = site;
    const plan = await holdfast(server, 'user', 'transfer', 'ada', 'ben');
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /files: 3, folders: 2.*\n  shares: 1\n    work: user carl, viewer/);
    assert.match(plan.stdout, /work\/plans: link \d+, viewer\n.*\n.*\n.*\nNothing was done/s);
    assert.doesNotMatch(plan.stdout, new RegExp(site.token));
    assert.equal(await read(ada, 'diary.txt'), 'secret');

    const done = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.match(done.stdout, /files: 3 before, 3 after\n.*\n.*\n.*\n  links: 1 before, 1 after/);
    assert.match(done.stdout, /by the same address: 1\n.*: 1 as they were\nNothing differs/);
    await assertHandedOver(site);
    assert.equal((await holdfast(server, 'user', 'disable', 'ada')).code, 0);
    assert.equal(await visit(site), 'the plan');
    assert.equal(await read(carl, 'work/other.txt'), 'other');

    const again = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
    assert.equal(again.code, 3, again.stdout);
    assert.match(again.stdout, /NOT POSSIBLE: There is nothing to move/);
    await server.stop();
    const log = (await holdfast(server, 'audit', 'export')).stdout;
    assert.match(log, /"act":"move","user":"ada","device":"command line"/);
    assert.match(log, /"act":"files-transferred","subject":"ada","note":"to ben: 3 files/);
  });

  it('cross by a command alone too, while no server runs, and for a disabled account', async () => {
    const site = await begin();
    const { server } = site;
    assert.equal((await holdfast(server, 'user', 'disable', 'ada')).code, 0);
    assert.equal(await visit(site), '404', 'a link is over while its maker may not sign in');
    await server.stop();
    const done = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    await server.startAgain();
    assert.equal((await holdfast(server, 'user', 'enable', 'ada')).code, 0);
    await assertHandedOver(site);
  });

  for (const failpoint of ['gathering:2', 'gathered']) {
    it(`are all with the old account after kill -9 at "${failpoint}", and go on`, async () => {
      const site = await begin(`files.transfer-${failpoint}`);
      const { server, ben, carl } = site;
      const cut = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
      assert.equal(cut.code, 1, cut.stdout);
      assert.match(cut.stderr, /went away/);
      await server.command.end(60_000);
      await server.startAgain({ env: { HOLDFAST_FAILPOINT: '' } });
      assert.equal(await visit(site), 'the plan');
      assert.equal(await read(carl, 'work/plans/plan.txt'), 'the plan');
      assert.equal(await read(ben, 'Files of ada/diary.txt'), '404');
      const again = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
      assert.equal(again.code, 0, again.stdout + again.stderr);
      assert.match(again.stdout, /interrupted.*files: 3 before, 3 after.*Nothing differs/s);
      await assertHandedOver(site);
    });
  }

  it('are all with the new account after kill -9 behind the crossing', async () => {
    const site = await begin('files.transfer-crossed');
    const { server } = site;
    const cut = await holdfast(server, 'user', 'transfer', 'ada', 'ben', '--yes');
    assert.equal(cut.code, 1, cut.stdout);
    await server.command.end(60_000);
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: '' } });
    await assertHandedOver(site);
  });
});

describe('the past, by orders', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('is compared, brought back and taken back, with and without a server', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    await ada.file('MKCOL', 'work');
    await ada.put('work/a.txt', 'old');
    await ada.put('work/b.txt', 'b');
    const token = await share(ada, '/work', 'link');
    const visited = async (): Promise<number> => (await ask('GET',
      `${server.url}/public.php/dav/files/${token}/a.txt`,
      { headers: { Authorization: basic({ name: token, password: '' }) } })).status;
    await ada.put('work/a.txt', 'new');
    await ada.put('work/c.txt', 'c');
    await ada.file('DELETE', 'work/b.txt');
    await endShares(ada);
    assert.equal(await visited(), 404);
    const history = (...words: string[]): Promise<Outcome> => holdfast(server, 'history', ...words);
    const diff = await history('diff', 'ada', '--from', 'rev-4');
    assert.equal(diff.stdout, 'changed\twork/a.txt\nadded\twork/c.txt\ndeleted\twork/b.txt\n'
      + 'shared\twork\n', diff.stderr);
    assert.equal((await history('diff', 'ada')).code, 2, 'a moment is needed');
    assert.equal((await history('diff', 'nobody', '--from', 'rev-4')).code, 3);

    const order = ['restore', 'ada', '--to', 'rev-4', '--folder', 'work', '--with-sharing'];
    const plan = await history(...order);
    const counts = ['trash: 1', 'back: 1', 'go back: 0', 'come back: 1', 'taken back: 1'];
    assert.match(plan.stdout, new RegExp(`${counts.join('\\n.*')}\\n.*\\nNothing was`));
    assert.equal(await read(ada, 'work/a.txt'), 'new');
    const done = await history(...order, '--yes');
    const [, batch = ''] = /batch (\d+): 4 brought back, 0 left alone/.exec(done.stdout) ?? [];
    assert.notEqual(batch, '', done.stdout + done.stderr);
    assert.deepEqual([await read(ada, 'work/a.txt'), await read(ada, 'work/b.txt'),
      await read(ada, 'work/c.txt')], ['old', 'b', '404']);
    assert.equal(await visited(), 200, 'the link is back at its old address');
    const days = ['--history', '90', '--trash', '0'];
    const set = await holdfast(server, 'retention', 'set', 'ada', ...days);
    assert.equal(set.stdout, 'ada\t1\t90 own\t365\tfor ever own\n', set.stderr);

    await server.stop();
    const undone = await history('undo', 'ada', batch);
    assert.match(undone.stdout, /4 brought back, 0 left alone/, undone.stderr);
    const list = await history('list', 'ada');
    assert.match(list.stdout, /undo\tdone\t.*\n\d+\trestore\tundone\t/);
    const all = await holdfast(server, 'retention', 'show');
    assert.equal(all.stdout, `tenant default\t\t30\t365\t30\n${set.stdout}`, all.stderr);
    await server.startAgain();
    assert.equal(await visited(), 404);
    assert.deepEqual([await read(ada, 'work/a.txt'), await read(ada, 'work/b.txt'),
      await read(ada, 'work/c.txt')], ['new', '404', 'c']);
  });
});
