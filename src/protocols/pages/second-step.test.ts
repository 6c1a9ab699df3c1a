import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { parseUserId } from '../../base/ids.ts';
import { CloudSite, PASSWORD, START_MS } from '../nextcloud/testing/cloud-site.ts';
import { Browser, formsOf } from './testing/browser.ts';

const STEP_MS = 30_000;
const ANNA = parseUserId('anna');
const PROOF = { user: ANNA, password: PASSWORD, address: '192.0.2.1' };

describe('the page for signing in, where a second step is on', () => {
  let site: CloudSite;
  let secret: string;
  let recovery: string[];
  const codeOf = (steps: number): string => new TOTP({ secret: Secret.fromBase32(secret) })
    .generate({ timestamp: START_MS + steps * STEP_MS });
  before(async () => {
    site = await CloudSite.open();
    const { identity } = site;
    const caller = await identity.authenticateBasic(PROOF);
    ({ secret } = await identity.secondFactors.begin(PROOF, ''));
    recovery = await identity.secondFactors.turnOn(caller, {
      code: codeOf(-1), address: PROOF.address,
    });
  });
  after(() => site.close());

  it('asks for the code, and does not show the password again', async () => {
    const browser = new Browser(site);
    const asking = await browser.signIn('anna', PASSWORD);
    assert.equal(asking.status, 200);
    assert.equal(asking.headers['set-cookie'], undefined);
    assert.match(asking.text, /name="code"[^>]*autocomplete="one-time-code"/);
    assert.ok(!asking.text.includes(PASSWORD));
    const wrong = await browser.submit(asking, '/login', { code: '12345' });
    assert.equal(wrong.status, 403);
    assert.match(wrong.text, /role="alert">This code is not right/);
    const right = await browser.submit(wrong, '/login', { code: codeOf(0) });
    assert.deepEqual([right.status, right.headers.location], [303, '/']);
    assert.equal((await browser.get('/')).status, 200);
    const other = new Browser(site);
    const replayed = await other.submit(await other.signIn('anna', PASSWORD), '/login', {
      code: codeOf(0),
    });
    assert.equal(replayed.status, 403);
  });

  it('takes a recovery code, and goes on to the device that waits', async () => {
    const flow = await site.identity.loginFlows.begin('Mozilla/5.0 (Linux) mirall/3.15');
    const browser = new Browser(site);
    const page = await browser.get(`/login?device=2.${flow.flowToken}`);
    const asking = await browser.submit(page, '/login', { user: 'anna', password: PASSWORD });
    const done = await browser.submit(asking, '/login', { code: recovery[0] ?? '' });
    assert.equal(done.headers.location, `/login/v2/flow/${flow.flowToken}`);
  });

  it('takes what it gave to one browser from no other, and nothing made up', async () => {
    const [first, second] = [new Browser(site), new Browser(site)];
    const asking = await first.signIn('anna', PASSWORD);
    const [form] = formsOf(asking.text).filter(({ action }) => action === '/login');
    for (const half of [form?.fields['half'] ?? '', 'made-up', '']) {
      const foreign = await second.submit(await second.get('/login'), '/login', {
        half, code: codeOf(1),
      });
      assert.equal(foreign.status, 403);
      assert.doesNotMatch(foreign.text, /name="half"/);
    }
  });

  it('changes the password and stays signed in, without a code', async () => {
    const browser = new Browser(site);
    const asking = await browser.signIn('anna', PASSWORD);
    await browser.submit(asking, '/login', { code: recovery[1] ?? '' });
    const next = 'another good one';
    const changed = await browser.submit(await browser.get('/account'), '/password', {
      'old-password': PASSWORD, 'password': next, 'password-again': next,
    });
    assert.equal(changed.headers.location, '/account?done=password');
    assert.equal((await browser.get('/account')).status, 200);
  });
});
