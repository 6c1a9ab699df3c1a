/** Login flow v2, with plain HTTP on the app's side and cookies on the browser's. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { ask } from '../support/dav-client.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

interface Flow {
  readonly poll: { readonly token: string; readonly endpoint: string };
  readonly login: string;
}

describe('login flow v2', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  let user: DavClient;

  before(async () => {
    server = await servers.start();
    user = await server.addUser();
  });

  async function begin(device: string): Promise<Flow> {
    const { status, text } = await ask('POST', `${server.url}/index.php/login/v2`, {
      headers: { 'User-Agent': device },
    });
    assert.equal(status, 200, text);
    return JSON.parse(text) as Flow;
  }

  async function poll({ poll: { token, endpoint } }: Flow): Promise<Answer> {
    return ask('POST', endpoint, {
      body: `token=${encodeURIComponent(token)}`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
  }

  /** Signs in when asked to, and grants when asked to. */
  async function grant(flow: Flow, browser: Browser): Promise<Page> {
    let page = await browser.open(flow.login);
    for (let n = 0; n < 5; n += 1) {
      const signIn = page.forms.find(({ types }) => [...types.values()].includes('password'));
      const granting = page.forms.find(({ text, method }) => {
        return method === 'POST' && /grant|allow/i.test(text);
      });
      if (signIn !== undefined) {
        const [nameField = 'user'] = [...signIn.types].find(([, type]) => type === 'text') ?? [];
        const { name, password } = user;
        page = await browser.submit(page, signIn, { [nameField]: name, password });
      } else if (granting !== undefined) {
        return browser.submit(page, granting, {});
      } else {
        page = await browser.open(flow.login);
      }
      assert.ok(page.status < 400, `${page.status} ${page.url}: ${page.text}`);
    }
    assert.fail(`no way to grant: ${page.text}`);
  }

  it('gives an app password once, which works everywhere until it is revoked', async () => {
    const flow = await begin('Test phone 1');
    assert.ok(flow.login.startsWith(server.url) && flow.poll.endpoint.startsWith(server.url));
    assert.equal((await poll(flow)).status, 404, 'not granted yet');
    const done = await grant(flow, new Browser());
    assert.ok(done.status < 400, done.text);
    const polled = await poll(flow);
    assert.equal(polled.status, 200, polled.text);
    const won = JSON.parse(polled.text) as Record<'server' | 'loginName' | 'appPassword', string>;
    assert.equal(won.server, server.url);
    assert.equal(won.loginName, user.name);
    assert.equal((await poll(flow)).status, 404, 'a second poll gets nothing');

    const app = server.client(won.loginName, won.appPassword);
    assert.equal((await app.put('from app.txt', 'app')).status, 201);
    const OCS = { 'OCS-APIRequest': 'true' };
    const about = await app.ask('GET', '/ocs/v1.php/cloud/user?format=json', { headers: OCS });
    assert.match(about.text, /"id":"ada"/);
    const revoked = await app.ask('DELETE', '/ocs/v2.php/core/apppassword', { headers: OCS });
    assert.equal(revoked.status, 200, revoked.text);
    assert.equal((await app.get('from app.txt')).status, 401, 'a revoked password still works');
    assert.equal((await user.get('from app.txt')).text, 'app');
  });

  it('gives nothing to whoever did not begin it, and nothing without a grant', async () => {
    const flow = await begin('Test phone 2');
    const guess = await poll({ ...flow, poll: { ...flow.poll, token: 'guessed' } });
    assert.equal(guess.status, 404);
    await new Browser().open(flow.login);
    assert.equal((await poll(flow)).status, 404);
  });

  it('shows the page to no frame, and takes no grant from another site', async () => {
    const flow = await begin('Test phone 3');
    const page = await new Browser().open(flow.login);
    const policy = String(page.headers['content-security-policy']);
    assert.match(policy, /frame-ancestors 'none'/);
    const { status } = await ask('POST', flow.login.replace(/\/flow\/.*/, '/grant'), {
      body: `stateToken=${flow.poll.token}`,
      headers: {
        Origin: 'https://evil.example', 'Content-Type': 'application/x-www-form-urlencoded',
      },
    });
    assert.ok(status >= 400, `a foreign grant answers ${status}`);
    assert.equal((await poll(flow)).status, 404);
  });
});
