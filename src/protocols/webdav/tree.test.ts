import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { DavSite, FILES } from './testing/dav-site.ts';
import type { Answer, AskOptions } from './testing/dav-site.ts';

let site: DavSite;
beforeEach(async (context) => {
  site = await DavSite.open();
  if ('after' in context) context.after(() => site.close());
});

function ask(method: string, path: string, options?: AskOptions): Promise<Answer> {
  return site.ask(method, `${FILES}${path}`, options);
}

async function put(path: string, body: string): Promise<Answer> {
  const answer = await ask('PUT', path, { body });
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  return answer;
}

const to = (path: string, more: Record<string, string> = {}): AskOptions =>
  ({ headers: { Destination: `${FILES}${path}`, ...more } });

async function etagOf(path: string): Promise<string> {
  return String((await ask('HEAD', path)).headers.etag);
}

async function hrefs(path: string): Promise<string[]> {
  const { text } = await ask('PROPFIND', path, { headers: { depth: '1' } });
  return [...text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href = '']) => href);
}

describe('MKCOL', () => {
  it('makes a folder and tells its id; a second time it is there already', async () => {
    const made = await ask('MKCOL', '/dir');
    assert.equal(made.status, 201);
    assert.match(String(made.headers['oc-fileid']), /^[0-9]{8}hftest$/);
    assert.equal((await ask('MKCOL', '/dir')).status, 405);
    assert.equal((await ask('MKCOL', '/dir/')).status, 405);
    assert.equal((await ask('MKCOL', '/')).status, 405);
    await put('/file', 'x');
    assert.equal((await ask('MKCOL', '/file')).status, 405);
  });

  it('needs a parent and takes no body', async () => {
    assert.equal((await ask('MKCOL', '/no/dir')).status, 409);
    assert.equal((await ask('MKCOL', '/dir', { body: '<x/>' })).status, 415);
    assert.equal((await ask('MKCOL', '/dir', { body: 'x', chunked: true })).status, 415);
    assert.equal((await ask('HEAD', '/dir')).status, 404);
  });
});

describe('DELETE', () => {
  it('takes a file, or a folder with all in it', async () => {
    await ask('MKCOL', '/dir');
    await put('/dir/a', 'x');
    assert.equal((await ask('DELETE', '/dir/')).status, 204);
    assert.equal((await ask('GET', '/dir/a')).status, 404);
    assert.equal((await ask('DELETE', '/dir')).status, 404);
  });

  it('does not take the root, half a folder, or what is not as expected', async () => {
    await ask('MKCOL', '/dir');
    const { headers: { etag = '' } } = await put('/a', 'x');
    assert.equal((await ask('DELETE', '/')).status, 403);
    assert.equal((await ask('DELETE', '/dir', { headers: { Depth: '0' } })).status, 400);
    assert.equal((await ask('DELETE', '/dir', { headers: { Depth: '7' } })).status, 400);
    assert.equal((await ask('DELETE', '/a', { headers: { 'If-Match': '"x"' } })).status, 412);
    assert.equal((await ask('DELETE', '/a', { headers: { 'If-Match': etag } })).status, 204);
    assert.equal((await ask('HEAD', '/dir')).status, 200);
  });
});

describe('MOVE', () => {
  it('keeps the id and the ETag, and changes those of both parents', async () => {
    await ask('MKCOL', '/from');
    await ask('MKCOL', '/to');
    const { headers: { etag, 'oc-fileid': id } } = await put('/from/a', 'x');
    const before = [await etagOf('/'), await etagOf('/from'), await etagOf('/to')];
    const moved = await ask('MOVE', '/from/a', to('/to/b'));
    assert.equal(moved.status, 201);
    assert.equal(moved.headers.etag, etag);
    assert.equal(moved.headers['oc-fileid'], id);
    const after = [await etagOf('/'), await etagOf('/from'), await etagOf('/to')];
    for (const [index, old] of before.entries()) assert.notEqual(after[index], old);
    assert.equal((await ask('GET', '/from/a')).status, 404);
    assert.equal((await ask('GET', '/to/b')).text, 'x');
  });

  it('replaces only where it may', async () => {
    await put('/a', 'a');
    await put('/b', 'b');
    assert.equal((await ask('MOVE', '/a', to('/b', { Overwrite: 'F' }))).status, 412);
    assert.equal((await ask('MOVE', '/a', to('/b', { Overwrite: 'x' }))).status, 400);
    assert.equal((await ask('MOVE', '/a', to('/b', { 'If-Match': '"x"' }))).status, 412);
    assert.equal((await ask('GET', '/b')).text, 'b');
    assert.equal((await ask('MOVE', '/a', to('/b'))).status, 204);
    assert.equal((await ask('GET', '/b')).text, 'a');
  });

  it('takes the destination as a path or an address, under any root', async () => {
    await put('/a', 'x');
    const { url } = site.server;
    const destinations = ['/dav/b', `${url}/remote.php/webdav/c`, `${url}${FILES}/a%20%C3%A4`];
    let from = '/a';
    for (const Destination of destinations) {
      const { status } = await ask('MOVE', from, { headers: { Destination } });
      assert.equal(status, 201, Destination);
      from = `/${Destination.split('/').at(-1) ?? ''}`;
    }
    assert.equal((await ask('GET', '/a%20%C3%A4')).text, 'x');
  });

  it('refuses other servers, other users, itself, no parent and no destination', async () => {
    await ask('MKCOL', '/dir');
    await put('/dir/a', 'x');
    const refusals: [string, string | undefined, number][] = [
      ['/dir', 'http://other.example/dav/x', 502], ['/dir', '/remote.php/dav/files/bob/x', 403],
      ['/dir', `${FILES}/dir`, 403], ['/dir', `${FILES}/dir/sub`, 403],
      ['/dir/a', `${FILES}/no/a`, 409], ['/dir/a', undefined, 400], ['/dir/a', '/dav/%', 400],
      ['/dir/a', '/elsewhere', 403], ['/dir/a', '/dav/..', 400], ['/no', `${FILES}/x`, 404],
      ['/', `${FILES}/x`, 403], ['/dir', FILES, 403], ['/dir/a', `${FILES}/dir/a/b`, 409],
    ];
    for (const [from, Destination, status] of refusals) {
      const headers = Destination === undefined ? {} : { Destination };
      const answer = await ask('MOVE', from, { headers });
      assert.equal(answer.status, status, `${from} to ${Destination}: ${answer.text}`);
    }
    assert.equal((await ask('GET', '/dir/a')).text, 'x');
  });

  it('sets the time of the file that it moves', async () => {
    await put('/a', 'x');
    const moved = await ask('MOVE', '/a', to('/b', { 'X-OC-Mtime': '1700000000' }));
    assert.equal(moved.headers['x-oc-mtime'], 'accepted');
    const { headers } = await ask('HEAD', '/b');
    assert.equal(headers['last-modified'], 'Tue, 14 Nov 2023 22:13:20 GMT');
    assert.equal(headers.etag, moved.headers.etag);
  });
});

describe('COPY', () => {
  beforeEach(async () => {
    await ask('MKCOL', '/dir');
    await ask('MKCOL', '/dir/sub');
    await put('/dir/sub/a', 'x');
  });

  it('brings a folder with all or with none of its members', async () => {
    assert.equal((await ask('COPY', '/dir', to('/all'))).status, 201);
    assert.equal((await ask('GET', '/all/sub/a')).text, 'x');
    assert.equal((await ask('COPY', '/dir', to('/none', { Depth: '0' }))).status, 201);
    assert.equal((await hrefs('/none')).length, 1);
    assert.equal((await ask('COPY', '/dir', to('/one', { Depth: '1' }))).status, 400);
  });

  it('makes another file, with another id', async () => {
    const copied = await ask('COPY', '/dir/sub/a', to('/b'));
    assert.equal(copied.status, 201);
    const { headers } = await ask('HEAD', '/dir/sub/a');
    assert.notEqual(copied.headers['oc-fileid'], headers['oc-fileid']);
    await put('/b', 'changed');
    assert.equal((await ask('GET', '/dir/sub/a')).text, 'x');
  });

  it('replaces only where it may, and never itself', async () => {
    await put('/b', 'b');
    assert.equal((await ask('COPY', '/dir', to('/b', { Overwrite: 'F' }))).status, 412);
    assert.equal((await ask('GET', '/b')).text, 'b');
    assert.equal((await ask('COPY', '/dir', to('/b'))).status, 204);
    assert.equal((await ask('GET', '/b/sub/a')).text, 'x');
    assert.equal((await ask('COPY', '/dir', to('/dir'))).status, 403);
    assert.equal((await ask('COPY', '/dir', to('/no/dir'))).status, 409);
  });
});

describe('the tree', () => {
  it('is the same under every root, and named by the root of the request', async () => {
    await put('/a', 'x');
    for (const root of [`${FILES}/`, '/remote.php/webdav/', '/dav/']) {
      const { text } = await site.ask('PROPFIND', root, { headers: { depth: '1' } });
      const found = [...text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href]) => href);
      assert.deepEqual(found, [root, `${root}a`]);
      assert.equal((await site.ask('HEAD', `${root}a`)).headers.etag, await etagOf('/a'));
    }
  });

  it('can be entered from above, by clients that walk down to it', async () => {
    for (const path of ['/remote.php/dav/files', '/remote.php/dav/files/']) {
      const { status, text } = await site.ask('PROPFIND', path, { headers: { depth: '1' } });
      assert.equal(status, 207);
      assert.ok(text.includes(`<d:href>${FILES}/</d:href>`));
      assert.equal((await site.ask('GET', path)).status, 405);
    }
  });
});
