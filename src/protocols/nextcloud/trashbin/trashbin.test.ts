/** The trash as clients see it. Anna shares a folder with Ben, who may edit. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parsePath } from '../../../base/names.ts';
import { bodyOf } from '../../../files/index.ts';
import { CloudSite, PASSWORD } from '../testing/cloud-site.ts';
import type { Answer, AskOptions } from '../testing/cloud-site.ts';

let site: CloudSite;

beforeEach(async (context) => {
  site = await CloudSite.open();
  if ('after' in context) context.after(() => site.close());
  await site.ask('MKCOL', '/dav/box');
  await site.ask('MKCOL', '/dav/box/inner');
  await site.ask('PUT', '/dav/box/inner/a%26b.txt', { body: 'first' });
  await site.ask('PUT', '/dav/note.txt', { body: 'note' });
  const shared = await site.ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', {
    body: 'path=/box&shareType=0&shareWith=ben&permissions=15',
    headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(shared.status, 200, shared.text);
});

function as(user: string, method: string, path: string, options: AskOptions = {}): Promise<Answer> {
  return site.ask(method, path, { ...options, auth: `${user}:${PASSWORD}` });
}

const trashOf = (user: string): string => `/remote.php/dav/trashbin/${user}/trash`;

async function list(user: string, path = `${trashOf(user)}/`, depth = '1'): Promise<Answer> {
  const answer = await as(user, 'PROPFIND', path, { headers: { Depth: depth } });
  assert.equal(answer.status, 207, answer.text);
  return answer;
}

/** Addresses of the entries, newest first. */
async function entries(user: string, path?: string): Promise<string[]> {
  const { text } = await list(user, path);
  return [...text.matchAll(/<d:href>([^<]+)<\/d:href>/g)].slice(1).map(([, href = '']) => href);
}

function restore(user: string, entry: string): Promise<Answer> {
  const Destination = `/remote.php/dav/trashbin/${user}/restore/some-name`;
  return as(user, 'MOVE', entry, { headers: { Destination } });
}

describe('The trash', () => {
  it('tells of each entry its name, where it was, and who deleted it when', async () => {
    await as('anna', 'DELETE', '/dav/box/inner/a%26b.txt');
    const [href = ''] = await entries('anna');
    assert.match(href, /^\/remote\.php\/dav\/trashbin\/anna\/trash\/a%26b\.txt\.d\d+-\d+-\d+-\d+$/);
    const { text } = await list('anna');
    const seconds = String(site.clock.now() / 1000);
    for (const [name, value] of [
      ['nc:trashbin-filename', 'a&amp;b.txt'],
      ['nc:trashbin-original-location', 'box/inner/a&amp;b.txt'],
      ['nc:trashbin-deletion-time', seconds], ['nc:trashbin-deleted-by-id', 'anna'],
      ['oc:size', '5'], ['oc:permissions', 'GD'], ['d:getcontenttype', 'text/plain'],
    ] as const) {
      const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
      assert.equal(found?.replace(/;.*charset.*/, ''), value, name);
    }
    assert.match(text, /<oc:fileid>\d+</);
    assert.match(text, /<d:getetag>"[^"]+"</);
    const alone = await list('anna', href, '0');
    assert.match(alone.text, /trashbin-filename>a&amp;b.txt</);
    assert.equal((await as('anna', 'GET', href)).text, 'first');
    assert.equal((await as('anna', 'GET', href, { headers: { Range: 'bytes=1-2' } })).text, 'ir');
  });

  it('answers what was asked for, and 404 for what an entry has not', async () => {
    await as('anna', 'DELETE', '/dav/box');
    const body = '<propfind xmlns="DAV:"><prop><getcontentlength/><resourcetype/>'
      + '<trashbin-filename xmlns="http://nextcloud.org/ns"/></prop></propfind>';
    const headers = { Depth: '1' };
    const { text } = await as('anna', 'PROPFIND', trashOf('anna'), { body, headers });
    assert.match(text, /<nc:trashbin-filename>box<\/nc:trashbin-filename>/);
    assert.match(text, /<d:getcontentlength\/>(<[^>]+>)*<\/d:prop><d:status>HTTP\/1.1 404/);
    const home = await list('anna', '/remote.php/dav/trashbin/anna');
    assert.match(home.text, /anna\/trash\/<.*anna\/restore\/</);
    const endless = await as('anna', 'PROPFIND', trashOf('anna'));
    assert.equal(endless.status, 403);
  });

  it('shows what a deleted folder held, read-only', async () => {
    await as('anna', 'DELETE', '/dav/box');
    const [box = ''] = await entries('anna');
    const [inner = ''] = await entries('anna', box);
    assert.match(inner, /\/inner\/$/);
    const [file = ''] = await entries('anna', inner);
    assert.equal((await as('anna', 'GET', file)).text, 'first');
    assert.equal((await as('anna', 'DELETE', file)).status, 403);
    assert.equal((await as('anna', 'PUT', file, { body: 'x' })).status, 405);
    assert.equal((await restore('anna', file)).status, 403);
    assert.equal((await as('anna', 'GET', `${box}none`)).status, 404);
  });

  it('gives things back by MOVE into restore, under another name where one is taken', async () => {
    await as('anna', 'DELETE', '/dav/note.txt');
    await as('anna', 'PUT', '/dav/note.txt', { body: 'newer' });
    await as('anna', 'DELETE', '/dav/box');
    const [box = '', note = ''] = await entries('anna');
    const refused = await as('anna', 'MOVE', box, { headers: { Destination: '/dav/back' } });
    assert.equal(refused.status, 403);
    const back = await restore('anna', box);
    assert.deepEqual([back.status, back.headers['oc-fileid'] !== undefined], [201, true]);
    assert.equal((await as('anna', 'GET', '/dav/box/inner/a%26b.txt')).text, 'first');
    assert.equal((await restore('anna', note)).status, 201);
    assert.equal((await as('anna', 'GET', '/dav/note.txt')).text, 'newer');
    const other = '/dav/note%20(restored%202026-11-21).txt';
    assert.equal((await as('anna', 'GET', other)).text, 'note');
    assert.deepEqual(await entries('anna'), []);
    assert.equal((await restore('anna', note)).status, 404);
  });

  it('loses for good what is deleted from it, one or all', async () => {
    await as('anna', 'DELETE', '/dav/note.txt');
    await as('anna', 'DELETE', '/dav/box/inner/a%26b.txt');
    await as('anna', 'DELETE', '/dav/box');
    const [box = '', file = ''] = await entries('anna');
    assert.equal((await as('anna', 'DELETE', box)).status, 204);
    assert.equal((await as('anna', 'DELETE', box)).status, 404);
    assert.equal((await restore('anna', box)).status, 404);
    assert.equal((await entries('anna')).length, 2);
    assert.equal((await as('anna', 'DELETE', trashOf('anna'))).status, 204);
    assert.deepEqual(await entries('anna'), []);
    assert.equal((await as('anna', 'GET', file)).status, 404);
    assert.equal((await as('anna', 'DELETE', trashOf('anna'))).status, 204);
  });

  it('of a shared folder is its owner\'s, and who removed something can give it back', async () => {
    await as('ben', 'PUT', '/dav/box/bens.txt', { body: 'ben' });
    await as('anna', 'PUT', '/dav/box/annas.txt', { body: 'anna' });
    await as('ben', 'DELETE', '/dav/box/inner');
    await as('anna', 'DELETE', '/dav/box/annas.txt');
    assert.equal((await entries('anna')).length, 2);
    const [inner = '', ...others] = await entries('ben');
    assert.match(inner, /\/ben\/trash\/inner\./);
    assert.deepEqual(others, []);
    assert.match((await list('ben')).text, /<oc:permissions>G</);
    assert.equal((await as('ben', 'DELETE', inner)).status, 403);
    assert.equal((await as('ben', 'PROPFIND', inner, { headers: { Depth: '1' } })).status, 403);
    await as('ben', 'DELETE', trashOf('ben'));
    assert.equal((await entries('anna')).length, 2, 'emptying one\'s own trash takes nothing else');
    assert.equal((await restore('ben', inner)).status, 201);
    assert.equal((await as('anna', 'GET', '/dav/box/inner/a%26b.txt')).text, 'first');
    const [annas = ''] = await entries('anna');
    const asBen = annas.replace('/anna/', '/ben/');
    assert.equal((await as('ben', 'DELETE', asBen)).status, 404);
    assert.equal((await restore('ben', asBen)).status, 404);
  });

  it('is nobody else\'s, and holds nothing at other addresses', async () => {
    await as('anna', 'DELETE', '/dav/note.txt');
    const headers = { Depth: '1' };
    assert.equal((await as('ben', 'PROPFIND', trashOf('anna'), { headers })).status, 403);
    const [note = ''] = await entries('anna');
    assert.equal((await as('ben', 'GET', note.replace('/anna/', '/ben/'))).status, 404);
    for (const path of ['trash/none', 'else', 'trash/x.d1-1-1-999999', 'trash/x.d1-99-1-1']) {
      const address = `/remote.php/dav/trashbin/anna/${path}`;
      const answer = await as('anna', 'PROPFIND', address, { headers });
      assert.equal(answer.status, 404, path);
    }
  });

  it('is listed whole over many pages', async () => {
    const caller = await site.identity.authenticateBasic({
      user: 'anna', password: PASSWORD, address: '127.0.0.1',
    });
    for (let number = 0; number < 450; number += 1) {
      const path = parsePath([`f${number}`]);
      await site.files.upload(caller, path, bodyOf(Buffer.from('x')));
      await site.files.remove(caller, path);
    }
    const all = await entries('anna');
    assert.equal(new Set(all).size, 450);
    assert.match(all[0] ?? '', /\/f449\./);
  });
});
