import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import { parsePath } from '../../base/names.ts';
import type { NewShare, Share } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { CloudSite } from '../nextcloud/testing/cloud-site.ts';
import type { Answer } from '../nextcloud/testing/cloud-site.ts';

const anna: Caller = {
  user: parseUserId('anna'), tenant: DEFAULT_TENANT, displayName: 'Anna', admin: true,
  device: 'test', credential: 'password', groups: [], groupsRev: 0,
};

describe('a public link', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open();
    for (const path of ['/work', '/work/plans', '/work/plans/deep']) {
      await site.ask('MKCOL', `/dav${path}`);
    }
    await site.ask('PUT', '/dav/work/plans/one.txt', { body: 'one' });
    await site.ask('PUT', '/dav/work/plans/deep/two.txt', { body: 'two' });
    await site.ask('PUT', '/dav/secret.txt', { body: 'secret' });
  });
  after(() => site.close());

  const link = (wanted: Omit<NewShare, 'receiver'>, path = 'work/plans'): Promise<Share> =>
    site.sharing.share(anna, parsePath(path.split('/')), { ...wanted, receiver: { kind: 'link' } });
  const tokenOf = ({ terms }: Share): string => terms.token ?? '';

  async function ask(
    method: string, path: string, options: {
      auth?: string; body?: string; headers?: Record<string, string>;
    } = {},
  ): Promise<Answer> {
    const { auth, ...rest } = options;
    return site.ask(method, path, { ...rest, auth });
  }

  describe('by WebDAV', () => {
    it('shows what it leads to, under both of its addresses, and nothing else', async () => {
      const token = tokenOf(await link({ role: 'viewer' }));
      const root = `/public.php/dav/files/${token}`;
      const listed = await ask('PROPFIND', `${root}/`, { headers: { Depth: '1' } });
      assert.equal(listed.status, 207);
      const hrefs = [...listed.text.matchAll(/<d:href>([^<]*)</g)].map(([, href]) => href);
      assert.deepEqual(hrefs, [`${root}/`, `${root}/deep/`, `${root}/one.txt`]);
      assert.equal((await ask('GET', `${root}/deep/two.txt`)).text, 'two');
      const old = await ask('GET', '/public.php/webdav/one.txt', { auth: `${token}:` });
      assert.equal(old.text, 'one');
      assert.equal((await ask('GET', '/public.php/webdav/one.txt')).status, 401);
      const paths = ['/../secret.txt', '/%2e%2e/secret.txt', '/secret.txt', '/work/plans/one.txt'];
      for (const path of paths) {
        const { status } = await ask('GET', root + path);
        assert.ok(status === 404 || status === 400, `${path} ${status}`);
      }
      assert.equal((await ask('GET', '/public.php/dav/files/guess/one.txt')).status, 404);
    });

    it('lets a viewer change nothing, and nobody lock', async () => {
      const token = tokenOf(await link({ role: 'viewer' }));
      const root = `/public.php/dav/files/${token}`;
      const acts: [string, string, number, Record<string, string>?][] = [
        ['PUT', '/new.txt', 403], ['PUT', '/one.txt', 403], ['DELETE', '/one.txt', 403],
        ['DELETE', '/', 403], ['MKCOL', '/new', 403], ['LOCK', '/one.txt', 405],
        ['MOVE', '/one.txt', 403, { Destination: `${root}/uno.txt` }],
        ['COPY', '/one.txt', 403, { Destination: `${root}/uno.txt` }],
        ['COPY', '/one.txt', 403, { Destination: '/dav/uno.txt' }],
        ['MOVE', '/one.txt', 403, { Destination: '/remote.php/dav/files/anna/uno.txt' }],
      ];
      for (const [method, path, status, headers = {}] of acts) {
        const body = method === 'PUT' ? { body: 'x' } : {};
        const answer = await ask(method, root + path, { headers, ...body });
        assert.equal(answer.status, status, `${method} ${path} ${answer.text}`);
      }
      assert.equal((await site.ask('GET', '/dav/work/plans/one.txt')).text, 'one');
    });

    it('lets an editor write, move and delete below it', async () => {
      const token = tokenOf(await link({ role: 'editor' }, 'work/plans/deep'));
      const root = `/public.php/dav/files/${token}`;
      assert.equal((await ask('PUT', `${root}/three.txt`, { body: 'three' })).status, 201);
      const headers = { Destination: `${root}/drei.txt` };
      assert.equal((await ask('MOVE', `${root}/three.txt`, { headers })).status, 201);
      assert.equal((await site.ask('GET', '/dav/work/plans/deep/drei.txt')).text, 'three');
      assert.equal((await ask('DELETE', `${root}/drei.txt`)).status, 204);
    });

    it('asks for its password, and slows down who guesses', async () => {
      const token = tokenOf(await link({ role: 'viewer', password: 'open sesame' }));
      const path = `/public.php/dav/files/${token}/one.txt`;
      const without = await ask('GET', path);
      assert.equal(without.status, 401);
      assert.match(without.headers['www-authenticate'] ?? '', /^Basic /);
      assert.equal((await ask('GET', path, { auth: 'anonymous:open sesame' })).text, 'one');
      const auth = `${token}:open sesame`;
      const byWebdav = await ask('GET', '/public.php/webdav/one.txt', { auth });
      assert.equal(byWebdav.text, 'one');
      const statuses = [];
      for (let n = 0; n < 7; n += 1) {
        statuses.push((await ask('GET', path, { auth: `anonymous:guess ${n}` })).status);
      }
      assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
    });

    it('counts downloads, and hands out no byte beyond the most that was allowed', async () => {
      const made = await link({ role: 'viewer', downloadsMax: 2 });
      const path = `/public.php/dav/files/${tokenOf(made)}/one.txt`;
      const first = await ask('GET', path);
      assert.equal((await ask('HEAD', path)).status, 200);
      const known = { 'If-None-Match': String(first.headers.etag) };
      assert.equal((await ask('GET', path, { headers: known })).status, 304);
      assert.equal((await ask('GET', path, { headers: { Range: 'bytes=0-0' } })).status, 206);
      assert.equal((await ask('GET', path)).status, 403);
      assert.equal((await site.sharing.get(anna, made.id)).downloads, 2);
    });

    it('takes files in without showing or overwriting any', async () => {
      const token = tokenOf(await link({ role: 'uploader', fileDrop: true }));
      const root = `/public.php/dav/files/${token}`;
      for (const body of ['first', 'second']) {
        assert.equal((await ask('PUT', `${root}/drop.txt`, { body })).status, 201);
      }
      assert.equal((await ask('PUT', `${root}/one.txt`, { body: 'not me' })).status, 201);
      const listed = await ask('PROPFIND', `${root}/`, { headers: { Depth: '1' } });
      assert.equal(listed.text.split('<d:response>').length - 1, 1);
      assert.equal((await ask('GET', `${root}/drop.txt`)).status, 404);
      const read = async (name: string) => (await site.ask('GET', `/dav/work/plans/${name}`)).text;
      assert.deepEqual(
        await Promise.all(['drop.txt', 'drop%20(2).txt', 'one.txt', 'one%20(2).txt'].map(read)),
        ['first', 'second', 'one', 'not me'],
      );
    });
  });

  describe('tells strangers nothing of people', () => {
    const every = (names: string): string => '<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud'
      + `.org/ns" xmlns:nc="http://nextcloud.org/ns"><d:prop>${names}</d:prop></d:propfind>`;
    const personal = every('<oc:owner-id/><oc:owner-display-name/><d:lockdiscovery/><nc:lock/>'
      + '<nc:lock-owner/><nc:lock-owner-displayname/><nc:lock-token/><nc:sharees/><d:displayname/>'
      + '<d:quota-available-bytes/><nc:note/>');

    it('neither whose it is, nor who has locked it', async () => {
      const token = tokenOf(await link({ role: 'editor', note: 'have a look' }));
      const lock = await site.ask('LOCK', '/dav/work/plans/one.txt', {
        body: '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope><d:locktype>'
          + '<d:write/></d:locktype><d:owner>Anna of Sesame Street</d:owner></d:lockinfo>',
      });
      const root = `/public.php/dav/files/${token}/`;
      for (const [path, depth] of [[root, '1'], [`${root}one.txt`, '0']] as const) {
        const { status, text } = await ask('PROPFIND', path, {
          headers: { Depth: depth }, body: personal,
        });
        assert.equal(status, 207);
        assert.doesNotMatch(text, /anna|sesame|opaquelocktoken/i);
        assert.match(text, /<d:activelock>/);
        assert.match(text, /<nc:lock>1</);
        assert.equal(text.includes('<nc:note>have a look</nc:note>'), path === root);
      }
      const token423 = await ask('PUT', `${root}one.txt`, { body: 'x' });
      assert.equal(token423.status, 423);
      assert.doesNotMatch(token423.text, /anna|sesame|opaquelocktoken/i);
      const headers = { 'Lock-Token': String(lock.headers['lock-token']) };
      assert.equal((await site.ask('UNLOCK', '/dav/work/plans/one.txt', { headers })).status, 204);
    });

    it('nor a checksum where the bytes are kept back', async () => {
      const body = every('<oc:checksums/>');
      const put = { body: 'one', headers: { 'OC-Checksum': `SHA1:${'fe05bcdcdc4928012781a5f1a2a77c'
        + 'bb5398e106'}` } };
      assert.equal((await site.ask('PUT', '/dav/work/plans/one.txt', put)).status, 204);
      for (const hideDownload of [false, true]) {
        const token = tokenOf(await link({ role: 'viewer', hideDownload }));
        const path = `/public.php/dav/files/${token}/one.txt`;
        const { text } = await ask('PROPFIND', path, { headers: { Depth: '0' }, body });
        assert.equal(text.includes('SHA1:'), !hideDownload);
      }
    });

    it('nor, where files are only left, which names are taken and how much is there', async () => {
      const token = tokenOf(await link({ role: 'uploader', fileDrop: true }));
      const root = `/public.php/dav/files/${token}`;
      const same = async (
        method: string, headers: Record<string, string> = {}, below = '',
      ): Promise<void> => {
        const said = async (name: string): Promise<string> => {
          const { status, text } = await ask(method, `${root}/${name}${below}`, { headers });
          return `${status} ${text.replaceAll(name, '?')}`;
        };
        assert.equal(await said('deep'), await said('none'), `${method} of a folder${below}`);
        if (method !== 'PUT') assert.equal(await said('one.txt'), await said('no.txt'), method);
      };
      for (const method of ['MKCOL', 'GET', 'HEAD', 'PROPFIND', 'PROPPATCH', 'DELETE']) {
        await same(method);
        await same(method, {}, '/two.txt');
      }
      await same('PUT', {}, '/x.txt');
      const destination = { Destination: `${root}/copy` };
      for (const method of ['COPY', 'MOVE']) await same(method, destination);
      for (const name of ['If-Match', 'If-None-Match']) await same('MKCOL', { [name]: '*' });
      const { text } = await ask('PROPFIND', `${root}/`, {
        headers: { Depth: '1' }, body: every('<oc:size/><d:quota-used-bytes/>'),
      });
      assert.match(text, /<oc:size>0<.*<d:quota-used-bytes>0</);
    });
  });

  describe('by its page', () => {
    it('lists folders, offers files, and serves them as downloads', async () => {
      const token = tokenOf(await link({ role: 'viewer', note: 'for <you>' }));
      const page = await ask('GET', `/s/${token}`);
      assert.equal(page.status, 200);
      assert.ok(page.text.includes('for &lt;you&gt;'));
      assert.ok(page.text.includes(`href="/s/${token}?path=%2Fdeep"`));
      assert.ok(!page.text.includes('<script') && !page.text.includes('type="file"'));
      const below = await ask('GET', `/s/${token}?path=%2Fdeep`);
      assert.ok(below.text.includes(`href="/s/${token}/download?path=%2Fdeep%2Ftwo.txt"`));
      const file = await ask('GET', `/s/${token}/download?path=%2Fdeep%2Ftwo.txt`);
      assert.equal(file.text, 'two');
      const disposition = file.headers['content-disposition'];
      assert.equal(disposition, 'attachment; filename*=UTF-8\'\'two.txt');
      assert.match(String(file.headers['content-security-policy']), /sandbox/);
      assert.equal((await ask('GET', `/index.php/s/${token}`)).status, 200);
      const outside = `/s/${token}?path=%2F..%2Fsecret.txt`;
      for (const path of ['/s/', '/s/guess', `/s/${token}/x`, outside]) {
        const { status } = await ask('GET', path);
        assert.ok(status === 404 || status === 400, `${path} ${status}`);
      }
    });

    it('shows all of a long folder, page by page', async () => {
      const names = Array.from({ length: 2003 }, (_, n) => `f${String(n).padStart(4, '0')}`);
      await site.files.makeFolder(anna, parsePath(['long']));
      for (const name of names) await site.files.makeFolder(anna, parsePath(['long', name]));
      const token = tokenOf(await link({ role: 'viewer' }, 'long'));
      const seen: string[] = [];
      let next: string | undefined = `/s/${token}`;
      for (let pages = 0; next !== undefined; pages += 1) {
        assert.ok(pages < 3, 'two pages are enough');
        const { text } = await ask('GET', next);
        seen.push(...[...text.matchAll(/>(f\d{4})</g)].map(([, name = '']) => name));
        assert.equal(text.includes('rel="prev"'), pages > 0);
        next = /href="([^"]*)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
      }
      assert.deepEqual(seen, names);
      for (const page of ['0', '-1', 'x', '1e9', '9999999']) {
        assert.equal((await ask('GET', `/s/${token}?page=${page}`)).status, 404, page);
      }
      assert.equal((await ask('GET', `/s/${token}?page=999999`)).status, 200, 'an empty one');
    });

    it('asks for the password once per browser', async () => {
      const token = tokenOf(await link({ role: 'viewer', password: 'open sesame' }));
      const asked = await ask('GET', `/s/${token}`);
      assert.ok(asked.text.includes('type="password"') && !asked.text.includes('one.txt'));
      const formToken = /name="form-token" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
      const guest = String(asked.headers['set-cookie']?.[0]).split(';')[0] ?? '';
      const post = (password: string, cookie = guest): Promise<Answer> =>
        ask('POST', `/s/${token}`, {
          body: new URLSearchParams({ password, 'form-token': formToken }).toString(),
          headers: { Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' },
        });
      assert.equal((await post('wrong')).status, 403);
      assert.equal((await post('open sesame', 'holdfast-guest=other')).status, 403);
      const opened = await post('open sesame');
      assert.equal(opened.status, 303);
      const pass = String(opened.headers['set-cookie']?.[0]).split(';')[0] ?? '';
      const shown = await ask('GET', `/s/${token}`, { headers: { Cookie: pass } });
      assert.ok(shown.text.includes('one.txt'));
      const other = tokenOf(await link({ role: 'viewer', password: 'open sesame' }));
      const elsewhere = await ask('GET', `/s/${other}`, { headers: { Cookie: pass } });
      assert.ok(elsewhere.text.includes('type="password"'), 'a pass is good for its link alone');
    });

    it('takes files by a form, under free names', async () => {
      const token = tokenOf(await link({ role: 'uploader', fileDrop: true }));
      const page = await ask('GET', `/s/${token}`);
      assert.ok(page.text.includes('type="file"') && !page.text.includes('two.txt'));
      const formToken = /name="form-token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const cookie = String(page.headers['set-cookie']?.[0]).split(';')[0] ?? '';
      const content = `line\r\n--not-the-end\r\n${'x'.repeat(200_000)}`;
      const form = (shown: string): Promise<Answer> => ask('POST', `/s/${token}/upload`, {
        headers: { Cookie: cookie, 'Content-Type': 'multipart/form-data; boundary=not-the-en' },
        body: [
          '--not-the-en', 'Content-Disposition: form-data; name="form-token"', '', shown,
          '--not-the-en', 'Content-Disposition: form-data; name="file"; filename="by form.txt"',
          'Content-Type: text/plain', '', content.replace('not-the-end', 'nearly'),
          '--not-the-en', 'Content-Disposition: form-data; name="file"; filename="one.txt"', '',
          'again', '--not-the-en--', '',
        ].join('\r\n'),
      });
      assert.equal((await form('forged')).status, 403);
      const done = await form(formToken);
      assert.equal(done.status, 303, done.text);
      assert.ok(done.headers.location?.endsWith('left=2'));
      const stored = await site.ask('GET', '/dav/work/plans/by%20form.txt');
      assert.equal(stored.text, content.replace('not-the-end', 'nearly'));
      assert.equal((await site.ask('GET', '/dav/work/plans/one.txt')).text, 'one');
    });
  });
});
