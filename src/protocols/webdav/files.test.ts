import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { DavSite, FILES, START_MS } from './testing/dav-site.ts';
import type { Answer, AskOptions } from './testing/dav-site.ts';

const MIB = 1024 * 1024;
const sha1 = (bytes: string | Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

let site: DavSite;
let full: DavSite;
before(async () => {
  full = await DavSite.open({ quotaBytes: 10 });
});
after(() => full.close());
beforeEach(async (context) => {
  site = await DavSite.open();
  if ('after' in context) context.after(() => site.close());
});

function ask(method: string, path: string, options?: AskOptions): Promise<Answer> {
  return site.ask(method, `${FILES}${path}`, options);
}

async function isNothingThere(): Promise<boolean> {
  const { text } = await ask('PROPFIND', '/', { headers: { depth: '1' } });
  return text.split('<d:response>').length === 2;
}

describe('PUT', () => {
  it('creates with 201 and replaces with 204, and tells what was stored', async () => {
    const first = await ask('PUT', '/a.txt', { body: 'one' });
    assert.equal(first.status, 201);
    assert.equal(first.headers['content-length'], '0');
    const second = await ask('PUT', '/a.txt', { body: 'two' });
    assert.equal(second.status, 204);
    for (const { headers } of [first, second]) {
      assert.match(String(headers.etag), /^"[^"]+"$/);
      assert.equal(headers['oc-etag'], headers.etag);
      assert.match(String(headers['oc-fileid']), /^[0-9]{8}hftest$/);
      assert.equal(headers['last-modified'], new Date(START_MS).toUTCString());
      assert.equal(headers['x-oc-mtime'], undefined);
    }
    assert.equal(first.headers['oc-fileid'], second.headers['oc-fileid']);
    assert.notEqual(first.headers.etag, second.headers.etag);
    assert.equal((await ask('GET', '/a.txt')).text, 'two');
  });

  it('stores nothing, a little and a lot, with and without a length', async () => {
    for (const size of [0, 1, 70_000, 5 * MIB + 1]) {
      for (const chunked of [false, true]) {
        const body = randomBytes(size);
        const { status } = await ask('PUT', `/${size}-${String(chunked)}`, { body, chunked });
        assert.equal(status, 201);
        const answer = await ask('GET', `/${size}-${String(chunked)}`);
        assert.ok(answer.bytes.equals(body));
        assert.equal(answer.headers['content-length'], String(size));
      }
    }
  });

  it('keeps the times that the client gives, and says so', async () => {
    const headers = { 'X-OC-Mtime': '1700000000', 'X-OC-CTime': '1600000000' };
    const put = await ask('PUT', '/a', { body: 'x', headers });
    assert.equal(put.headers['x-oc-mtime'], 'accepted');
    const { headers: got } = await ask('HEAD', '/a');
    assert.equal(got['last-modified'], 'Tue, 14 Nov 2023 22:13:20 GMT');
    const bad = await ask('PUT', '/b', { body: 'x', headers: { 'X-OC-Mtime': 'yesterday' } });
    assert.equal(bad.status, 400);
    assert.equal((await ask('GET', '/b')).status, 404);
  });

  it('verifies a checksum, keeps it, and refuses other bytes', async () => {
    const good = { 'OC-Checksum': `SHA1:${sha1('hello')}` };
    assert.equal((await ask('PUT', '/a', { body: 'hello', headers: good })).status, 201);
    assert.equal((await ask('GET', '/a')).headers['oc-checksum'], `SHA1:${sha1('hello')}`);
    const wrong = await ask('PUT', '/b', { body: 'hellO', headers: good });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /<s:exception>Sabre\\DAV\\Exception\\BadRequest</);
    assert.equal((await ask('GET', '/b')).status, 404);
    for (const raw of ['SHA1:zz', 'SHA1:', 'nonsense', 'SHA1:aa']) {
      const { status } = await ask('PUT', '/c', { body: 'x', headers: { 'OC-Checksum': raw } });
      assert.equal(status, 400, raw);
    }
    const unknown = { 'OC-Checksum': 'Adler32:deadbeef' };
    assert.equal((await ask('PUT', '/d', { body: 'x', headers: unknown })).status, 201);
    assert.equal((await ask('GET', '/d')).headers['oc-checksum'], undefined);
  });

  it('obeys If-Match and If-None-Match', async () => {
    const { headers: { etag = '' } } = await ask('PUT', '/a', { body: '1' });
    const attempts: [Record<string, string>, string, number][] = [
      [{ 'If-None-Match': '*' }, '/a', 412], [{ 'If-None-Match': etag }, '/a', 412],
      [{ 'If-Match': '"other"' }, '/a', 412], [{ 'If-Match': '*' }, '/new', 412],
      [{ 'If-Match': etag }, '/new', 412], [{ 'If-Match': `W/${etag}` }, '/a', 412],
      [{ 'If-Unmodified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT' }, '/a', 412],
      [{ 'If-None-Match': '*' }, '/b', 201], [{ 'If-Match': `"x", ${etag}` }, '/a', 204],
      [{ 'If-Match': '*' }, '/a', 204], [{ 'If-Match': etag }, '/a', 412],
    ];
    for (const [headers, path, status] of attempts) {
      const answer = await ask('PUT', path, { body: '2', headers });
      assert.equal(answer.status, status, JSON.stringify([headers, path]));
    }
    assert.equal((await ask('GET', '/new')).status, 404);
  });

  it('obeys an If header that speaks of this file, of another, or by any root', async () => {
    const { headers: { etag } } = await ask('PUT', '/a', { body: '1' });
    const origin = site.server.url;
    const attempts: [string, number][] = [
      [`([${etag}])`, 204], [`([${etag}])`, 412], ['(Not ["x"])', 204], ['(["x"])', 412],
      ['(<opaquelocktoken:none>)', 412], ['(Not <DAV:no-lock>)', 204],
      [`<${FILES}/a> (["x"])`, 412], ['</dav/a> (Not ["x"])', 204],
      [`<${origin}/remote.php/webdav/a> (Not ["x"])`, 204],
      ['<http://other.example/dav/a> (Not ["x"])', 204], ['<http://other.example/a> (["x"])', 412],
      ['</remote.php/dav/files/bob/a> (["x"])', 412], ['(["x"]) (Not ["x"])', 204],
      ['(Not ["x"] <DAV:no-lock>)', 412], ['([x])', 400], ['', 400], ['</dav/%> (["x"])', 400],
    ];
    for (const [header, status] of attempts) {
      const answer = await ask('PUT', '/a', { body: '2', headers: { If: header } });
      assert.equal(answer.status, status, header);
    }
    const many = Array.from({ length: 60 }, (_, n) => `</dav/${n}> (["x"])`).join(' ');
    assert.equal((await ask('PUT', '/a', { body: '2', headers: { If: many } })).status, 413);
  });

  it('refuses what cannot be: a part, a missing parent, a folder, the root', async () => {
    await ask('MKCOL', '/dir');
    const part = { 'Content-Range': 'bytes 0-0/1' };
    assert.equal((await ask('PUT', '/a', { body: 'x', headers: part })).status, 400);
    assert.equal((await ask('PUT', '/no/a', { body: 'x' })).status, 409);
    assert.equal((await ask('PUT', '/dir', { body: 'x' })).status, 405);
    assert.equal((await ask('PUT', '/', { body: 'x' })).status, 403);
    assert.equal((await ask('PUT', '/a', { body: 'x' })).status, 201);
    assert.equal((await ask('PUT', '/a/b', { body: 'x' })).status, 409);
  });

  it('refuses what does not fit, with and without a length', async () => {
    for (const chunked of [false, true]) {
      const answer = await full.ask('PUT', '/dav/a', { body: 'x'.repeat(11), chunked });
      assert.ok(answer.status === 507 || answer.status === 413, String(answer.status));
    }
    assert.equal((await full.ask('GET', '/dav/a')).status, 404);
    assert.equal((await full.ask('PUT', '/dav/a', { body: 'x'.repeat(10) })).status, 201);
    assert.match((await full.ask('PUT', '/dav/b', { body: 'x' })).text, /InsufficientStorage/);
  });
});

describe('names', () => {
  it('come back byte for byte, whatever they hold', async () => {
    const names = [
      'ä', 'a\u0308', '😀', 'a+b', 'a b', '%41', '100%', '#?', "[x]&';=,@+", '"<&>"', '\n\t',
      '\u0001', '...', '-', '__proto__', '\ufffe', 'è'.repeat(127),
    ];
    // The composed and the decomposed spelling clash in one folder, so each has its own.
    for (const [index, name] of names.entries()) {
      const folder = `/${index}`;
      const path = `${folder}/${encodeURIComponent(name)}`;
      await ask('MKCOL', folder);
      assert.equal((await ask('PUT', path, { body: name })).status, 201, JSON.stringify(name));
      assert.equal((await ask('GET', path)).text, name);
      const { status, text } = await ask('PROPFIND', folder, { headers: { depth: '1' } });
      assert.equal(status, 207);
      const hrefs = [...text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href = '']) => href);
      assert.equal(decodeURIComponent(hrefs[1] ?? ''), `${FILES}${folder}/${name}`);
    }
  });

  it('that lead elsewhere are refused', async () => {
    for (const path of ['/..', '/a/../../b', '/%2e%2e/x', '/a%2f..%2fb', '/a%00', '/%', '/%ff']) {
      for (const method of ['GET', 'PUT', 'DELETE', 'MKCOL']) {
        const { status } = await ask(method, path);
        assert.equal(status, 400, `${method} ${path}`);
      }
    }
    assert.equal((await site.ask('GET', '/remote.php/dav/files/bob/a')).status, 403);
  });
});

describe('GET and HEAD', () => {
  const body = randomBytes(3 * MIB + 5);
  let etag = '';
  beforeEach(async () => {
    ({ headers: { etag = '' } } = await ask('PUT', '/a.html', { body }));
  });

  it('answer the same headers, and only GET the bytes', async () => {
    const get = await ask('GET', '/a.html');
    const head = await ask('HEAD', '/a.html');
    assert.ok(get.bytes.equals(body));
    assert.equal(head.bytes.length, 0);
    for (const answer of [get, head]) {
      assert.equal(answer.status, 200);
      const { headers } = answer;
      assert.equal(headers.etag, etag);
      assert.equal(headers['oc-etag'], etag);
      assert.equal(headers['content-length'], String(body.length));
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers['content-type'], 'text/html');
      assert.match(String(headers['oc-fileid']), /^[0-9]{8}hftest$/);
      // A browser must not run it as a page of ours.
      assert.match(String(headers['content-security-policy']), /sandbox/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['content-disposition'], 'attachment');
    }
  });

  it('answer one range, and the whole where several or none are named', async () => {
    const ranges: [string, number, number, number][] = [
      ['bytes=0-0', 206, 0, 1], ['bytes=5-', 206, 5, body.length],
      ['bytes=-7', 206, body.length - 7, body.length],
      [`bytes=${MIB - 1}-${2 * MIB}`, 206, MIB - 1, 2 * MIB + 1],
      ['bytes=0-1,3-4', 200, 0, body.length], ['lines=1', 200, 0, body.length],
    ];
    for (const [range, status, from, to] of ranges) {
      const answer = await ask('GET', '/a.html', { headers: { Range: range } });
      assert.equal(answer.status, status, range);
      assert.ok(answer.bytes.equals(body.subarray(from, to)), range);
      const wanted = status === 206 ? `bytes ${from}-${to - 1}/${body.length}` : undefined;
      assert.equal(answer.headers['content-range'], wanted);
    }
    const outside = await ask('GET', '/a.html', { headers: { Range: `bytes=${body.length}-` } });
    assert.equal(outside.status, 416);
    assert.equal(outside.headers['content-range'], `bytes */${body.length}`);
  });

  it('answer a range only of the file that the client knows', async () => {
    const range = { Range: 'bytes=0-4' };
    const known: [string, number][] = [
      [etag, 206], [new Date(START_MS).toUTCString(), 206], ['"other"', 200], [`W/${etag}`, 200],
      ['Sat, 01 Jan 2000 00:00:00 GMT', 200],
    ];
    for (const [ifRange, status] of known) {
      const headers = { ...range, 'If-Range': ifRange };
      assert.equal((await ask('GET', '/a.html', { headers })).status, status, ifRange);
    }
  });

  it('do not send a whole file\'s checksum with a part of it', async () => {
    const headers = { 'OC-Checksum': `SHA1:${sha1('hello')}` };
    await ask('PUT', '/c', { body: 'hello', headers });
    const part = await ask('GET', '/c', { headers: { Range: 'bytes=0-1' } });
    assert.equal(part.headers['oc-checksum'], undefined);
    assert.equal(part.text, 'he');
  });

  it('answer 304 to what is unchanged, and 412 to what was to be otherwise', async () => {
    const old = 'Sat, 01 Jan 2000 00:00:00 GMT';
    const now = new Date(START_MS).toUTCString();
    const known: [Record<string, string>, number][] = [
      [{ 'If-None-Match': etag }, 304], [{ 'If-None-Match': `W/${etag}` }, 304],
      [{ 'If-None-Match': '*' }, 304], [{ 'If-None-Match': '"x"' }, 200],
      [{ 'If-None-Match': '"x"', 'If-Modified-Since': now }, 200],
      [{ 'If-Modified-Since': now }, 304], [{ 'If-Modified-Since': old }, 200],
      [{ 'If-Modified-Since': 'x' }, 200], [{ 'If-Match': etag }, 200],
      [{ 'If-Match': '"x"' }, 412],
      [{ 'If-Unmodified-Since': old }, 412], [{ 'If-Unmodified-Since': now }, 200],
      [{ If: '(["x"])' }, 412], [{ If: `([${etag}])` }, 200],
      [{ 'If-Match': etag, 'If-None-Match': etag }, 304],
    ];
    for (const [headers, status] of known) {
      const answer = await ask('GET', '/a.html', { headers });
      assert.equal(answer.status, status, JSON.stringify(headers));
      if (status === 304) assert.equal(answer.headers.etag, etag);
    }
  });

  it('of an empty file answer nothing, also when a range is asked for', async () => {
    await ask('PUT', '/empty', { body: '' });
    const { status, bytes } = await ask('GET', '/empty', { headers: { Range: 'bytes=0-' } });
    assert.equal(status, 200);
    assert.equal(bytes.length, 0);
  });

  it('of a folder point to a client; of nothing are 404', async () => {
    await ask('MKCOL', '/dir');
    assert.match((await ask('GET', '/dir')).text, /WebDAV/);
    assert.equal((await ask('HEAD', '/dir/')).status, 200);
    const missing = await ask('GET', '/missing');
    assert.equal(missing.status, 404);
    assert.match(missing.text, /<s:exception>Sabre\\DAV\\Exception\\NotFound</);
    assert.equal((await ask('GET', '/a.html/x')).status, 404);
  });
});

describe('PATCH', () => {
  it('tells the checksum of what is stored', async () => {
    await ask('PUT', '/a', { body: 'hello' });
    const answer = await ask('PATCH', '/a', { headers: { 'X-Recalculate-Hash': 'SHA1' } });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['oc-checksum'], `SHA1:${sha1('hello')}`);
    assert.equal((await ask('GET', '/a')).headers['oc-checksum'], `SHA1:${sha1('hello')}`);
  });

  it('of another kind is refused', async () => {
    await ask('PUT', '/a', { body: 'hello' });
    assert.equal((await ask('PATCH', '/a')).status, 405);
    const unknown = { 'X-Recalculate-Hash': 'CRC' };
    assert.equal((await ask('PATCH', '/a', { headers: unknown })).status, 400);
    const missing = { 'X-Recalculate-Hash': 'SHA1' };
    assert.equal((await ask('PATCH', '/b', { headers: missing })).status, 404);
  });
});

it('an upload that failed leaves nothing in the listing', async () => {
  await ask('PUT', '/a', { body: 'x', headers: { 'OC-Checksum': `SHA1:${sha1('y')}` } });
  assert.ok(await isNothingThere());
  await ask('PUT', '/a', { body: 'x' });
  assert.ok(!(await isNothingThere()));
});
