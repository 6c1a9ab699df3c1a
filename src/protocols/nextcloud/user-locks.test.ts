/** Locks that people see and that no protocol walks around. Anna owns the shared folder, Ben may
 *  edit it, Carl only look. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import type { BrokenLock } from '../../files/index.ts';
import { CloudSite, PASSWORD } from './testing/cloud-site.ts';
import type { Answer, AskOptions } from './testing/cloud-site.ts';

const FILE = '/dav/box/plan.odt';
const MINUTE_MS = 60_000;
const USER = { 'X-User-Lock': '1' };
const PROGRAM = { 'X-User-Lock': '1', 'X-User-Lock-Type': '2' };

let site: CloudSite;
let broken: BrokenLock[];

beforeEach(async (context) => {
  broken = [];
  site = await CloudSite.open({ bulkUpload: 'on', onLockBroken: (one) => broken.push(one) });
  if ('after' in context) context.after(() => site.close());
  await site.identity.users.add({ id: 'carl', password: PASSWORD });
  await site.ask('MKCOL', '/dav/box');
  await share({ path: '/box', shareType: '0', shareWith: 'ben', permissions: '15' });
  await share({ path: '/box', shareType: '0', shareWith: 'carl', permissions: '1' });
  await site.ask('PUT', FILE, { body: 'first' });
  await site.ask('PUT', FILE, { body: 'second' });
});

async function share(wanted: Record<string, string>): Promise<Answer> {
  const answer = await site.ask('POST',
    '/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json', {
      body: new URLSearchParams(wanted).toString(),
      headers: {
        'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded',
      },
    });
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

function as(
  user: string, method: string, path = FILE, options: AskOptions = {},
): Promise<Answer> {
  return site.ask(method, path, { ...options, auth: `${user}:${PASSWORD}` });
}

function lock(user: string, headers: Record<string, string> = USER): Promise<Answer> {
  return as(user, 'LOCK', FILE, { headers });
}

/** The value of one element of an answer; undefined: it is not there. */
function told(answer: Answer, name: string): string | undefined {
  return new RegExp(`<nc:${name}>([^<]*)</nc:${name}>`).exec(answer.text)?.[1];
}

const NAMES = ['lock', 'lock-owner', 'lock-owner-displayname', 'lock-owner-type', 'lock-time',
  'lock-timeout', 'lock-token', 'lock-owner-editor'];

function seen(user: string, path = FILE, depth = '0'): Promise<Answer> {
  const props = NAMES.map((name) => `<n:${name}/>`).join('');
  const body = `<d:propfind xmlns:d="DAV:" xmlns:n="http://nextcloud.org/ns"><d:prop>${props}`
    + '</d:prop></d:propfind>';
  return as(user, 'PROPFIND', path, { body, headers: { Depth: depth } });
}

describe('A lock for a person', () => {
  it('says who holds it, since when and for how long, to everybody who sees the file', async () => {
    assert.equal(told(await seen('ben'), 'lock'), '0');
    const answer = await lock('anna');
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /<d:getetag>"[^"]+"<\/d:getetag>/);
    const since = String(site.clock.now() / 1000);
    for (const one of [answer, await seen('carl'), await seen('ben', '/dav/box', '1')]) {
      assert.deepEqual(NAMES.slice(0, 6).map((name) => told(one, name)),
        ['1', 'anna', 'Anna', '0', since, '1800']);
    }
    assert.doesNotMatch((await seen('anna', '/dav/box')).text, /nc:lock>/);
  });

  it('keeps others out, lets its holder work with any program, and ends by UNLOCK', async () => {
    await lock('ben');
    const refused = await as('anna', 'PUT', FILE, { body: 'x' });
    assert.equal(refused.status, 423);
    assert.equal((await as('ben', 'PUT', FILE, { body: 'ben' })).status, 204);
    const token = told(await seen('ben'), 'lock-token') ?? '';
    const shown = { If: `<${FILE}> (<opaquelocktoken:${token}>)` };
    const put = await as('ben', 'PUT', FILE, { body: 'with token', headers: shown });
    assert.equal(put.status, 204, 'what a client does that shows it all the same');
    const freed = await as('ben', 'UNLOCK', FILE, { headers: USER });
    assert.deepEqual([freed.status, told(freed, 'lock')], [200, '0']);
    const again = await as('ben', 'UNLOCK', FILE, { headers: USER });
    assert.deepEqual([again.status, told(again, 'lock')], [412, '0']);
    assert.equal((await as('anna', 'PUT', FILE, { body: 'x' })).status, 204);
    assert.deepEqual(broken, []);
  });

  it('is refused with the lock that is in the way, and renewed for its holder', async () => {
    await lock('anna', { ...USER, Timeout: 'Second-600' });
    const refused = await lock('ben');
    assert.deepEqual([refused.status, told(refused, 'lock'), told(refused, 'lock-owner')],
      [423, '1', 'anna']);
    site.clock.advance(9 * MINUTE_MS);
    const renewed = await lock('anna');
    assert.deepEqual([renewed.status, told(renewed, 'lock-timeout')], [200, '2340']);
    site.clock.advance(29 * MINUTE_MS);
    assert.equal((await as('ben', 'PUT', FILE, { body: 'x' })).status, 423);
    site.clock.advance(2 * MINUTE_MS);
    assert.equal((await as('ben', 'PUT', FILE, { body: 'x' })).status, 204);
    assert.equal(told(await seen('anna'), 'lock'), '0');
  });

  it('is for files that one may change and that are as one thinks', async () => {
    assert.equal((await lock('carl')).status, 403);
    assert.equal((await as('anna', 'LOCK', '/dav/box', { headers: USER })).status, 403);
    assert.equal((await as('anna', 'LOCK', '/dav/none', { headers: USER })).status, 404);
    assert.equal((await as('anna', 'GET', '/dav/none')).status, 404);
    assert.equal((await lock('anna', { ...USER, 'If-Match': '"old"' })).status, 412);
    assert.equal((await lock('anna', { ...USER, 'X-User-Lock-Type': '1' })).status, 400);
    assert.equal(told(await seen('anna'), 'lock'), '0');
  });
});

describe('Breaking a lock', () => {
  it('is for who owns the file, and is told', async () => {
    await lock('ben');
    const kept = await as('carl', 'UNLOCK', FILE, { headers: USER });
    assert.deepEqual([kept.status, told(kept, 'lock-owner')], [423, 'ben']);
    const freed = await as('anna', 'UNLOCK', FILE, { headers: USER });
    assert.deepEqual([freed.status, told(freed, 'lock')], [200, '0']);
    const [{ lock: ended, by } = assert.fail('it was told')] = broken;
    assert.deepEqual([broken.length, ended.holder, by.user], [1, 'ben', 'anna']);
    assert.equal((await as('anna', 'PUT', FILE, { body: 'x' })).status, 204);
  });

  it('is not for who may only edit, and by token it is for the same people', async () => {
    await lock('anna', PROGRAM);
    assert.equal((await as('ben', 'UNLOCK', FILE, { headers: USER })).status, 423);
    const token = `<opaquelocktoken:${told(await seen('ben'), 'lock-token') ?? ''}>`;
    const headers = { 'Lock-Token': token };
    assert.equal((await as('ben', 'UNLOCK', FILE, { headers })).status, 403);
    assert.deepEqual(broken, []);
    await as('anna', 'UNLOCK', FILE, { headers });
    await lock('ben', PROGRAM);
    const theirs = `<opaquelocktoken:${told(await seen('anna'), 'lock-token') ?? ''}>`;
    const ended = await as('anna', 'UNLOCK', FILE, { headers: { 'Lock-Token': theirs } });
    assert.equal(ended.status, 204);
    assert.equal(broken.length, 1);
  });

  it('is for an administrator who sees the file', async () => {
    await as('ben', 'PUT', '/dav/own.txt', { body: 'x' });
    await site.ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', {
      auth: `ben:${PASSWORD}`, body: 'path=/own.txt&shareType=0&shareWith=anna&permissions=1',
      headers: {
        'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded',
      },
    });
    await as('ben', 'LOCK', '/dav/own.txt', { headers: USER });
    assert.equal((await as('anna', 'UNLOCK', '/dav/own.txt', { headers: USER })).status, 200);
    assert.equal(broken[0]?.by.user, 'anna');
  });
});

const INFO = '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
  + '<d:locktype><d:write/></d:locktype></d:lockinfo>';

/** How Ben locks. Only a person's own lock lets Ben's other programs go on. */
const LOCKS: Readonly<Record<string, () => Promise<Answer>>> = {
  'for a person': () => lock('ben'),
  'for a program': () => lock('ben', PROGRAM),
  'of WebDAV': () => as('ben', 'LOCK', FILE, { body: INFO }),
  'of a folder above': () => as('ben', 'LOCK', '/dav/box', { body: INFO }),
};

async function chunked(user: string): Promise<number> {
  const upload = `/remote.php/dav/uploads/${user}/u1`;
  await as(user, 'MKCOL', upload);
  await as(user, 'PUT', `${upload}/00001`, { body: 'chunked' });
  const Destination = `/remote.php/dav/files/${user}/box/plan.odt`;
  return (await as(user, 'MOVE', `${upload}/.file`, { headers: { Destination } })).status;
}

async function bulk(user: string): Promise<number> {
  const body = `--b\r\nContent-Length: 4\r\nX-File-MD5: ${hash('md5', 'bulk')}\r\n`
    + 'X-File-Mtime: 1700000000\r\nX-File-Path: /box/plan.odt\r\n\r\nbulk\r\n--b--\r\n';
  const answer = await as(user, 'POST', '/remote.php/dav/bulk', {
    body, headers: { 'Content-Type': 'multipart/related; boundary=b' },
  });
  const told = JSON.parse(answer.text) as Record<string, { error: boolean; message?: string }>;
  const { error, message = '' } = told['/box/plan.odt'] ?? { error: true };
  return error && /locked/i.test(message) ? 423 : answer.status;
}

async function restoreVersion(user: string): Promise<number> {
  const found = await as(user, 'PROPFIND', FILE, {
    body: '<propfind xmlns="DAV:"><prop><fileid xmlns="http://owncloud.org/ns"/></prop></propfind>',
    headers: { Depth: '0' },
  });
  const id = /<oc:fileid>(\d+)</.exec(found.text)?.[1] ?? '';
  const folder = `/remote.php/dav/versions/${user}/versions/${id}`;
  const listed = await as(user, 'PROPFIND', folder, { headers: { Depth: '1' } });
  const [name = 'none'] = [...listed.text.matchAll(/versions\/\d+\/(\d+)</g)].map(([, one]) => one);
  const Destination = `/remote.php/dav/versions/${user}/restore/x`;
  return (await as(user, 'MOVE', `${folder}/${name}`, { headers: { Destination } })).status;
}

async function byLink(): Promise<number> {
  const made = await share({ path: '/box', shareType: '3', permissions: '15' });
  const { ocs } = JSON.parse(made.text) as { ocs: { data: { token: string } } };
  const path = `/public.php/dav/files/${ocs.data.token}/plan.odt`;
  return (await site.ask('PUT', path, { body: 'link', auth: undefined })).status;
}

const PATCH = '<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>';
const dav = (method: string, path = FILE, options: AskOptions = {}) =>
  async (user: string): Promise<number> => (await as(user, method, path, options)).status;

/** Everything that changes the file, over every protocol. */
const OPERATIONS: Readonly<Record<string, (user: string) => Promise<number>>> = {
  PUT: dav('PUT', FILE, { body: 'x' }),
  PROPPATCH: dav('PROPPATCH', FILE, { body: PATCH }),
  'COPY onto it': dav('COPY', '/dav/other.txt', { headers: { Destination: FILE } }),
  'MOVE onto it': dav('MOVE', '/dav/other.txt', { headers: { Destination: FILE } }),
  'an upload in pieces': chunked,
  'a bulk upload': bulk,
  'restoring a version': restoreVersion,
  'MOVE away': dav('MOVE', FILE, { headers: { Destination: '/dav/box/away' } }),
  DELETE: dav('DELETE'),
};

describe('A lock of somebody else', () => {
  for (const [kind, take] of Object.entries(LOCKS)) {
    it(`${kind} stands in the way of every protocol`, async () => {
      await as('anna', 'PUT', '/dav/other.txt', { body: 'other' });
      assert.equal((await take()).status, 200);
      for (const [name, act] of Object.entries(OPERATIONS)) {
        assert.equal(await act('anna'), 423, name);
      }
      assert.equal(await byLink(), 423, 'a public link');
      assert.equal((await as('anna', 'GET')).text, 'second');
      if (kind === 'of a folder above') {
        assert.equal(await dav('DELETE', '/dav/box')('anna'), 423);
        return;
      }
      assert.equal(await dav('DELETE', '/dav/box')('anna'), 423, 'with its folder');
    });
  }

  it('on a folder keeps what was deleted there from coming back into it', async () => {
    await as('anna', 'PUT', '/dav/box/gone.txt', { body: 'gone' });
    await as('anna', 'DELETE', '/dav/box/gone.txt');
    const { text } = await as('anna', 'PROPFIND', '/remote.php/dav/trashbin/anna/trash/', {
      headers: { Depth: '1' },
    });
    const entry = /trashbin\/anna\/trash\/(gone[^<]+)</.exec(text)?.[1] ?? '';
    await as('ben', 'LOCK', '/dav/box', { body: INFO });
    const Destination = '/remote.php/dav/trashbin/anna/restore/gone';
    const path = `/remote.php/dav/trashbin/anna/trash/${entry}`;
    assert.equal((await as('anna', 'MOVE', path, { headers: { Destination } })).status, 423);
  });
});

describe('A lock of one\'s own', () => {
  const all = Object.entries(OPERATIONS).filter(([name]) => name !== 'MOVE away');
  it('for a person stands in the way of nothing', async () => {
    for (const [name, act] of all) {
      await as('ben', 'PUT', '/dav/other.txt', { body: 'other' });
      await lock('ben');
      const status = await act('ben');
      assert.ok(status >= 200 && status < 300, `${name}: ${status}`);
    }
  });

  it('for a program stands in the way of the person\'s other programs', async () => {
    await as('ben', 'PUT', '/dav/other.txt', { body: 'other' });
    await lock('ben', PROGRAM);
    for (const [name, act] of all) assert.equal(await act('ben'), 423, name);
    const token = told(await seen('ben'), 'lock-token') ?? '';
    const headers = { If: `<${FILE}> (<opaquelocktoken:${token}>)` };
    assert.equal((await as('ben', 'PUT', FILE, { body: 'x', headers })).status, 204);
  });
});

describe('A lock by the id of its file', () => {
  async function ocsLock(
    user: string, method: string, id: string, query = '',
  ): Promise<{ status: number; data: Record<string, unknown> }> {
    const path = `/ocs/v2.php/apps/files_lock/lock/${id}?format=json${query}`;
    const headers = { 'OCS-APIRequest': 'true' };
    const { status, text } = await as(user, method, path, { headers });
    const { ocs } = JSON.parse(text) as { ocs: { data: Record<string, unknown> } };
    return { status, data: ocs.data };
  }

  const idOf = async (path = FILE, user = 'anna'): Promise<string> => {
    const { headers } = await as(user, 'HEAD', path);
    return String(headers['oc-fileid']);
  };

  it('is the same as that by its path', async () => {
    const id = await idOf();
    const { status, data } = await ocsLock('ben', 'PUT', String(parseInt(id, 10)));
    assert.equal(status, 200);
    assert.deepEqual([data['userId'], data['displayName'], data['type'], data['eta']],
      ['ben', 'ben', 0, 1800]);
    assert.equal(told(await seen('anna'), 'lock-owner'), 'ben');
    assert.equal((await lock('anna')).status, 423);
    const refused = await ocsLock('anna', 'PUT', id);
    assert.deepEqual([refused.status, refused.data['userId']], [423, 'ben']);
    assert.equal((await ocsLock('carl', 'DELETE', id)).status, 423);
    assert.equal((await ocsLock('ben', 'DELETE', id)).status, 200);
    assert.equal((await ocsLock('ben', 'DELETE', id)).status, 412);
    assert.equal((await ocsLock('ben', 'PUT', id, '&lockType=2')).data['type'], 2);
    assert.equal((await as('ben', 'PUT', FILE, { body: 'x' })).status, 423, 'without the token');
  });

  it('is refused for what is hidden, not to be changed, or not there', async () => {
    await as('anna', 'PUT', '/dav/hers.txt', { body: 'hers' });
    assert.equal((await ocsLock('ben', 'PUT', await idOf('/dav/hers.txt'))).status, 404);
    assert.equal((await ocsLock('ben', 'DELETE', await idOf('/dav/hers.txt'))).status, 404);
    assert.equal((await ocsLock('carl', 'PUT', await idOf())).status, 403);
    assert.equal((await ocsLock('ben', 'PUT', await idOf(), '&lockType=1')).status, 400);
    assert.equal((await ocsLock('ben', 'POST', await idOf())).status, 405);
    for (const id of ['0', '-1', 'x', '1/2', '999999999999999', '1e3', '']) {
      assert.equal((await ocsLock('ben', 'PUT', id)).status, 404, id);
    }
    assert.equal(told(await seen('anna'), 'lock'), '0');
  });

  it('is ended by an administrator who does not see the file, and by nobody else', async () => {
    const path = '/dav/bens.txt';
    await as('ben', 'PUT', path, { body: 'mine' });
    const id = await idOf(path, 'ben');
    await as('ben', 'LOCK', path, { body: INFO });
    assert.equal((await as('ben', 'PUT', path, { body: 'x' })).status, 423);
    assert.equal((await ocsLock('carl', 'DELETE', id)).status, 404);
    assert.equal((await ocsLock('anna', 'PUT', id)).status, 404);
    assert.equal((await ocsLock('anna', 'DELETE', id)).status, 200);
    const [end] = broken;
    assert.deepEqual([broken.length, end?.lock.holder, end?.by.user], [1, 'ben', 'anna']);
    assert.equal((await as('ben', 'PUT', path, { body: 'x' })).status, 204);
    assert.equal((await ocsLock('anna', 'DELETE', id)).status, 412);
  });
});
