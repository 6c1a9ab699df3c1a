/** Two tenants on one real server: people of one neither find, nor reach, nor count for another. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openIdentityAlone } from '../../src/app/stores.ts';
import { verifyAudit } from '../../src/audit/index.ts';
import { parseUserId } from '../../src/base/ids.ts';
import type { NewUser } from '../../src/identity/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { run, runWell } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';
const SHAREES = '/ocs/v2.php/apps/files_sharing/api/v1/sharees';
const TEAMS = '/ocs/v2.php/apps/holdfast/api/v1/teams';
const KIB = 1024;

interface Ocs {
  status: number;
  message: string;
  data: unknown;
}

async function ocs(
  client: DavClient, method: string, path: string, fields: Record<string, string>,
): Promise<Ocs> {
  const form = new URLSearchParams(fields).toString();
  const isGet = method === 'GET';
  const answer = await client.ask(method, `${path}?format=json${isGet ? `&${form}` : ''}`, {
    headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
    ...(!isGet && { body: form }),
  });
  const { ocs: { meta, data } } = JSON.parse(answer.text) as {
    ocs: { meta: { message: string }; data: unknown };
  };
  return { status: answer.status, message: meta.message, data };
}

async function accountsOf({ data }: TestServer) {
  const identity = await openIdentityAlone(data, { clock: systemClock, create: false });
  const { users, groups } = identity;
  return { users, groups, close: () => identity.close() };
}

describe('two tenants', { timeout: 120_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  let anna: DavClient;
  let ben: DavClient;
  let eve: DavClient;
  let finn: DavClient;

  const tell = async (...words: string[]): Promise<string> =>
    (await runWell(PROGRAM, [...words, '--data', server.data])).stdout;

  before(async () => {
    server = await servers.start();
    await tell('tenant', 'add', 'acme', '--title', 'Acme & Co.');
    eve = await server.addUser({ name: 'eve', args: ['--admin', '--tenant', 'acme'] });
    // As commands do, beside the running server, and without a process for each.
    const { users, groups, close } = await accountsOf(server);
    const password = 'correct-horse-battery';
    const add = async (wanted: Omit<NewUser, 'password'>): Promise<DavClient> => {
      await users.add({ ...wanted, password });
      return server.client(wanted.id, password);
    };
    anna = await add({ id: 'anna', admin: true });
    ben = await add({ id: 'ben', email: 'ben@example.org' });
    finn = await add({ id: 'finn', tenant: 'acme' });
    await groups.add({ id: 'bakers' });
    const { id: brewers } = await groups.add({ id: 'brewers', tenant: 'acme' });
    await groups.join(brewers, parseUserId('finn'));
    await close();
    await anna.makeFolder('plans');
    await anna.put('plans/one.txt', 'one');
    await eve.makeFolder('books');
    await eve.put('books/two.txt', 'two');
  });

  it('find nobody of one another, and share nothing', async () => {
    const found = async (client: DavClient, search: string): Promise<string> =>
      JSON.stringify((await ocs(client, 'GET', SHAREES, { search, itemType: 'file' })).data);
    for (const search of ['eve', 'finn', 'brewers', 'f', 'e']) {
      assert.doesNotMatch(await found(anna, search), /"(eve|finn|brewers)"/);
    }
    for (const search of ['anna', 'ben', 'ben@example.org', 'bakers', 'b']) {
      assert.doesNotMatch(await found(eve, search), /"(anna|ben|bakers)"/);
    }
    assert.match(await found(anna, 'b'), /"ben".*"bakers"/s);
    assert.match(await found(eve, 'b'), /"brewers"/);
    const share = (client: DavClient, path: string, shareType: string, shareWith: string) =>
      ocs(client, 'POST', SHARES, { path, shareType, shareWith, permissions: '31' });
    const unknown = await share(anna, '/plans', '0', 'nobody');
    for (const [type, whom] of [['0', 'eve'], ['0', 'finn'], ['1', 'brewers']] as const) {
      const answer = await share(anna, '/plans', type, whom);
      assert.equal(answer.status, unknown.status);
      if (type === '0') assert.equal(answer.message, unknown.message, 'as for nobody');
    }
    assert.equal((await share(eve, '/books', '0', 'ben')).status, unknown.status);
    assert.equal((await share(anna, '/plans', '0', 'ben')).status, 200);
    assert.equal((await share(eve, '/books', '1', 'brewers')).status, 200);
    assert.equal((await ben.get('plans/one.txt')).text, 'one');
    assert.equal((await finn.get('books/two.txt')).text, 'two');
  });

  it('reach nothing of one another, and have teams of their own', async () => {
    assert.equal((await ocs(eve, 'POST', TEAMS, { name: 'sales' })).status, 200);
    assert.equal((await ocs(anna, 'POST', TEAMS, { name: 'choir' })).status, 200);
    assert.deepEqual(await foldersOf(eve), ['books', 'sales']);
    assert.deepEqual(await foldersOf(anna), ['choir', 'plans']);
    assert.deepEqual(await foldersOf(ben), ['plans']);
    const root = (client: DavClient): string => `/remote.php/dav/files/${client.name}/`;
    for (const method of ['GET', 'PROPFIND', 'PUT', 'DELETE', 'MKCOL']) {
      const { status } = await eve.ask(method, `${root(anna)}plans/one.txt`);
      assert.ok(status >= 400 && status < 500, `${method} ${status}`);
    }
    for (const method of ['COPY', 'MOVE']) {
      const headers = { Destination: `${server.url}${root(anna)}plans/from-eve` };
      const { status } = await eve.file(method, 'books/two.txt', { headers });
      assert.ok(status >= 400 && status < 500, `${method} ${status}`);
    }
    assert.deepEqual([...(await anna.tree('plans')).keys()], ['plans/one.txt']);
    assert.equal((await eve.get('books/two.txt')).text, 'two');
  });

  it('have quotas and audit logs of their own', async () => {
    await tell('quota', 'set', '--tenant', 'acme', '10 KiB');
    assert.equal((await finn.put('large', Buffer.alloc(20 * KIB))).status, 507);
    assert.equal((await ben.put('large', Buffer.alloc(20 * KIB))).status, 201);
    await eventually(60_000, 'the logs have followed', async () => (
      (await entriesOf('default')).includes('create ben large')
      && (await entriesOf('acme')).includes('quota-set  tenant acme')));
    const [ours, theirs] = await Promise.all([entriesOf('default'), entriesOf('acme')]);
    for (const line of ['signed-in anna ', 'create anna plans', 'create anna one.txt']) {
      assert.ok(ours.includes(line), line);
    }
    for (const line of [
      'tenant-added  acme', 'user-added  eve', 'signed-in finn ', 'create eve books',
    ]) assert.ok(theirs.includes(line), line);
    assert.doesNotMatch(ours.join('\n'), /\b(eve|finn|brewers|acme)\b/);
    assert.doesNotMatch(theirs.join('\n'), /\b(anna|ben|bakers)\b/);
    await server.stop();
    const plan = await run(PROGRAM, ['user', 'transfer', 'anna', 'eve', '--data', server.data]);
    assert.equal(plan.code, 3);
    assert.match(plan.stderr, /within one tenant/);
  });

  async function entriesOf(tenant: string): Promise<string[]> {
    const lines: string[] = [];
    const { breaks } = await verifyAudit(join(server.data, 'audit', tenant), undefined, (entry) => {
      if (entry === undefined) return;
      const { act, user, subject, name } = entry;
      lines.push([act, user, subject ?? name].join(' '));
    });
    assert.deepEqual(breaks, []);
    return lines;
  }

  async function foldersOf(client: DavClient): Promise<string[]> {
    const { text } = await client.file('PROPFIND', '', { headers: { Depth: '1' } });
    const hrefs = [...text.matchAll(/<d:href>[^<]*\/([^/<]+)\/<\/d:href>/g)];
    return hrefs.map(([, name = '']) => name).filter((name) => name !== client.name).toSorted();
  }
});
