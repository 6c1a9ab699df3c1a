/**
 * People who want more than they were given, against the real server: out of a share, into one,
 * through links, by addresses and headers of all kinds. What matters after each attack is what the
 * victim still has and what the attacker has got.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { run } from '../support/command.ts';
import { ask, basic } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import type { Answer, Ask, DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const ROOT = '/remote.php/dav/files';
const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';
const ACCESS = '/ocs/v2.php/apps/holdfast/api/v1';
const OCS = { 'OCS-APIRequest': 'true' };
const LOCK = '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
  + '<d:locktype><d:write/></d:locktype></d:lockinfo>';
const SECRET = 'the secret of anna';

interface Ocs {
  ocs: { meta: { statuscode: number; message: string }; data: Record<string, unknown> };
}

interface MadeShare {
  id: string;
  token: string;
}

describe('whoever wants more than was shared', { timeout: 300_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  let anna: DavClient;
  let ben: DavClient;
  let carl: DavClient;
  let names = 0;

  before(async () => {
    server = await servers.start();
    anna = await server.addUser({ name: 'anna', args: ['--admin'] });
    ben = await server.addUser({ name: 'ben' });
    carl = await server.addUser({ name: 'carl' });
    await group('add', 'crew');
    await group('join', 'crew', 'carl');
    await anna.put('private.txt', SECRET);
  });

  async function group(...words: string[]): Promise<void> {
    const done = await run(PROGRAM, ['group', ...words, '--data', server.data]);
    assert.equal(done.code, 0, done.stderr);
  }

  /** A new folder of Anna's with a file, and one below it with another. */
  async function place(): Promise<string> {
    names += 1;
    const name = `place-${names}`;
    await anna.makeFolder(name);
    await anna.makeFolder(`${name}/inner`);
    await anna.put(`${name}/one.txt`, 'one');
    await anna.put(`${name}/inner/two.txt`, 'two');
    return name;
  }

  async function ocs(
    client: DavClient, method: string, path: string, fields: Record<string, string> = {},
  ): Promise<Ocs['ocs'] & { status: number }> {
    const form = new URLSearchParams(fields).toString();
    const isGet = method === 'GET';
    const answer = await client.ask(method, `${path}?format=json${isGet ? `&${form}` : ''}`, {
      headers: { ...OCS, 'Content-Type': 'application/x-www-form-urlencoded' },
      ...(!isGet && { body: form }),
    });
    return { ...(JSON.parse(answer.text) as Ocs).ocs, status: answer.status };
  }

  async function share(
    path: string, fields: Record<string, string>, by: DavClient = anna,
  ): Promise<MadeShare> {
    const { status, data, meta } = await ocs(by, 'POST', SHARES, { path: `/${path}`, ...fields });
    assert.equal(status, 200, meta.message);
    const { id, token = '' } = data as { id: string; token?: string };
    return { id, token };
  }

  const toBen = (path: string, permissions: number): Promise<MadeShare> =>
    share(path, { shareType: '0', shareWith: 'ben', permissions: String(permissions) });
  const link = (
    path: string, permissions: number, more: Record<string, string> = {}, by: DavClient = anna,
  ): Promise<MadeShare> =>
    share(path, { shareType: '3', permissions: String(permissions), ...more }, by);

  async function role(
    path: string, id: string, wanted: string, { by = anna, kind = 'user' } = {},
  ): Promise<void> {
    const { status, meta } = await ocs(by, 'POST', `${ACCESS}/access`, {
      path: `/${path}`, kind, id, role: wanted,
    });
    assert.equal(status, 200, meta.message);
  }

  const to = (client: DavClient, path: string): string =>
    `${server.url}${ROOT}/${client.name}/${path}`;
  const visit = (method: string, { token }: MadeShare, path = '', wanted: Ask = {}) =>
    ask(method, `${server.url}/public.php/dav/files/${token}/${path}`, wanted);

  function assertOneOf(answer: Answer, allowed: readonly number[], what: string): void {
    assert.ok(allowed.includes(answer.status), `${what}: ${answer.status} ${answer.text}`);
    assert.doesNotMatch(answer.text, /secret of anna|\.ts:\d+/, what);
  }

  async function assertUntouched(name: string): Promise<void> {
    const files = [...(await anna.tree(name)).keys()].toSorted();
    assert.deepEqual(files, ['inner', 'inner/two.txt', 'one.txt'].map((path) => `${name}/${path}`));
    assert.equal((await anna.get(`${name}/one.txt`)).text, 'one');
  }

  describe('as a viewer', () => {
    it('changes nothing, by any method or header', async () => {
      const name = await place();
      await toBen(name, 1);
      await ben.put('own.txt', 'own');
      await ben.makeFolder('sub');
      const overwrite = { Overwrite: 'T' };
      const acts: [string, string, Ask['headers']?][] = [
        ['PUT', `${name}/one.txt`], ['PUT', `${name}/new.txt`], ['MKCOL', `${name}/new`],
        ['DELETE', `${name}/one.txt`], ['DELETE', `${name}/inner`], ['LOCK', `${name}/one.txt`],
        ['LOCK', `${name}/none.txt`], ['PROPPATCH', `${name}/one.txt`],
        ['MOVE', `${name}/one.txt`, { Destination: to(ben, 'stolen.txt') }],
        ['MOVE', `${name}/inner`, { Destination: to(ben, 'sub/stolen') }],
        ['MOVE', `${name}/one.txt`, { Destination: to(ben, `${name}/uno.txt`) }],
        ['MOVE', 'own.txt', { Destination: to(ben, `${name}/one.txt`), ...overwrite }],
        ['COPY', 'own.txt', { Destination: to(ben, `${name}/one.txt`), ...overwrite }],
        ['COPY', 'own.txt', { Destination: to(ben, `${name}/new.txt`) }],
        ['COPY', 'sub', { Destination: to(ben, name), ...overwrite }],
        ['COPY', 'own.txt', { Destination: to(anna, `${name}/new.txt`) }],
        ['PUT', `${name}/one.txt`, { If: '(Not <urn:uuid:00000000-0000-0000-0000-000000000000>)' }],
      ];
      const change = '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><x xmlns="y">z</x></d:prop>'
        + '</d:set></d:propertyupdate>';
      for (const [method, path, headers = {}] of acts) {
        const body = { PUT: 'evil', LOCK, PROPPATCH: change }[method];
        const answer = await ben.file(method, path, { headers, ...(body && { body }) });
        assertOneOf(answer, [403, 409, 412], `${method} ${path}`);
      }
      await assertUntouched(name);
      assert.equal((await ben.get('own.txt')).text, 'own');
    });

    it('does not finish an upload in pieces there', async () => {
      const name = await place();
      const given = await toBen(name, 15);
      const uploads = '/remote.php/dav/uploads/ben/attack';
      const destination = { Destination: to(ben, `${name}/one.txt`) };
      assert.equal((await ben.ask('MKCOL', uploads, { headers: destination })).status, 201);
      await ben.ask('PUT', `${uploads}/00001`, { headers: destination, body: 'evil' });
      await ocs(anna, 'PUT', `${SHARES}/${given.id}`, { permissions: '1' });
      const answer = await ben.ask('MOVE', `${uploads}/.file`, { headers: destination });
      assertOneOf(answer, [403], 'MOVE .file');
      await assertUntouched(name);
    });

    it('does not read or change a lock of somebody else away', async () => {
      const name = await place();
      await toBen(name, 15);
      const locked = await anna.file('LOCK', `${name}/one.txt`, { body: LOCK });
      const token = String(locked.headers['lock-token']);
      const headers = { If: `(${token})`, 'Lock-Token': token };
      const put = await ben.file('PUT', `${name}/one.txt`, { headers, body: 'evil' });
      assertOneOf(put, [423], 'PUT');
      assertOneOf(await ben.file('UNLOCK', `${name}/one.txt`, { headers }), [403], 'UNLOCK');
      assertOneOf(await ben.file('LOCK', `${name}/one.txt`, { headers }), [403, 412, 423], 'LOCK');
      const outside = await ben.file('UNLOCK', '', { headers });
      assertOneOf(outside, [403, 409, 412], 'UNLOCK elsewhere');
      await assertUntouched(name);
    });
  });

  it('cannot tell what is hidden from what is not there', async () => {
    const name = await place();
    await toBen(name, 1);
    await role(`${name}/inner`, 'ben', 'none');
    const both = ['inner', 'absent', 'inner/two.txt', 'absent/two.txt'];
    const seen = new Map<string, string>();
    const destination = { Destination: to(ben, 'taken.txt'), 'If-Match': '*' };
    for (const method of ['GET', 'HEAD', 'PROPFIND', 'PUT', 'MKCOL', 'DELETE', 'COPY', 'MOVE',
      'LOCK', 'PROPPATCH', 'UNLOCK']) {
      for (const path of both) {
        const headers = method === 'COPY' || method === 'MOVE' ? destination
          : method === 'UNLOCK' ? { 'Lock-Token': '<urn:uuid:1>' } : {};
        const answer = await ben.file(method, `${name}/${path}`, { headers });
        const key = `${method} ${path.replace('inner', 'absent')}`;
        const said = `${answer.status} ${answer.text.replaceAll('inner', 'absent')}`;
        if (path.startsWith('inner')) seen.set(key, said);
        else assert.equal(seen.get(key), said, key);
      }
    }
    const listed = await ben.list(name);
    assert.ok(listed.every((one) => !JSON.stringify(one).includes('inner')));
    const copied = await ben.copy(name, 'all');
    assertOneOf(copied, [403], 'COPY of the whole');
    const past = `/remote.php/dav/as-of/${new Date(Date.now() - 1).toISOString()}/ben/${name}`;
    assertOneOf(await ben.ask('GET', `${past}/inner/two.txt`), [404], 'the past');
  });

  describe('as an editor', () => {
    it('removes nothing that is only to be looked at, with the folder above it', async () => {
      const name = await place();
      await anna.makeFolder(`${name}/mid`);
      await anna.makeFolder(`${name}/mid/kept`);
      await anna.put(`${name}/mid/kept/law.txt`, 'law');
      await toBen(name, 15);
      await role(`${name}/mid/kept`, 'ben', 'viewer');
      await ben.makeFolder('empty');
      const headers = { Destination: to(ben, `${name}/mid`), Overwrite: 'T' };
      assertOneOf(await ben.file('DELETE', `${name}/mid`), [403], 'DELETE');
      assertOneOf(await ben.file('COPY', 'empty', { headers }), [403], 'COPY over it');
      assertOneOf(await ben.file('MOVE', `${name}/mid`, {
        headers: { Destination: to(ben, 'mid') },
      }), [403], 'MOVE out');
      assert.equal((await anna.get(`${name}/mid/kept/law.txt`)).text, 'law');
    });

    it('learns nothing of the folders above from the trash', async () => {
      await anna.makeFolder('divorce');
      await anna.makeFolder('divorce/photos');
      await anna.put('divorce/photos/x.jpg', 'x');
      await toBen('divorce/photos', 15);
      assert.equal((await ben.file('DELETE', 'photos/x.jpg')).status, 204);
      const answer = await ben.ask('PROPFIND', '/remote.php/dav/trashbin/ben/trash/', {
        headers: { Depth: '1' },
        body: '<d:propfind xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:prop>'
          + '<nc:trashbin-original-location/></d:prop></d:propfind>',
      });
      assert.equal(answer.status, 207);
      assert.doesNotMatch(answer.text, /divorce/);
    });

    it('writes nothing with an upload that ends after the share', async () => {
      const name = await place();
      const given = await toBen(name, 15);
      const finish = slowPut(`${ROOT}/ben/${name}/late.txt`, { Authorization: basicOf(ben) });
      await finish.begun;
      await ocs(anna, 'DELETE', `${SHARES}/${given.id}`);
      const status = await finish.end('late');
      assert.ok([403, 404, 409].includes(status), String(status));
      await assertUntouched(name);
    });
  });

  it('as an uploader leaves no lock file where nothing may be locked', async () => {
    const name = await place();
    await toBen(name, 5);
    assert.equal((await ben.put(`${name}/new.txt`, 'new')).status, 201);
    assertOneOf(await ben.file('LOCK', `${name}/lock.txt`, { body: LOCK }), [403], 'LOCK');
    assert.equal((await anna.get(`${name}/lock.txt`)).status, 404);
  });

  describe('through a share of a share', () => {
    it('finds no cycle, and no way into what was mounted inside', async () => {
      const name = await place();
      await toBen(name, 31);
      await ben.makeFolder(`box-${name}`);
      assert.ok((await ben.move(name, `box-${name}/${name}`)).status < 300);
      await share(`box-${name}`, { shareType: '0', shareWith: 'anna', permissions: '15' }, ben);
      await share(`box-${name}`, { shareType: '0', shareWith: 'carl', permissions: '15' }, ben);
      assertOneOf(await carl.get(`box-${name}/${name}/one.txt`), [404], 'through the mount');
      assert.equal((await anna.move(`box-${name}`, `${name}/box`)).status, 201);
      assert.deepEqual(await anna.list(`${name}/box`), [], 'it ends here, for her');
      const inner = await ben.list(`box-${name}/${name}`);
      assert.ok(inner.every((one) => !JSON.stringify(one).includes('box/')), 'and for him');
      assert.equal((await anna.file('DELETE', `${name}/box`)).status, 204);
      assert.equal((await ben.file('DELETE', `box-${name}`)).status, 204);
      await assertUntouched(name);
      assert.equal((await ben.get(`${name}/one.txt`)).text, 'one', 'mounted anew');
    });

    it('does not pass on more than it has, nor touch the shares of others', async () => {
      const name = await place();
      const given = await toBen(name, 15);
      const made = await link(name, 1);
      for (const [method, path, fields] of [
        ['POST', SHARES, { path: `/${name}`, shareType: '0', shareWith: 'carl' }],
        ['POST', SHARES, { path: `/${name}`, shareType: '3' }],
        ['PUT', `${SHARES}/${given.id}`, { permissions: '31' }],
        ['PUT', `${SHARES}/${made.id}`, { permissions: '15' }],
        ['DELETE', `${SHARES}/${made.id}`, {}],
        ['POST', `${ACCESS}/access`, { path: `/${name}`, kind: 'user', id: 'ben', role: 'owner' }],
        ['GET', `${ACCESS}/access`, { path: `/${name}` }],
        ['POST', `${ACCESS}/teams`, { name: 'mine' }],
      ] as const) {
        const { status } = await ocs(ben, method, path, fields);
        assert.ok(status === 403 || status === 404, `${method} ${path} ${status}`);
      }
      const listed = await ocs(ben, 'GET', SHARES, { path: `/${name}` });
      assert.doesNotMatch(JSON.stringify(listed), new RegExp(made.token));
    });
  });

  it('with names as long as can be, and with odd ones, gets a mount all the same', async () => {
    for (const odd of ['x'.repeat(255), 'a\u202eb', 'quote"<&>', 'line\u2028end']) {
      await anna.makeFolder(odd);
      await ben.makeFolder(odd);
      const before = (await ben.list()).length;
      await toBen(odd, 1);
      assert.equal((await ben.list()).length, before + 1, odd);
    }
    const listed = await ocs(ben, 'GET', SHARES, { shared_with_me: 'true' });
    assert.equal(listed.status, 200);
  });

  describe('by a link', () => {
    it('stays in it, whatever address or header is used', async () => {
      const name = await place();
      const made = await link(`${name}/inner`, 15);
      const other = await link(name, 15);
      const acts: [string, string, string?][] = [
        ['GET', '../one.txt'], ['GET', '%2e%2e/one.txt'], ['GET', '..%2fone.txt'],
        ['COPY', 'two.txt', to(anna, 'stolen.txt')], ['MOVE', 'two.txt', '/dav/stolen.txt'],
        ['MOVE', 'two.txt', `/public.php/dav/files/${other.token}/stolen.txt`],
        ['COPY', 'two.txt', `/public.php/dav/files/${made.token}/../stolen.txt`],
        ['DELETE', ''], ['MOVE', '', `/public.php/dav/files/${made.token}/self`],
        ['LOCK', 'two.txt'], ['UNLOCK', 'two.txt'], ['REPORT', ''], ['SEARCH', ''],
        ['POST', 'two.txt'], ['PATCH', 'two.txt'],
      ];
      for (const [method, path, destination] of acts) {
        const headers = destination === undefined ? {} : { Destination: destination };
        const answer = await visit(method, made, path, { headers });
        assertOneOf(answer, [400, 403, 404, 405, 409], `${method} ${path}`);
      }
      const user = { Authorization: basic({ name: `@link-${made.id}`, password: 'x' }) };
      const signed = await ask('GET', `${server.url}${ROOT}/anna/private.txt`, { headers: user });
      assert.equal(signed.status, 401);
      await assertUntouched(name);
    });

    it('that only takes files in shows, overwrites and returns none', async () => {
      const name = await place();
      const made = await link(name, 4);
      const listed = await visit('PROPFIND', made, '', { headers: { Depth: '1' } });
      assert.doesNotMatch(listed.text, /one\.txt|inner/);
      assertOneOf(await visit('GET', made, 'one.txt'), [404], 'GET');
      assertOneOf(await visit('HEAD', made, 'one.txt'), [404], 'HEAD');
      assertOneOf(await visit('PUT', made, 'inner/x.txt', { body: 'x' }), [404, 409], 'deep');
      assertOneOf(await visit('DELETE', made, 'one.txt'), [403, 404], 'DELETE');
      for (const taken of ['inner', 'one.txt', 'absent']) {
        assertOneOf(await visit('MKCOL', made, taken), [403], `MKCOL ${taken}`);
      }
      const copy = { headers: { Destination: `/public.php/dav/files/${made.token}/copy.txt` } };
      assertOneOf(await visit('COPY', made, 'one.txt', copy), [404], 'COPY');
      assertOneOf(await visit('MOVE', made, 'one.txt', copy), [404], 'MOVE');
      assert.equal((await visit('PUT', made, 'one.txt', { body: 'other' })).status, 201);
      assertOneOf(await visit('GET', made, 'one%20(2).txt'), [404], 'its own');
      assert.equal((await anna.get(`${name}/one.txt`)).text, 'one');
      assert.equal((await anna.get(`${name}/one (2).txt`)).text, 'other');
      const page = await ask('GET', `${server.url}/s/${made.token}`);
      assert.doesNotMatch(page.text, /one\.txt|inner/);
      const past = await ask('GET', `${server.url}/s/${made.token}/download?path=/one.txt`);
      assertOneOf(past, [404], 'the page\'s download');
    });

    it('whose bytes are kept back hands out none, whole, in part or copied', async () => {
      const name = await place();
      const made = await link(name, 15, { hideDownload: 'true' });
      assertOneOf(await visit('GET', made, 'one.txt'), [403], 'GET');
      assertOneOf(await visit('GET', made, 'one.txt', { headers: { Range: 'bytes=0-0' } }), [403],
        'Range');
      const page = `${server.url}/s/${made.token}/download?path=/one.txt`;
      assertOneOf(await ask('GET', page), [403], 'page');
      assertOneOf(await visit('HEAD', made, 'one.txt'), [403], 'HEAD');
      const stale = { headers: { 'If-None-Match': '"guess"' } };
      assertOneOf(await visit('GET', made, 'one.txt', stale), [403], 'a guessed ETag');
    });

    it('counts a download once, however many parts it is fetched in', async () => {
      const name = await place();
      await anna.put(`${name}/movie.bin`, 'x'.repeat(100));
      const made = await link(name, 1, { downloadLimit: '2' });
      const part = (range: string) =>
        visit('GET', made, 'movie.bin', { headers: { Range: `bytes=${range}` } });
      assert.equal((await visit('HEAD', made, 'movie.bin')).status, 200);
      for (const range of ['0-9', '10-19', '20-29', '30-39', '-5']) {
        assert.equal((await part(range)).status, 206, range);
      }
      assert.equal((await visit('GET', made, 'movie.bin')).status, 200);
      assertOneOf(await visit('GET', made, 'movie.bin'), [403, 410], 'the third');
      assertOneOf(await part('0-9'), [403, 410], 'from the beginning');
      assertOneOf(await visit('GET', made, 'one.txt', { headers: { Range: 'bytes=1-2' } }),
        [403, 410], 'a part of another file');
    });

    it('with a password is not guessed, nor opened by cookies of another', async () => {
      const name = await place();
      const made = await link(name, 1, { password: 'a long enough password' });
      const open = await link(name, 1, { password: 'another long password' });
      assertOneOf(await visit('GET', made, 'one.txt'), [401], 'without');
      assertOneOf(await ask('GET', `${server.url}/s/${made.token}?password=x`), [200], 'page');
      const statuses: number[] = [];
      for (let n = 0; n < 12; n += 1) {
        const headers = { Authorization: basic({ name: 'anonymous', password: `guess ${n}` }) };
        statuses.push((await visit('GET', made, 'one.txt', { headers })).status);
      }
      assert.ok(statuses.every((status) => status === 401 || status === 429 || status === 503));
      assert.notEqual(statuses.at(-1), 401, 'guessing is slowed down');
      const cookie = { Cookie: 'holdfast-link=guess' };
      const page = await ask('GET', `${server.url}/s/${open.token}/download?path=/one.txt`, {
        headers: cookie,
      });
      assert.doesNotMatch(page.text, /^one$/);
    });

    it('gives pages of others no script to run, and no header to break', async () => {
      const name = await place();
      const odd = 'evil"\'; x=y <img src=x>.svg';
      await anna.put(`${name}/${odd}`, '<svg onload="alert(1)"/>');
      await anna.put(`${name}/page.html`, '<script>alert(1)</script>');
      const made = await link(name, 1, { label: '<script>alert(2)</script>', note: '"><img>' });
      const page = await ask('GET', `${server.url}/s/${made.token}`);
      assert.doesNotMatch(page.text, /<script>alert|<img src|"><img>/);
      assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
      for (const file of [odd, 'page.html']) {
        const query = encodeURIComponent(`/${file}`);
        for (const answer of [
          await ask('GET', `${server.url}/s/${made.token}/download?path=${query}`),
          await visit('GET', made, encodeURIComponent(file)),
        ]) {
          assert.equal(answer.status, 200);
          assert.match(String(answer.headers['content-disposition']), /^attachment/);
          assert.match(String(answer.headers['content-security-policy']), /sandbox/);
          assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        }
      }
      for (const path of ['//evil.example', '/%5cevil.example', '%0d%0aX:%20y', '/../../x']) {
        const answer = await ask('GET', `${server.url}/s/${made.token}?path=${path}`);
        assertOneOf(answer, [400, 404], path);
        assert.equal(answer.headers.location, undefined);
      }
    });

    it('ends when who made it may not share there any more, or is shut out', async () => {
      const name = await place();
      const given = await toBen(name, 31);
      await role(`${name}/inner`, 'ben', 'none');
      const made = await link(name, 15, {}, ben);
      assert.equal((await visit('GET', made, 'one.txt')).text, 'one');
      assertOneOf(await visit('GET', made, 'inner/two.txt'), [404], 'hidden from its maker');
      const listed = await visit('PROPFIND', made, '', { headers: { Depth: '1' } });
      assert.doesNotMatch(listed.text, /inner/);
      await ocs(anna, 'PUT', `${SHARES}/${given.id}`, { permissions: '15' });
      assertOneOf(await visit('GET', made, 'one.txt'), [404], 'an editor\'s');
      await ocs(anna, 'PUT', `${SHARES}/${given.id}`, { permissions: '31' });
      assert.equal((await visit('GET', made, 'one.txt')).text, 'one');
      await ocs(anna, 'DELETE', `${SHARES}/${given.id}`);
      assertOneOf(await visit('GET', made, 'one.txt'), [404], 'a stranger\'s');
      assertOneOf(await ask('GET', `${server.url}/s/${made.token}`), [404], 'its page');
    });

    it('writes nothing with an upload that ends after it', async () => {
      const name = await place();
      const made = await link(name, 15);
      const late = slowPut(`/public.php/dav/files/${made.token}/late.txt`);
      await late.begun;
      await ocs(anna, 'DELETE', `${SHARES}/${made.id}`);
      const status = await late.end('late');
      assert.ok([403, 404, 409].includes(status), String(status));
      await assertUntouched(name);
    });
  });

  it('after the share looks back in vain, and before it as well', async () => {
    const name = await place();
    const at = async (): Promise<string> => {
      const now = new Date().toISOString();
      while (new Date().toISOString() === now) await new Promise(setImmediate);
      return now;
    };
    const before = await at();
    const given = await toBen(name, 1);
    assert.equal((await ben.get(`${name}/one.txt`)).text, 'one');
    const during = await at();
    const past = (moment: string, path: string): Promise<Answer> =>
      ben.ask('GET', `/remote.php/dav/as-of/${moment}/ben/${path}`);
    assert.equal((await past(during, `${name}/one.txt`)).text, 'one');
    assertOneOf(await past(before, `${name}/one.txt`), [404], 'before');
    assertOneOf(await ben.ask('GET', `/remote.php/dav/as-of/${during}/anna/private.txt`), [403],
      'another\'s');
    await ocs(anna, 'DELETE', `${SHARES}/${given.id}`);
    assertOneOf(await past(during, `${name}/one.txt`), [404], 'afterwards');
    for (const moment of ['rev-999999999999', 'rev--1', 'now', '2026-02-30T00:00:00Z', '%00',
      '9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z', 'rev-9007199254740993']) {
      assertOneOf(await past(moment, 'own.txt'), [400, 404], moment);
    }
    for (const method of ['PUT', 'DELETE', 'MKCOL', 'PROPPATCH', 'LOCK', 'MOVE', 'COPY', 'POST']) {
      const answer = await ben.ask(method, `/remote.php/dav/as-of/${during}/ben/own.txt`, {
        headers: { Destination: to(ben, 'x') },
      });
      assertOneOf(answer, [403, 405], method);
    }
  });

  it('with requests of the wrong shape gets a clear refusal', async () => {
    const name = await place();
    const path = `/${name}`;
    const bad: Record<string, string>[] = [
      {}, { path: '/' }, { path: '/../..' }, { path: '/none' }, { path, shareType: '99' },
      { path, shareType: '0' }, { path, shareType: '0', shareWith: 'x'.repeat(5000) },
      { path, shareType: '0', shareWith: '../anna' }, { path, shareType: '1', shareWith: '\0' },
      { path, shareType: '3', permissions: '-1' }, { path, shareType: '3', permissions: '0' },
      { path, shareType: '3', expireDate: 'soon' },
      { path, shareType: '3', expireDate: '2026-13-45' },
      { path, shareType: '3', expireDate: '2000-01-01' },
      { path, shareType: '3', downloadLimit: '1e999' },
      { path, shareType: '3', downloadLimit: '-1' },
      { path, shareType: '3', label: 'x'.repeat(2000) },
      { path, shareType: '3', note: 'x'.repeat(9e4) },
      { path, shareType: '3', password: 'p'.repeat(30_000) },
    ];
    for (const fields of bad) {
      const { status } = await ocs(anna, 'POST', SHARES, fields);
      assert.ok(status >= 400 && status < 500, `${status} ${JSON.stringify(fields).slice(0, 90)}`);
    }
    for (const body of ['[]', '{"path":{"a":1}}', '{', '"x"', `${'['.repeat(20_000)}`, 'null',
      '{"__proto__":{"path":"/"},"shareType":[3]}']) {
      const answer = await anna.ask('POST', SHARES, {
        headers: { ...OCS, 'Content-Type': 'application/json' }, body,
      });
      assertOneOf(answer, [400, 404, 413], body.slice(0, 40));
    }
    for (const id of ['0', '-1', 'x', '999999999999999', '1e3', '%00']) {
      const answer = await anna.ask('GET', `${SHARES}/${id}`, { headers: OCS });
      assertOneOf(answer, [400, 404], id);
    }
    const bomb = `<!DOCTYPE a [<!ENTITY b "${'x'.repeat(1000)}">]><d:propfind xmlns:d="DAV:">&b;`
      + '</d:propfind>';
    const made = await link(name, 1);
    assertOneOf(await visit('PROPFIND', made, '', { body: bomb }), [400, 403], 'bomb');
    const past = `/remote.php/dav/as-of/${new Date().toISOString()}/anna/`;
    assertOneOf(await anna.ask('PROPFIND', past, { body: bomb }), [400, 403], 'bomb of the past');
    const { data } = await ocs(anna, 'GET', SHARES, { path });
    assert.equal((data as unknown as unknown[]).length, 1, 'nothing else was made');
  });

  it('is out of everything once the account is disabled, links as well', async () => {
    const dora = await server.addUser({ name: 'dora' });
    await dora.put('hers.txt', 'hers');
    const made = await link('hers.txt', 1, {}, dora);
    assert.equal((await visit('GET', made)).text, 'hers');
    const name = await place();
    await share(name, { shareType: '0', shareWith: 'dora', permissions: '31' });
    await share(name, { shareType: '0', shareWith: 'ben', permissions: '15' }, dora);
    await share('hers.txt', { shareType: '0', shareWith: 'ben', permissions: '3' }, dora);
    await ben.put(`${name}/bens.txt`, 'ben');
    assert.equal((await ben.get('hers.txt')).text, 'hers');
    const before = await rootEtag(ben);
    const late = slowPut(`${ROOT}/ben/${name}/late.txt`, { Authorization: basicOf(ben) });
    await late.begun;
    const user = async (act: string): Promise<void> => {
      const done = await run(PROGRAM, ['user', act, 'dora', '--data', server.data]);
      assert.equal(done.code, 0, done.stderr);
    };
    await user('disable');
    assert.ok([403, 404, 409].includes(await late.end('late')));
    assert.equal((await dora.get('hers.txt')).status, 401);
    assertOneOf(await visit('GET', made), [404], 'the link');
    assertOneOf(await ben.get('hers.txt'), [404], 'her file');
    assertOneOf(await ben.put('hers.txt', 'evil'), [409], 'its name');
    assertOneOf(await ben.put(`${name}/evil.txt`, 'evil'), [409], 'what she has passed on');
    const listed = await ocs(ben, 'GET', SHARES, { shared_with_me: 'true' });
    assert.ok(!JSON.stringify(listed).includes('dora'));
    assert.notEqual(await rootEtag(ben), before, 'clients must notice');
    assert.equal((await anna.get(`${name}/bens.txt`)).text, 'ben', 'what was given stays');
    await user('enable');
    assert.equal((await ben.get('hers.txt')).text, 'hers');
  });

  it('is out of what was passed on by somebody who may not pass it on any more', async () => {
    const name = await place();
    const given = await toBen(name, 31);
    await share(name, { shareType: '0', shareWith: 'carl', permissions: '31' }, ben);
    assert.equal((await carl.get(`${name}/one.txt`)).text, 'one');
    const made = await link(name, 1, {}, carl);
    await ocs(anna, 'PUT', `${SHARES}/${given.id}`, { permissions: '15' });
    assertOneOf(await carl.get(`${name}/one.txt`), [404], 'the share');
    assertOneOf(await visit('GET', made, 'one.txt'), [404], 'a link by whom it was passed on to');
    const looked = await carl.ask('GET',
      `/remote.php/dav/as-of/${new Date().toISOString()}/carl/${name}/one.txt`);
    assertOneOf(looked, [404], 'the past');
    await ocs(anna, 'POST', SHARES, {
      path: `/${name}`, shareType: '0', shareWith: 'carl', permissions: '1',
    });
    assert.equal((await carl.get(`${name}/one.txt`)).text, 'one', 'given by the owner');
    await assertUntouched(name);
  });

  it('learns nothing of what is hidden from the size of a folder', async () => {
    const name = await place();
    await anna.put(`${name}/inner/big.bin`, 'x'.repeat(5000));
    await toBen(name, 1);
    await role(`${name}/inner`, 'ben', 'none');
    for (const depth of ['0', '1']) {
      const { text } = await ben.file('PROPFIND', depth === '0' ? name : '', {
        headers: { Depth: depth },
        body: '<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><oc:size/>'
          + '<d:quota-used-bytes/></d:prop></d:propfind>',
      });
      const [own = ''] = text.split('<d:response>').filter((one) => one.includes(`${name}/<`));
      assert.match(own, /<oc:size>3<.*used-bytes>3</, depth);
    }
  });

  it('holds no lock that an administrator cannot end', async () => {
    const put = await ben.put('held.txt', 'held');
    const id = String(put.headers['oc-fileid']);
    await ben.file('LOCK', 'held.txt', { body: LOCK });
    const end = (client: DavClient) =>
      ocs(client, 'DELETE', `/ocs/v2.php/apps/files_lock/lock/${id}`);
    assert.equal((await end(carl)).status, 404);
    assert.equal((await ben.put('held.txt', 'x')).status, 423);
    assert.equal((await end(anna)).status, 200);
    assert.equal((await ben.put('held.txt', 'x')).status, 204);
  });

  it('of a team keeps to what the team gives', async () => {
    const made = await ocs(anna, 'POST', `${ACCESS}/teams`, { name: 'team' });
    assert.equal(made.status, 200, made.meta.message);
    await anna.put('team/plan.txt', 'plan');
    await role('team', 'crew', 'viewer', { kind: 'group' });
    await share('team', { shareType: '1', shareWith: 'crew', permissions: '1' });
    await share('team', { shareType: '0', shareWith: 'ben', permissions: '15' });
    assert.equal((await carl.get('team/plan.txt')).text, 'plan');
    assertOneOf(await carl.put('team/plan.txt', 'evil'), [403], 'PUT');
    const names = await ocs(ben, 'PUT', `${ACCESS}/teams`, { path: '/team', name: 'mine' });
    assert.equal(names.status, 403);
    const own = await link('team', 1, {}, anna);
    await role('team', 'ben', 'none');
    assertOneOf(await ben.get('team/plan.txt'), [404], 'shut out');
    await group('leave', 'crew', 'carl');
    assertOneOf(await carl.get('team/plan.txt'), [404], 'no member any more');
    await group('join', 'crew', 'carl');
    assert.equal((await carl.file('DELETE', 'team')).status, 204, 'is only put aside');
    assert.equal((await anna.get('team/plan.txt')).text, 'plan');
    assert.equal((await visit('GET', own, 'plan.txt')).text, 'plan');
    const last = await ocs(anna, 'POST', `${ACCESS}/access`, {
      path: '/team', kind: 'user', id: 'anna', role: 'none',
    });
    assert.ok(last.status >= 400, 'the last owner stays');
  });

  it('restores nothing from a trash of others that was theirs to see once', async () => {
    const name = await place();
    const given = await toBen(name, 15);
    assert.equal((await ben.file('DELETE', `${name}/one.txt`)).status, 204);
    await ocs(anna, 'DELETE', `${SHARES}/${given.id}`);
    const trash = '/remote.php/dav/trashbin/ben';
    const listed = await ben.ask('PROPFIND', `${trash}/trash/`, { headers: { Depth: '1' } });
    const hrefs = [...listed.text.matchAll(/<d:href>([^<]*one\.txt[^<]*)</g)].map(([, one]) => one);
    for (const href of hrefs) {
      assertOneOf(await ben.ask('GET', href ?? ''), [403, 404], 'GET');
      const headers = { Destination: `${trash}/restore/one.txt` };
      assertOneOf(await ben.ask('MOVE', href ?? '', { headers }), [403, 404], 'MOVE');
      assertOneOf(await ben.ask('DELETE', href ?? ''), [403, 404], 'DELETE');
    }
    assertOneOf(await anna.get(`${name}/one.txt`), [404], 'restored');
  });

  it('posts nothing to the page of a link that only shows', async () => {
    const name = await place();
    const made = await link(name, 1);
    const drop = await link(name, 4);
    const page = await ask('GET', `${server.url}/s/${drop.token}`);
    const [cookie = ''] = (page.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]);
    const [, field = '', token = ''] = /name="([^"]*)" value="([^"]*)"/.exec(page.text) ?? [];
    const post = ({ token: secret }: MadeShare, fileName: string, form = token) => {
      const part = (head: string, text: string): string =>
        `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
      return ask('POST', `${server.url}/s/${secret}/upload`, {
        headers: { Cookie: cookie, 'Content-Type': 'multipart/form-data; boundary=b' },
        body: `${part(`name="${field}"`, form)}${part(`name="file"; filename="${fileName}"`, 'x')}`
          + '--b--\r\n',
      });
    };
    assertOneOf(await post(made, 'new.txt'), [403], 'a viewer');
    assertOneOf(await post(drop, 'new.txt', 'guess'), [403], 'another site');
    assertOneOf(await post(drop, '..'), [400], 'a name that climbs');
    await assertUntouched(name);
    assert.equal((await post(drop, '../../up.txt')).status, 303);
    assert.equal((await anna.get(`${name}/up.txt`)).text, 'x');
  });

  it('by a link is in the audit log', async () => {
    const name = await place();
    const made = await link(name, 1, { label: 'for the press' });
    for (const path of ['one.txt', 'one.txt', 'inner/two.txt']) {
      assert.equal((await visit('GET', made, path)).status, 200);
    }
    await eventually(20_000, 'one entry for the three', async () => {
      const { stdout } = await run(PROGRAM, ['audit', 'export', '--data', server.data]);
      const entries = stdout.split('\n').filter((line) => line.includes('for the press'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      return entries.length === 1 && entries[0]?.['act'] === 'download'
        && entries[0]['from'] === '127.0.0.1' && entries[0]['name'] === 'one.txt'
        && entries[0]['user'] === `@link-${made.id}`;
    });
  });

  it('has not brought the server down', async () => {
    assert.ok(server.isRunning, server.tail());
    assert.equal((await anna.get('private.txt')).text, SECRET);
  });

  async function rootEtag(client: DavClient): Promise<string> {
    const { text } = await client.file('PROPFIND', '', { headers: { Depth: '0' } });
    return /<d:getetag>([^<]*)</.exec(text)?.[1] ?? '';
  }

  function basicOf({ name, password }: DavClient): string {
    return basic({ name, password });
  }

  /** A PUT that has begun, and whose last byte is still to come. */
  function slowPut(target: string, headers: Record<string, string> = {}): {
    begun: Promise<void>; end: (rest: string) => Promise<number>;
  } {
    const answered = Promise.withResolvers<number>();
    const begun = Promise.withResolvers<void>();
    const request = http.request({
      method: 'PUT', host: '127.0.0.1', port: server.port, path: target, agent: false,
      headers: { ...headers, 'Content-Length': 6, Expect: '100-continue' },
    }, (response) => {
      response.resume().on('end', () => answered.resolve(response.statusCode ?? 0));
    });
    request.on('error', answered.reject).on('continue', () => {
      request.write('so');
      begun.resolve();
    });
    request.flushHeaders();
    return {
      begun: begun.promise,
      end: (rest) => {
        request.end(rest);
        return answered.promise;
      },
    };
  }
});
