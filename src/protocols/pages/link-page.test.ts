import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import { parsePath } from '../../base/names.ts';
import type { NewShare, Share } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { CloudSite } from '../nextcloud/testing/cloud-site.ts';
import type { Answer } from '../nextcloud/testing/cloud-site.ts';
import { Browser, formsOf } from './testing/browser.ts';

const anna: Caller = {
  user: parseUserId('anna'), tenant: DEFAULT_TENANT, displayName: 'Anna', admin: true,
  device: 'test', credential: 'password', groups: [], groupsRev: 0,
};
const HOSTILE = [
  'a"; filename="b.exe', 'line\r\nSet-Cookie: stolen=1', 'l\nX-Evil: 1', '%0d%0aX-Evil: 1',
  '\u202egnp.exe', 'snow \u2603\u{1f600}.txt', "it's (1)*.txt", ';=,', '\u007f\u0085.txt',
];

describe('the page behind a link', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open();
    for (const path of ['/work', '/work/deep']) await site.ask('MKCOL', `/dav${path}`);
    await put('work/one.txt', 'one <b>&amp;\nand two');
    await put('work/page.html', '<script>alert(1)</script>');
    await put('work/drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
    await put('work/photo.png', 'not really');
    await put('work/paper.pdf', '%PDF-1.4');
    await put('work/film.mp4', 'x'.repeat(1000));
    await put('work/deep/two.txt', 'two');
  });
  after(() => site.close());

  const put = async (path: string, body: string): Promise<void> => {
    const address = path.split('/').map(encodeURIComponent).join('/');
    assert.equal((await site.ask('PUT', `/dav/${address}`, { body })).status, 201, path);
  };
  const link = (wanted: Partial<NewShare> = {}, path = 'work'): Promise<Share> =>
    site.sharing.share(anna, parsePath(path.split('/')), {
      role: 'viewer', ...wanted, receiver: { kind: 'link' },
    });
  const tokenOf = ({ terms }: Share): string => terms.token ?? '';
  const ask = (method: string, path: string, headers = {}): Promise<Answer> =>
    site.ask(method, path, { auth: undefined, headers });
  const at = (token: string, action: string, name: string): string =>
    `/s/${token}${action}?path=${encodeURIComponent(`/${name}`)}`;

  it('hands a folder out as a zip that counts as one download', async () => {
    const made = await link({ downloadsMax: 1 });
    const token = tokenOf(made);
    assert.match((await ask('GET', `/s/${token}`)).text, new RegExp(`href="/s/${token}/zip"`));
    assert.equal((await ask('HEAD', `/s/${token}/zip`)).status, 200);
    const zip = await ask('GET', `/s/${token}/zip`);
    assert.equal(zip.status, 200);
    assert.equal(zip.headers['content-disposition'],
      'attachment; filename="work.zip"; filename*=UTF-8\'\'work.zip');
    assert.ok(zip.text.includes('work/deep/two.txt'));
    assert.equal((await site.sharing.get(anna, made.id)).downloads, 1);
    const spent = await ask('GET', `/s/${token}/zip`);
    assert.equal(spent.status, 403);
    assert.match(spent.text, /This link is used up/);
    const below = await ask('HEAD', at(tokenOf(await link()), '/zip', 'deep'));
    assert.match(String(below.headers['content-disposition']), /"deep\.zip"/);
  });

  it('shows what cannot hold a script, and counts that as a download', async () => {
    const made = await link();
    const token = tokenOf(made);
    const shown: [string, RegExp, RegExp][] = [
      ['photo.png', /<img src="[^"]*\/view\?/, /img-src 'self';/],
      ['film.mp4', /<video src="[^"]*\/view\?/, /media-src 'self';/],
      ['paper.pdf', /<iframe class="paper" src="[^"]*\/view\?/, /frame-src 'self';/],
      ['one.txt', /<pre[^>]*>one &lt;b&gt;&amp;amp;\nand two<\/pre>/, /style-src 'self'; form/],
      ['page.html', /<pre[^>]*>&lt;script&gt;alert/, /style-src 'self'; form/],
    ];
    for (const [name, pattern, policy] of shown) {
      const { text, headers } = await ask('GET', at(token, '', name));
      assert.match(text, pattern, name);
      assert.match(String(headers['content-security-policy']), policy, name);
    }
    assert.equal((await site.sharing.get(anna, made.id)).downloads, 2, 'the two texts');
    const drawing = await ask('GET', at(token, '', 'drawing.svg'));
    assert.doesNotMatch(drawing.text, /\/view\?|onload/);
    for (const [name, type] of [
      ['photo.png', 'image/png'], ['page.html', 'text/plain; charset=utf-8'],
      ['paper.pdf', 'application/pdf'],
    ] as const) {
      const { headers } = await ask('GET', at(token, '/view', name));
      assert.match(String(headers['content-disposition']), /^inline/, name);
      assert.equal(headers['content-type'], type);
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    const svg = await ask('GET', at(token, '/view', 'drawing.svg'));
    assert.match(String(svg.headers['content-disposition']), /^attachment/);
    assert.match(String(svg.headers['content-security-policy']), /sandbox/);
  });

  it('shows nothing unasked where downloads are numbered, or bytes are kept back', async () => {
    const numbered = await link({ downloadsMax: 1 });
    const page = await ask('GET', at(tokenOf(numbered), '', 'one.txt'));
    assert.doesNotMatch(page.text, /<pre|\/view\?/);
    assert.equal((await site.sharing.get(anna, numbered.id)).downloads, 0);
    const token = tokenOf(await link({ hideDownload: true }));
    const { text } = await ask('GET', `/s/${token}`);
    assert.ok(text.includes('one.txt'));
    assert.doesNotMatch(text, /\/(?:download|zip|view)/);
    assert.doesNotMatch((await ask('GET', at(token, '', 'one.txt'))).text, /<pre|and two/);
    for (const action of ['/download', '/view', '/zip']) {
      for (const method of ['GET', 'HEAD']) {
        const name = action === '/zip' ? 'deep' : 'one.txt';
        const answer = await ask(method, at(token, action, name));
        assert.equal(answer.status, 403, `${method} ${action}`);
        assert.equal(answer.headers['oc-checksum'], undefined);
      }
    }
  });

  it('says which files have arrived by a form, and which have not', async () => {
    const token = tokenOf(await link({ role: 'uploader', fileDrop: true }));
    const browser = new Browser(site);
    const page = await browser.get(`/s/${token}`);
    const [formToken = ''] = /(?<=name="form-token" value=")[^"]+/.exec(page.text) ?? [];
    const guest = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const part = (head: string, body: string): string =>
      `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
    const send = (...files: [string, string][]): Promise<Answer> =>
      site.ask('POST', `/s/${token}/upload`, {
        auth: undefined,
        headers: { 'Cookie': guest, 'Content-Type': 'multipart/form-data; boundary=b' },
        body: [
          part('name="form-token"', formToken),
          ...files.map(([name, body]) => part(`name="file"; filename="${name}"`, body)),
          '--b--\r\n',
        ].join(''),
      });
    const long = `${'x'.repeat(300)}.txt`;
    const sent = await send(['one.txt', 'mine'], [long, 'y'.repeat(100_000)], ['<b>.txt', 'last']);
    assert.equal(sent.status, 303);
    const { text } = await browser.get(String(sent.headers.location));
    assert.match(text, /2 files have arrived/);
    assert.match(text, /one\.txt\s*<\/span> <small>4 bytes/);
    assert.match(text, /&lt;b&gt;\.txt\s*<\/span> <small>4 bytes/);
    assert.match(text, /These did not arrive:[^]*x{300}\.txt[^]*255 bytes long at most/);
    assert.doesNotMatch(text, /one \(2\)/, 'which names are taken is not told');
    assert.equal((await site.ask('GET', '/dav/work/one%20(2).txt')).text, 'mine');
    const other = tokenOf(await link({ role: 'uploader', fileDrop: true }));
    const elsewhere = String(sent.headers.location).replace(token, other);
    assert.doesNotMatch((await browser.get(elsewhere)).text, /one\.txt/);
    assert.equal((await send([long, 'y'])).status, 400, 'nothing arrived');
  });

  it('says that a link is over, and what to do then', async () => {
    const { status, text } = await ask('GET', '/s/neverMadeByAnybody00');
    assert.equal(status, 404);
    assert.match(text, /This link leads nowhere[^]*Ask whoever gave it to\s+you/);
    const token = tokenOf(await link({ expiresAt: site.clock.now() + 1000 }));
    assert.equal((await ask('GET', `/s/${token}`)).status, 200);
    site.clock.advance(2000);
    for (const path of ['', '/zip', '/download?path=/one.txt', '/view?path=/photo.png']) {
      const over = await ask('GET', `/s/${token}${path}`);
      assert.equal(over.status, 404);
      assert.match(over.text, /This link leads nowhere/);
    }
  });

  describe('under attack', () => {
    it('breaks no header by a hostile name', async () => {
      await site.ask('MKCOL', '/dav/odd');
      for (const name of HOSTILE) await put(`odd/${name}`, 'x');
      const token = tokenOf(await link({}, 'odd'));
      for (const name of HOSTILE) {
        for (const action of ['/download', '/view']) {
          const { status, headers } = await ask('GET', at(token, action, name));
          assert.equal(status, 200, name);
          assert.equal(headers['set-cookie'], undefined);
          assert.equal(headers['x-evil'], undefined);
          assert.match(String(headers['content-disposition']),
            /^(?:attachment|inline); (?:filename="[\w .()+-]*"; )?filename\*=UTF-8''[\w%.~!-]*$/);
        }
        const { headers } = await ask('GET', at(token, '', name));
        assert.equal(headers['x-evil'], undefined);
      }
      const { text } = await ask('GET', `/s/${token}`);
      assert.doesNotMatch(text, /\u202e|filename="b\.exe/);
      await site.ask('MKCOL', `/dav/${encodeURIComponent(HOSTILE[1] ?? '')}`);
      const zip = await ask('HEAD', `/s/${tokenOf(await link({}, HOSTILE[1]))}/zip`);
      assert.equal(zip.headers['set-cookie'], undefined);
      assert.match(String(zip.headers['content-disposition']), /^attachment; filename="line__Set/);
    });

    it('is framed by nobody, in none of its states', async () => {
      const token = tokenOf(await link({ role: 'uploader', fileDrop: true }));
      const closed = tokenOf(await link({ password: 'open sesame' }));
      const open = tokenOf(await link());
      const pages = [
        `/s/${token}`, `/s/${closed}`, `/s/${open}`, `/s/${token}?left=1`, '/s/guess', '/login',
        ...['photo.png', 'film.mp4', 'paper.pdf', 'one.txt'].map((name) => at(open, '', name)),
      ];
      for (const path of pages) {
        const { headers } = await ask('GET', path);
        const policy = String(headers['content-security-policy']);
        assert.match(policy, /frame-ancestors 'none'/, path);
        assert.doesNotMatch(policy, /script-src|unsafe|https?:|\*/, path);
        assert.equal(headers['x-frame-options'], 'DENY', path);
        assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
      }
      const paper = await ask('GET', at(open, '/view', 'paper.pdf'));
      assert.match(String(paper.headers['content-security-policy']), /frame-ancestors 'self'/);
    });

    it('sends nobody elsewhere, whatever the address or the form says', async () => {
      const token = tokenOf(await link({ password: 'open sesame' }));
      const elsewhere = 'https://evil.example/';
      const query = ['next', 'return', 'redirect', 'redirect_url', 'path', 'to', 'url']
        .map((key) => `${key}=${encodeURIComponent(elsewhere)}`).join('&');
      const browser = new Browser(site, { 'X-Forwarded-Host': 'evil.example' });
      const page = await browser.get(`/s/${token}?${query}`);
      const [form] = formsOf(page.text);
      assert.equal(form?.action, `/s/${token}`);
      const fields = Object.fromEntries(new URLSearchParams(query));
      const opened = await browser.post(`/s/${token}?${query}`, {
        ...fields, ...form.fields, password: 'open sesame',
      });
      assert.deepEqual([opened.status, opened.headers.location], [303, `/s/${token}`]);
      for (const path of [`/s//${elsewhere}`, '/s/%2f%2fevil.example', '//evil.example/s/x']) {
        assert.equal((await browser.get(path)).headers.location, undefined, path);
      }
      for (const device of ['', elsewhere, '//evil.example', '1.//evil.example', '2.https:evil']) {
        const visitor = new Browser(site);
        const login = await visitor.get(`/login?${query}&device=${encodeURIComponent(device)}`);
        const signedIn = await visitor.submit(login, '/login', {
          ...fields, device, user: 'anna', password: 'correct horse battery',
        });
        assert.deepEqual([signedIn.status, signedIn.headers.location], [303, '/'], device);
      }
    });
  });
});
