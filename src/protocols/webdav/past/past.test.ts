import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { DavSite, FILES, START_MS } from '../testing/dav-site.ts';

const DAY_MS = 86_400_000;

/** `2026-11-21T12:00:00Z` */
function instant(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function asOf(moment: string | number, path = ''): string {
  const named = typeof moment === 'number' ? instant(moment) : moment;
  return `/remote.php/dav/as-of/${named}/anna/${path}`;
}

describe('The past over WebDAV', () => {
  let site: DavSite;
  before(async () => {
    site = await DavSite.open();
    await site.ask('MKCOL', `${FILES}/box`);
    await site.ask('PUT', `${FILES}/box/note.txt`, { body: 'the first words' });
    await site.ask('PUT', `${FILES}/box/a%20b.txt`, { body: 'x' });
    site.clock.advance(DAY_MS);
    await site.ask('PUT', `${FILES}/box/note.txt`, { body: 'others' });
    await site.ask('MOVE', `${FILES}/box`, { headers: { Destination: `${FILES}/crate` } });
    site.clock.advance(DAY_MS);
    await site.ask('DELETE', `${FILES}/crate`);
  });
  after(() => site.close());

  const list = async (path: string): Promise<string[]> => {
    const { status, text } = await site.ask('PROPFIND', path, { headers: { Depth: '1' } });
    assert.equal(status, 207, text);
    return [...text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href]) => href ?? '');
  };

  it('lists each folder as it was, under the address that was asked for', async () => {
    assert.deepEqual(await list(asOf(START_MS)), [asOf(START_MS), asOf(START_MS, 'box/')]);
    assert.deepEqual(await list(asOf(START_MS, 'box')), [
      asOf(START_MS, 'box/'), asOf(START_MS, 'box/a%20b.txt'), asOf(START_MS, 'box/note.txt'),
    ]);
    const later = START_MS + DAY_MS;
    assert.deepEqual(await list(asOf(later)), [asOf(later), asOf(later, 'crate/')]);
    assert.deepEqual(await list(asOf(later + DAY_MS)), [asOf(later + DAY_MS)]);
    assert.deepEqual(await list(asOf('rev-1')), [asOf('rev-1'), asOf('rev-1', 'box/')]);
    assert.deepEqual(await list(asOf('rev-0')), [asOf('rev-0')]);
  });

  it('hands out the bytes that were there, whole or a range, with an ETag that stays', async () => {
    const path = asOf(START_MS, 'box/note.txt');
    const whole = await site.ask('GET', path);
    assert.equal(whole.text, 'the first words');
    const { etag = '' } = whole.headers;
    const part = await site.ask('GET', path, { headers: { Range: 'bytes=4-8' } });
    assert.deepEqual([part.status, part.text], [206, 'first']);
    assert.equal(part.headers['content-range'], 'bytes 4-8/15');
    const head = await site.ask('HEAD', path);
    assert.deepEqual([head.status, head.headers['content-length'], head.headers.etag],
      [200, '15', etag]);
    const again = await site.ask('GET', path, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
    const other = await site.ask('GET', path, { headers: { 'If-Match': '"other"' } });
    assert.equal(other.status, 412);
    const newer = await site.ask('GET', asOf(START_MS + DAY_MS, 'crate/note.txt'));
    assert.equal(newer.text, 'others');
    assert.notEqual(newer.headers.etag, etag);
  });

  it('tells no size of a folder, and permission for reading alone', async () => {
    const body = '<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>'
      + '<oc:size/><oc:permissions/><d:getetag/></d:prop></d:propfind>';
    const ask = async (path: string): Promise<string> =>
      (await site.ask('PROPFIND', path, { headers: { Depth: '0' }, body })).text;
    const folder = await ask(asOf(START_MS, 'box'));
    assert.ok(!folder.includes('oc:size'));
    assert.match(folder, /<oc:permissions>G<\/oc:permissions>/);
    assert.equal(await ask(asOf(START_MS, 'box')), folder);
    assert.match(await ask(asOf(START_MS, 'box/note.txt')), /<oc:size>15<\/oc:size>/);
  });

  it('refuses whatever would change something, and says why', async () => {
    const methods = ['PUT', 'DELETE', 'MKCOL', 'MOVE', 'COPY', 'PROPPATCH', 'LOCK', 'PATCH'];
    for (const method of methods) {
      const answer = await site.ask(method, asOf(START_MS, 'box/note.txt'));
      assert.equal(answer.status, 403, method);
      assert.match(answer.text, /The past can be read and copied, not changed/);
      assert.equal(answer.headers.allow, 'OPTIONS, GET, HEAD, PROPFIND');
    }
    const { status, headers } = await site.ask('OPTIONS', asOf(START_MS));
    assert.deepEqual([status, headers['dav']], [200, '1, 3']);
  });

  it('says clearly when a moment cannot be shown', async () => {
    const answer = async (path: string): Promise<string> => {
      const { status, text } = await site.ask('PROPFIND', path, { headers: { Depth: '0' } });
      return `${status} ${/<s:message>(.*)<\/s:message>/.exec(text)?.[1]}`;
    };
    assert.match(await answer(asOf(START_MS + 9 * DAY_MS)), /^400 This moment has not come yet/);
    assert.match(await answer(asOf('rev-999')), /^400 This moment has not come yet/);
    assert.match(await answer(asOf(START_MS - DAY_MS)), /^404 At that moment there was nothing/);
    assert.match(await answer(asOf('yesterday')), /^400 The moment must be given in UTC/);
    assert.match(await answer(asOf('2026-02-30T00:00:00Z')), /^400 The moment must be given/);
    assert.match(await answer('/remote.php/dav/as-of/rev-1/ben/'), /^403 These files belong/);
    assert.match(await answer(asOf(START_MS, 'crate')), /^404 There was no file or folder/);
  });
});
