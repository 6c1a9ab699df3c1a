import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudSite, PASSWORD } from '../nextcloud/testing/cloud-site.ts';
import type { Answer } from '../nextcloud/testing/cloud-site.ts';
import { parseFlowTarget, signInPageOf } from './flow-target.ts';
import { Browser } from './testing/browser.ts';

interface Begun {
  poll: { token: string; endpoint: string };
  login: string;
}

describe('the login flow', () => {
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open();
  });
  after(() => site.close());

  async function begin(userAgent = 'Workbench (Desktop Client - Linux)'): Promise<Begun> {
    const { status, text } = await site.ask('POST', '/index.php/login/v2', {
      auth: undefined, body: '', headers: { 'User-Agent': userAgent },
    });
    assert.equal(status, 200);
    return JSON.parse(text) as Begun;
  }

  const pathOf = (url: string): string => new URL(url).pathname;
  const poll = ({ poll: { token, endpoint } }: Begun): Promise<Answer> =>
    site.ask('POST', pathOf(endpoint), {
      auth: undefined, body: new URLSearchParams({ token }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });

  it('lets a device in after the person has signed in and granted, and tells it once', async () => {
    const flow = await begin();
    const origin = `http://localhost:${site.server.port}`;
    assert.equal(flow.poll.endpoint, `${origin}/index.php/login/v2/poll`);
    assert.ok(flow.login.startsWith(`${origin}/index.php/login/v2/flow/`));
    assert.equal((await poll(flow)).status, 404);
    const browser = new Browser(site);
    const asked = await browser.get(pathOf(flow.login));
    const signInAt = asked.headers.location ?? '';
    assert.match(signInAt, /^\/login\?device=2\./);
    const signedIn = await browser.submit(await browser.get(signInAt), '/login', {
      user: 'anna', password: PASSWORD,
    });
    const grantAt = signedIn.headers.location ?? '';
    const question = await browser.get(grantAt);
    assert.match(question.text, /Workbench \(Desktop Client - Linux\)/);
    assert.match(question.text, /<strong>Anna<\/strong>/);
    assert.equal((await poll(flow)).status, 404);
    const granted = await browser.submit(question, grantAt, { answer: 'grant' });
    assert.match(granted.text, /may now use your account/);
    const told = await poll(flow);
    assert.equal(told.status, 200);
    const { server, loginName, appPassword } = JSON.parse(told.text) as Record<string, string>;
    assert.deepEqual([server, loginName], [origin, 'anna']);
    assert.equal((await poll(flow)).status, 404);
    const auth = `anna:${appPassword ?? ''}`;
    assert.equal((await site.ocs('/ocs/v1.php/cloud/user', { auth })).status, 200);
    assert.equal((await site.ask('PROPFIND', '/remote.php/webdav/', {
      auth, headers: { Depth: '0' },
    })).status, 207);
    assert.equal((await browser.get(grantAt)).status, 404);
  });

  it('tells the addresses that the client itself has used', async () => {
    const { text } = await site.ask('POST', '/login/v2', {
      auth: undefined, body: '',
      headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'cloud.example' },
    });
    const flow = JSON.parse(text) as Begun;
    assert.equal(flow.poll.endpoint, 'https://cloud.example/index.php/login/v2/poll');
    const host = await site.ask('POST', '/login/v2', {
      auth: undefined, body: '', headers: { Host: 'a"><script>/x' },
    });
    assert.ok(!host.text.includes('script'));
  });

  it('lets nobody in when the person cancels', async () => {
    const flow = await begin();
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const page = await browser.get(pathOf(flow.login));
    const action = pathOf(flow.login).replace('/index.php', '');
    const cancelled = await browser.submit(page, action, { answer: 'cancel' });
    assert.match(cancelled.text, /Nothing was connected/);
    assert.equal((await poll(flow)).status, 404);
  });

  it('grants nothing by an address alone, nor by another site\'s form', async () => {
    const flow = await begin();
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const path = pathOf(flow.login);
    await browser.get(`${path}?answer=grant`);
    assert.equal((await browser.post(path, { answer: 'grant' })).status, 403);
    assert.equal((await poll(flow)).status, 404);
  });

  it('shows the name of a device as words, whatever it says', async () => {
    const flow = await begin('<img src=x onerror=alert(1)>"\'');
    const browser = new Browser(site);
    await browser.signIn('anna', PASSWORD);
    const { text } = await browser.get(pathOf(flow.login));
    assert.ok(!text.includes('<img'));
    assert.ok(text.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;'));
  });

  it('answers 404 for tokens that mean nothing, and takes POST only', async () => {
    const browser = new Browser(site);
    for (const token of ['x', 'x'.repeat(43), '..%2f..%2fetc', 'a/b']) {
      assert.equal((await browser.get(`/login/v2/flow/${token}`)).status, 404);
    }
    const endpoint = 'http://x/login/v2/poll';
    const unknown = await poll({ poll: { token: 'x'.repeat(43), endpoint }, login: '' });
    assert.equal(unknown.status, 404);
    assert.equal((await site.ask('GET', '/login/v2/poll')).status, 405);
    const large = { body: 'x'.repeat(5000) };
    assert.equal((await site.ask('POST', '/login/v2/poll', large)).status, 413);
  });

  it('of version 1 ends at the app\'s own address, once', async () => {
    const app = { 'User-Agent': 'Mozilla/5.0 (Android) Nextcloud-android/3.30' };
    const browser = new Browser(site, app);
    assert.equal((await browser.get('/index.php/login/flow')).status, 403);
    const begun = await browser.get('/index.php/login/flow', { 'OCS-APIRequest': 'true' });
    assert.equal(begun.status, 303);
    const grantAt = begun.headers.location ?? '';
    assert.match(grantAt, /^\/login\/v1\/flow\//);
    const toSignIn = await browser.get(grantAt);
    const signInPage = await browser.get(toSignIn.headers.location ?? '');
    const who = { user: 'anna', password: PASSWORD };
    const signedIn = await browser.submit(signInPage, '/login', who);
    assert.equal(signedIn.headers.location, grantAt);
    const question = await browser.get(grantAt);
    assert.match(question.text, /Nextcloud app on Android/);
    assert.match(String(question.headers['content-security-policy']), /form-action 'self' nc:;/);
    const granted = await browser.submit(question, grantAt, { answer: 'grant' });
    const address = /^nc:\/\/login\/server:(.*)&user:(.*)&password:(.*)$/;
    const [, server, user, password = ''] = address.exec(granted.headers.location ?? '') ?? [];
    assert.deepEqual([server, user], [`http://localhost:${site.server.port}`, 'anna']);
    const auth = `anna:${password}`;
    assert.equal((await site.ocs('/ocs/v1.php/cloud/user', { auth })).status, 200);
    assert.equal((await browser.submit(question, grantAt, { answer: 'grant' })).status, 404);
  });

  it('leads to pages of this server only', async () => {
    const browser = new Browser(site);
    for (const raw of ['//evil.example', 'https://evil.example',
      '2.//evil.example/aaaaaaaaaaaaaaaaaa', `3.${'a'.repeat(43)}`,
      `2.${'a'.repeat(43)}/../../x`, `2.${'a'.repeat(43)}\r\nX: y`]) {
      assert.equal(parseFlowTarget(raw), undefined, raw);
      const device = encodeURIComponent(raw);
      const page = await browser.get(`/login?device=${device}&next=//evil.example`);
      const form = await browser.submit(page, '/login', {
        user: 'anna', password: PASSWORD, device: raw, next: '//evil.example',
      });
      assert.equal(form.headers.location, '/');
      await browser.submit(await browser.get('/'), '/logout');
    }
    assert.equal(signInPageOf(undefined), '/login');
  });
});
