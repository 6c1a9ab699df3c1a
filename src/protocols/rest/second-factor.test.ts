import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { PASSWORD, RestSite, START_MS } from './testing/rest-site.ts';
import type { Json, JsonAnswer } from './testing/rest-site.ts';

const WAIT = { timeout: 120_000 };
const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin' };
const STEP_MS = 30_000;
const ROOT = '/account/second-factor';

// The clock of accounts stands still here, so each of the three codes that are near is good once.
function codeOf(secret: string, steps: -1 | 0 | 1): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  return totp.generate({ timestamp: START_MS + steps * STEP_MS });
}

describe('the second step of signing in, in the API', WAIT, () => {
  let site: RestSite;
  before(async () => {
    site = await RestSite.open();
  });
  after(() => site.close());

  const signIn = (code?: string, cookie = ''): Promise<JsonAnswer> => site.ask('POST', '/session', {
    auth: undefined, headers: { ...OWN_PAGE, ...(cookie !== '' && { Cookie: cookie }) },
    json: { user: 'anna', password: PASSWORD, ...(code !== undefined && { code }) },
  });
  const cookieOf = ({ headers }: JsonAnswer): string =>
    (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  const asked = (cookie: string, method: string, path: string, json?: unknown) => (
    site.ask(method, path, {
      auth: undefined, headers: { Cookie: cookie, ...OWN_PAGE },
      ...(json !== undefined && { json }),
    }));
  const told = ({ status, json }: JsonAnswer): unknown => [status, (json as Json)?.code];

  it('is turned on by password and code, asked for at sign-in, and turned off', async () => {
    const [here, there] = [cookieOf(await signIn()), cookieOf(await signIn())];
    const { password: ofDevice } = (await asked(here, 'POST', '/devices', { name: 'x' })).json;
    const { token } = (await asked(here, 'POST', '/tokens', {
      label: 'x', scopes: ['account'],
    })).json;
    const off = { isOn: false, recoveryCodesLeft: 0 };
    assert.deepEqual((await asked(here, 'GET', ROOT)).json, off);
    assert.deepEqual(told(await asked(here, 'POST', ROOT, { password: 'wrong' })),
      [403, 'password-wrong']);
    assert.deepEqual(told(await asked(here, 'POST', ROOT, { password: ofDevice })),
      [403, 'password-wrong']);
    const begun = await asked(here, 'POST', ROOT, { password: PASSWORD });
    assert.equal(begun.status, 201);
    const { secret, address } = begun.json;
    assert.match(address, /^otpauth:\/\/totp\/Holdfast:anna%40localhost/);
    const confirm = (code: string) => asked(here, 'POST', `${ROOT}/confirmation`, { code });
    assert.deepEqual(told(await confirm('12 34 56 7')),
      [403, 'second-factor-wrong']);
    const turned = await confirm(codeOf(secret, -1));
    const codes = turned.json.codes as string[];
    assert.equal(codes.length, 10);
    assert.equal((await asked(here, 'GET', ROOT)).json.recoveryCodesLeft, 10);
    assert.equal((await asked(here, 'GET', '/account')).json.hasSecondFactor, true);
    assert.equal((await asked(there, 'GET', '/account')).status, 401, 'others are signed out');

    assert.deepEqual(told(await signIn()), [401, 'second-factor-required']);
    assert.deepEqual(told(await signIn('000 000')), [401, 'second-factor-wrong']);
    const code = codeOf(secret, 0);
    assert.equal((await signIn(code)).status, 200);
    assert.deepEqual(told(await signIn(code)), [401, 'second-factor-wrong'], 'replayed');
    assert.equal((await signIn(codes[0])).status, 200);
    assert.deepEqual(told(await signIn(codes[0])), [401, 'second-factor-wrong'], 'replayed');
    assert.equal((await asked(here, 'GET', ROOT)).json.recoveryCodesLeft, 9);

    const alone = await site.ask('GET', '/account');
    assert.deepEqual(told(alone), [401, 'app-password-required']);
    assert.match(alone.json.detail, /app password/);
    const dav = await site.cloud.ask('PROPFIND', '/dav/');
    assert.equal(dav.status, 401);
    assert.match(dav.text, /app password/);
    const auth = `anna:${ofDevice}`;
    assert.equal((await site.ask('GET', '/account', { auth })).status, 200);
    const bearer = { auth: undefined, headers: { Authorization: `Bearer ${token}` } };
    assert.equal((await site.ask('GET', '/account', bearer)).status, 200);

    const proof = { json: { password: PASSWORD, code: codes[1] } };
    for (const path of [ROOT, `${ROOT}/recovery-codes`, `${ROOT}/end`]) {
      for (const way of [{ auth }, bearer]) {
        const json = path === ROOT ? { password: PASSWORD } : proof.json;
        assert.deepEqual(told(await site.ask('POST', path, { ...way, json })),
          [403, 'own-password'], path);
      }
    }
    const renewed = await asked(here, 'POST', `${ROOT}/recovery-codes`, proof.json);
    const [fresh] = renewed.json.codes as string[];
    const end = (code?: string) => asked(here, 'POST', `${ROOT}/end`, { password: PASSWORD, code });
    assert.deepEqual(told(await end(codes[2])), [403, 'second-factor-wrong'], 'void');
    assert.equal((await end(fresh)).status, 204);
    assert.equal((await signIn()).status, 200);
    assert.equal((await site.ask('GET', '/account')).status, 200);
  });

  it('begins a session of its own each time, whatever cookie was there', async () => {
    const planted = 'holdfast-session=planted-planted-planted-planted-planted';
    const [first, second] = [cookieOf(await signIn(undefined, planted)), ''];
    assert.notEqual(first, planted);
    assert.equal((await asked(planted, 'GET', '/account')).status, 401);
    const again = cookieOf(await signIn(undefined, first));
    assert.ok(again !== first && again !== second);
  });

  it('gives out a cookie that no script and no other site can use', async () => {
    const [cookie = ''] = (await signIn()).headers['set-cookie'] ?? [];
    assert.match(cookie, /^holdfast-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=/);
    const { headers } = await site.ask('POST', '/session', {
      auth: undefined, headers: { ...OWN_PAGE, 'X-Forwarded-Proto': 'https' },
      json: { user: 'anna', password: PASSWORD },
    });
    assert.match(headers['set-cookie']?.[0] ?? '', /^__Host-holdfast-session=.*; Secure; /);
  });

  it('takes nothing of this from other sites', async () => {
    const cookie = cookieOf(await signIn());
    const foreign = [
      { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://elsewhere.example' }, {},
    ];
    for (const headers of foreign) {
      for (const [path, json] of [
        [ROOT, { password: PASSWORD }], [`${ROOT}/end`, { password: PASSWORD, code: '1' }],
      ] as const) {
        const answer = await site.ask('POST', path, {
          auth: undefined, headers: { ...headers, Cookie: cookie }, json,
        });
        assert.deepEqual(told(answer), [403, 'foreign-origin'], JSON.stringify(headers));
      }
      const signing = await site.ask('POST', '/session', {
        auth: undefined, headers, json: { user: 'anna', password: PASSWORD },
      });
      assert.deepEqual(told(signing), [403, 'foreign-origin']);
    }
  });

  it('signs all other browsers out at once', async () => {
    const [here, there] = [cookieOf(await signIn()), cookieOf(await signIn())];
    assert.equal((await asked(here, 'DELETE', '/sessions')).status, 204);
    assert.equal((await asked(there, 'GET', '/account')).status, 401);
    const { json: { items } } = await asked(here, 'GET', '/sessions');
    assert.deepEqual(items.map((one: Json) => one.isCurrent), [true]);
  });

  it('slows down who guesses codes', async () => {
    const { secret } = (await site.ask('POST', ROOT, {
      auth: `ben:${PASSWORD}`, json: { password: PASSWORD },
    })).json;
    await site.ask('POST', `${ROOT}/confirmation`, {
      auth: `ben:${PASSWORD}`, json: { code: codeOf(secret, -1) },
    });
    const guess = (code: string): Promise<JsonAnswer> => site.ask('POST', '/session', {
      auth: undefined, headers: OWN_PAGE, json: { user: 'ben', password: PASSWORD, code },
    });
    const right = [-1, 0, 1].map((steps) => codeOf(secret, steps as 0));
    const wrong = Array.from({ length: 9 }, (_, at) => `10000${at}`)
      .filter((code) => !right.includes(code)).slice(0, 6);
    for (const code of wrong) assert.equal((await guess(code)).status, 401);
    const refused = await guess(codeOf(secret, 0));
    assert.deepEqual(told(refused), [429, 'sign-in-throttled']);
    assert.match(refused.headers['retry-after'] ?? '', /^\d+$/);
  });
});
