import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseUserId } from '../../base/ids.ts';
import { CloudSite, PASSWORD } from '../nextcloud/testing/cloud-site.ts';
import type { Answer } from '../nextcloud/testing/cloud-site.ts';
import { STYLESHEET_HREF } from './stylesheet.ts';
import { Browser, formsOf } from './testing/browser.ts';

const SIGNED_IN = 'holdfast-session';

describe('the pages of somebody who is signed in', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open({ quotaBytes: 1_000_000 });
  });
  after(() => site.close());

  it('send strangers to sign in, and home from there', async () => {
    const browser = new Browser(site);
    const first = await browser.get('/');
    assert.deepEqual([first.status, first.headers.location], [303, '/login']);
    const signedIn = await browser.signIn('Anna', PASSWORD);
    assert.deepEqual([signedIn.status, signedIn.headers.location], [303, '/']);
    const home = await browser.get('/');
    assert.equal(home.status, 200);
    assert.match(home.text, new RegExp(`http://localhost:${site.server.port}`));
    assert.match(home.text, /0 bytes of 1.0 MB are in use/);
    assert.match(home.text, /Firefox on Linux/);
    assert.equal((await browser.get('/login')).headers.location, '/');
  });

  it('set a cookie that scripts and other sites cannot use, safer still under TLS', async () => {
    const plain = await new Browser(site).signIn('anna', PASSWORD);
    const cookie = plain.headers['set-cookie']?.[0] ?? '';
    assert.match(cookie, /^holdfast-session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    const behindTls = new Browser(site, { 'X-Forwarded-Proto': 'https' });
    const secure = await behindTls.signIn('anna', PASSWORD);
    assert.match(secure.headers['set-cookie']?.[0] ?? '',
      /^__Host-holdfast-session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/);
  });

  it('say the same of a wrong password and an unknown user, and slow down guessing', async () => {
    const browser = new Browser(site);
    const wrong = await browser.signIn('ben', 'not his password');
    assert.equal(wrong.status, 403);
    assert.equal(wrong.headers['www-authenticate'], undefined);
    assert.match(wrong.text, /name="user" type="text" value="ben"/);
    assert.ok(!wrong.text.includes('not his password'));
    const unknown = await browser.signIn('nobody', 'not a password');
    const textOf = (answer: Answer): string => /role="alert">([^<]*)/.exec(answer.text)?.[1] ?? '';
    assert.equal(textOf(unknown), textOf(wrong));
    let last = wrong;
    for (let tries = 0; tries < 8; tries += 1) {
      last = await browser.signIn('ben', `guess number ${tries}`);
    }
    assert.equal(last.status, 429);
    assert.match(last.headers['retry-after'] ?? '', /^\d+$/);
  });

  it('make an app password that is shown once, works, and can be taken back', async () => {
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const made = await browser.submit(await browser.get('/'), '/devices/create', {
      device: 'Laptop in the kitchen',
    });
    const password = /class="copy secret">([^<]*)</.exec(made.text)?.[1] ?? '';
    const auth = `anna:${password}`;
    assert.equal((await site.ocs('/ocs/v2.php/cloud/user', { auth })).status, 200);
    const home = await browser.get('/');
    assert.match(home.text, /Laptop in the kitchen/);
    assert.ok(!home.text.includes(password));
    const gone = await browser.submit(home, '/devices/revoke');
    assert.equal(gone.status, 303);
    assert.match((await browser.get('/?done=revoked')).text, /cannot use your account any more/);
    assert.equal((await site.ocs('/ocs/v2.php/cloud/user', { auth })).status, 401);
  });

  it('cannot take back what is somebody else\'s', async () => {
    const theirs = await site.identity.appPasswords.create(parseUserId('ben'), 'phone');
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const forms = formsOf((await browser.get('/')).text);
    const form = forms.find(({ action }) => action === '/devices/create');
    await browser.post('/devices/revoke', { ...form?.fields, kind: 'app-password', id: theirs.id });
    const auth = `ben:${theirs.password}`;
    assert.equal((await site.ocs('/ocs/v2.php/cloud/user', { auth })).status, 200);
  });

  it('change the password only for who knows it, and end all other sessions then', async () => {
    await site.identity.users.add({ id: 'carl', password: PASSWORD });
    const here = new Browser(site);
    const there = new Browser(site);
    await here.signIn('carl', PASSWORD);
    await there.signIn('carl', PASSWORD);
    const change = async (old: string, wanted: string, again = wanted): Promise<Answer> =>
      here.submit(await here.get('/'), '/password', {
        'old-password': old, password: wanted, 'password-again': again,
      });
    const differ = await change(PASSWORD, 'a new password', 'another one');
    assert.match(differ.text, /passwords differ/);
    assert.match((await change('wrong password', 'a new password')).text, /password is wrong/);
    assert.match((await change(PASSWORD, 'short')).text, /at least 10 characters/);
    const device = await site.identity.appPasswords.create(parseUserId('carl'), 'phone');
    assert.match((await change(device.password, 'a new password')).text, /is an app password/);
    const changed = await change(PASSWORD, 'a new password');
    assert.deepEqual([changed.status, changed.headers.location], [303, '/account?done=password']);
    assert.match((await here.get('/account?done=password')).text, /Your password is changed/);
    assert.equal((await there.get('/')).headers.location, '/login');
  });

  it('sign out for good', async () => {
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const stolen = browser.cookies.get(SIGNED_IN) ?? '';
    await browser.submit(await browser.get('/'), '/logout');
    assert.equal(browser.cookies.has(SIGNED_IN), false);
    browser.cookies.set(SIGNED_IN, stolen);
    assert.equal((await browser.get('/')).headers.location, '/login');
  });

  it('take no form that another site could have sent', async () => {
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const home = await browser.get('/');
    const form = formsOf(home.text).find(({ action }) => action === '/devices/create');
    const fields = { ...form?.fields, device: 'x' };
    const refused: [Record<string, string>, Record<string, string>][] = [
      [{ device: 'x' }, {}],
      [{ ...fields, 'form-token': 'x'.repeat(43) }, {}],
      [fields, { 'Sec-Fetch-Site': 'cross-site' }],
      [fields, { 'Sec-Fetch-Site': 'same-site' }],
      [fields, { Origin: 'https://elsewhere.example' }],
      [fields, { 'Content-Type': 'text/plain' }],
    ];
    for (const [body, headers] of refused) {
      const { status } = await browser.post('/devices/create', body, headers);
      assert.ok(status === 403 || status === 400, JSON.stringify(headers));
    }
    const others = new Browser(site);
    await others.signIn('ben', PASSWORD);
    assert.equal((await others.post('/devices/create', fields)).status, 403);
    const own = { 'Sec-Fetch-Site': 'same-origin', Origin: `http://localhost:${site.server.port}` };
    assert.equal((await browser.post('/devices/create', fields, own)).status, 200);
  });

  it('sign nobody in from another site', async () => {
    const browser = new Browser(site);
    const { status } = await browser.post('/login', { user: 'anna', password: PASSWORD });
    assert.equal(status, 403);
    assert.equal(browser.cookies.has(SIGNED_IN), false);
  });

  it('let no cookie into the files or the OCS interface', async () => {
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    for (const path of ['/remote.php/webdav/', '/ocs/v2.php/cloud/user', '/dav/']) {
      assert.equal((await browser.get(path, { 'OCS-APIRequest': 'true' })).status, 401);
    }
  });

  it('show a stranger\'s words as words', async () => {
    const evil = '"><script>alert(1)</script><b x=\'&amp;\u202egnp.exe';
    await site.identity.appPasswords.create(parseUserId('anna'), evil);
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const { text } = await browser.get('/?done=<script>');
    assert.ok(!text.includes('<script'));
    assert.ok(!text.includes('\u202e'));
    const escaped = '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b x=&#39;&amp;amp;';
    assert.ok(text.includes(escaped));
    const wrong = await browser.get('/login?device="><script>');
    assert.ok(!wrong.text.includes('<script'));
  });

  it('let nothing be loaded, framed, kept or told to others', async () => {
    const pages = [await new Browser(site).get('/login'), await new Browser(site).get('/nowhere')];
    for (const { headers } of pages) {
      assert.equal(headers['content-security-policy'], 'default-src \'none\'; style-src \'self\'; '
        + 'form-action \'self\'; frame-ancestors \'none\'; base-uri \'none\'');
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    const style = await new Browser(site).get(STYLESHEET_HREF);
    assert.match(style.headers['content-type'] ?? '', /^text\/css/);
  });
});

describe('addresses that are nobody\'s', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open();
  });
  after(() => site.close());

  it('answer people with a page and programs in the form of DAV', async () => {
    const page = await site.ask('GET', '/nowhere', { headers: { Accept: 'text/html' } });
    assert.equal(page.status, 404);
    assert.match(page.text, /Nothing here/);
    for (const path of ['/nowhere', '/remote.php/dav/calendars/anna']) {
      const { status, text } = await site.ask('PROPFIND', path);
      assert.equal(status, 404);
      assert.match(text, /<s:exception>Sabre\\DAV\\Exception\\NotFound/);
    }
  });

  it('let clients that start at the top pass down to the files', async () => {
    for (const path of ['/', '/remote.php', '/remote.php/', '/remote.php/dav/']) {
      const options = await site.ask('OPTIONS', path, { auth: undefined });
      assert.equal(options.status, 200);
      assert.equal(options.headers['dav'], '1, 2, 3');
      const headers = { Depth: '0' };
      const unknown = await site.ask('PROPFIND', path, { auth: undefined, headers });
      assert.equal(unknown.status, 401);
      const found = await site.ask('PROPFIND', path, { headers });
      assert.equal(found.status, 207);
      assert.match(found.text, /<d:resourcetype><d:collection\/><\/d:resourcetype>/);
    }
    assert.equal((await site.ask('OPTIONS', '/any/where', { auth: undefined })).status, 200);
  });

  it('refuse methods that a page does not take', async () => {
    const answer = await site.ask('PUT', '/login', { body: 'x' });
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD, POST']);
    assert.equal((await site.ask('POST', '/', { body: 'x' })).status, 405);
    assert.equal((await site.ask('HEAD', '/login')).text, '');
  });
});

describe('the first start', () => {
  it('makes the first administrator by the link, once', async () => {
    const site = await CloudSite.open({ isEmpty: true });
    try {
      const link = await site.identity.createSetupLink();
      const browser = new Browser(site);
      assert.equal((await browser.get('/setup')).status, 403);
      assert.equal((await browser.get('/setup?token=wrong')).status, 403);
      const page = await browser.get(`/setup?token=${link?.token ?? ''}`);
      assert.equal(page.status, 200);
      const good = { user: 'dora', password: PASSWORD, 'password-again': PASSWORD };
      for (const bad of [{ user: 'Not A Name' }, { password: 'short', 'password-again': 'short' },
        { 'password-again': 'else' }]) {
        const refused = await browser.submit(page, '/setup', { ...good, ...bad });
        assert.equal(refused.status, 400);
        assert.match(refused.text, /role="alert"/);
        assert.ok(!refused.text.includes(PASSWORD));
      }
      const made = await browser.submit(page, '/setup', { ...good, 'display-name': 'Dora <3' });
      assert.deepEqual([made.status, made.headers.location], [303, '/']);
      assert.match((await browser.get('/')).text, /Dora &lt;3/);
      assert.equal((await site.identity.users.get(parseUserId('dora'))).admin, true);
      const again = await browser.submit(page, '/setup', { ...good, user: 'eve' });
      assert.equal(again.status, 403);
    } finally {
      await site.close();
    }
  });
});
