/** Earlier versions of files as clients see them. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CloudSite, PASSWORD } from '../testing/cloud-site.ts';
import type { Answer, AskOptions } from '../testing/cloud-site.ts';

let site: CloudSite;
let fileId: string;

beforeEach(async (context) => {
  site = await CloudSite.open();
  if ('after' in context) context.after(() => site.close());
  await site.ask('MKCOL', '/dav/box');
  for (const body of ['one', 'second', 'number three']) {
    const answer = await site.ask('PUT', '/dav/box/f.txt', { body });
    fileId = String(Number.parseInt(String(answer.headers['oc-fileid']), 10));
    if (body !== 'one') site.clock.advance(60_000);
  }
});

function as(user: string, method: string, path: string, options: AskOptions = {}): Promise<Answer> {
  return site.ask(method, path, { ...options, auth: `${user}:${PASSWORD}` });
}

function share(whom: string, permissions: number): Promise<Answer> {
  return site.ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', {
    body: `path=/box&shareType=0&shareWith=${whom}&permissions=${permissions}`,
    headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
  });
}

const folderOf = (user: string): string => `/remote.php/dav/versions/${user}/versions/${fileId}`;

async function versions(user: string): Promise<{ href: string; size: number; at: string }[]> {
  const { status, text } = await as(user, 'PROPFIND', folderOf(user), { headers: { Depth: '1' } });
  assert.equal(status, 207, text);
  return text.split('<d:response>').slice(2).map((one) => ({
    href: /<d:href>([^<]+)</.exec(one)?.[1] ?? '',
    size: Number(/<d:getcontentlength>(\d+)</.exec(one)?.[1]),
    at: /<d:getlastmodified>([^<]+)</.exec(one)?.[1] ?? '',
  }));
}

function restore(user: string, href: string): Promise<Answer> {
  const Destination = `/remote.php/dav/versions/${user}/restore/target`;
  return as(user, 'MOVE', href, { headers: { Destination } });
}

describe('Versions', () => {
  it('are listed newest first, each named by a second of its own, but the present', async () => {
    const found = await versions('anna');
    assert.deepEqual(found.map(({ size }) => size), [6, 3]);
    const seconds = found.map(({ href }) => Number(href.split('/').at(-1)));
    assert.deepEqual(seconds.map((each) => new Date(each * 1000).toUTCString()),
      found.map(({ at }) => at));
    assert.equal(seconds[0], (seconds[1] ?? 0) + 1, 'both were saved within one second');
  });

  it('can be read, in part too, and are never run as a page', async () => {
    const [newer, older] = await versions('anna');
    assert.equal((await as('anna', 'GET', older?.href ?? '')).text, 'one');
    const part = await as('anna', 'GET', newer?.href ?? '', { headers: { Range: 'bytes=2-4' } });
    assert.deepEqual([part.status, part.text], [206, 'con']);
    assert.match(String(part.headers['content-security-policy']), /sandbox/);
    const known = { headers: { 'If-None-Match': String(part.headers.etag) } };
    assert.equal((await as('anna', 'GET', newer?.href ?? '', known)).status, 304);
    assert.equal((await as('anna', 'GET', `${folderOf('anna')}/1`)).status, 404);
  });

  it('become the content by MOVE into restore, and the present one a version', async () => {
    const [, older] = await versions('anna');
    const headers = { Destination: '/dav/x' };
    const away = await as('anna', 'MOVE', older?.href ?? '', { headers });
    assert.equal(away.status, 403);
    assert.equal((await restore('anna', older?.href ?? '')).status, 201);
    assert.equal((await as('anna', 'GET', '/dav/box/f.txt')).text, 'one');
    assert.deepEqual((await versions('anna')).map(({ size }) => size), [12, 6, 3]);
  });

  it('are for who could read the file, and come back for who may change it', async () => {
    await site.identity.users.add({ id: 'carl', password: PASSWORD });
    await share('ben', 15);
    await share('carl', 1);
    const [, first] = await versions('anna');
    const before = (first?.href ?? '').replace('/anna/', '/carl/');
    assert.deepEqual(await versions('carl'), [], 'none from before the share');
    assert.equal((await as('carl', 'GET', before)).status, 404);
    assert.equal((await restore('ben', before.replace('/carl/', '/ben/'))).status, 404);
    site.clock.advance(60_000);
    await site.ask('PUT', '/dav/box/f.txt', { body: 'last' });
    const found = await versions('carl');
    assert.deepEqual(found.map(({ size }) => size), ['number three'.length]);
    const [newer] = found;
    assert.equal((await as('carl', 'GET', newer?.href ?? '')).text, 'number three');
    assert.equal((await restore('carl', newer?.href ?? '')).status, 403);
    const [bens] = await versions('ben');
    assert.equal((await restore('ben', bens?.href ?? '')).status, 201);
    assert.equal((await as('anna', 'GET', '/dav/box/f.txt')).text, 'number three');
    await site.identity.users.add({ id: 'dora', password: PASSWORD });
    const headers = { Depth: '1' };
    assert.equal((await as('dora', 'PROPFIND', folderOf('dora'), { headers })).status, 404);
    assert.equal((await as('dora', 'PROPFIND', folderOf('anna'), { headers })).status, 403);
  });

  it('can be neither written nor deleted one by one', async () => {
    const [newer] = await versions('anna');
    for (const method of ['PUT', 'DELETE', 'PROPPATCH']) {
      assert.equal((await as('anna', method, newer?.href ?? '')).status, 405, method);
    }
  });
});
