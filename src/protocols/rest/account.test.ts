import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json } from './testing/rest-site.ts';

const WAIT = { timeout: 120_000 };

describe('the account in the API', WAIT, () => {
  let site: RestSite;
  before(async () => {
    site = await RestSite.open();
  });
  after(() => site.close());

  const bearer = (token: string) => (
    { auth: undefined, headers: { Authorization: `Bearer ${token}` } });
  const tokenFor = async (scopes: string[]): Promise<Json> => (await site.ask('POST', '/tokens', {
    json: { label: 'script', scopes },
  })).json;

  it('makes tokens that are good for their scopes alone, until they are ended', async () => {
    const { token, id } = await tokenFor(['files:read']);
    assert.match(token, /^hft_/);
    assert.equal((await site.ask('GET', '/nodes/by-path?path=/', bearer(token))).status, 200);
    const others = [
      ['POST', `/nodes/${await site.rootId()}/children`, { kind: 'folder', name: 'x' }],
      ['GET', '/tokens', undefined], ['GET', '/users', undefined],
      ['GET', '/shares?direction=by-me', undefined],
    ] as const;
    for (const [method, path, json] of others) {
      const { status, json: problem } = await site.ask(method, path, {
        ...bearer(token), ...(json && { json }),
      });
      assert.deepEqual([status, problem.code], [403, 'scope'], path);
    }
    const { json: { items } } = await site.ask('GET', '/tokens');
    assert.deepEqual(
      items.map((one: Json) => [one.label, one.scopes]), [['script', ['files:read']]],
    );
    assert.equal(JSON.stringify(items).includes(token), false);
    // Webhooks tell names of files.
    const { token: ofAccount } = await tokenFor(['account']);
    const hook = { url: 'https://hook.example/', secret: 'sixteen or more characters' };
    const added = await site.ask('POST', '/webhooks', { ...bearer(ofAccount), json: hook });
    assert.deepEqual([added.status, added.json.code], [403, 'scope']);
    assert.equal((await site.ask('DELETE', `/tokens/${id}`)).status, 204);
    assert.equal((await site.ask('DELETE', `/tokens/${id}`)).status, 404);
    assert.equal((await site.ask('GET', '/nodes/by-path?path=/', bearer(token))).status, 401);
  });

  it('lets no token and no device make itself further ones, nor administer unasked', async () => {
    const { token } = await tokenFor(['account', 'files:read', 'files:write', 'sharing']);
    const wishes = { json: { label: 'more', scopes: ['admin'] } };
    assert.equal((await site.ask('POST', '/tokens', { ...bearer(token), ...wishes })).status, 403);
    const device = { json: { name: 'phone' } };
    assert.equal((await site.ask('POST', '/devices', { ...bearer(token), ...device })).status, 403);
    const { json: { password } } = await site.ask('POST', '/devices', device);
    const auth = `anna:${password}`;
    assert.equal((await site.ask('GET', '/account', { auth })).json.signedInBy, 'app-password');
    assert.equal((await site.ask('POST', '/devices', { auth, ...device })).status, 403);
    assert.equal((await site.ask('POST', '/tokens', { auth, ...wishes })).status, 403);
    assert.equal((await site.ask('GET', '/users')).status, 200);
    const asDevice = await site.ask('GET', '/users', { auth });
    assert.deepEqual([asDevice.status, asDevice.json.code], [403, 'scope']);
    assert.equal((await site.ask('GET', '/account', bearer(token))).json.signedInBy, 'api-token');
  });

  it('answers a secret once: a repeated request is told that it was done', async () => {
    const options = {
      json: { label: 'once', scopes: ['sharing'] }, headers: { 'Idempotency-Key': 'k1' },
    };
    const first = await site.ask('POST', '/tokens', options);
    assert.equal(first.status, 201);
    const again = await site.ask('POST', '/tokens', options);
    assert.deepEqual([again.status, again.json.code], [409, 'idempotency-done']);
    assert.equal(again.text.includes(first.json.token), false);
  });

  it('shows devices and shuts them out', async () => {
    const { json: made } = await site.ask('POST', '/devices', { json: { name: 'laptop' } });
    const { json: { items } } = await site.ask('GET', '/devices');
    assert.ok(items.some((one: Json) => one.id === made.id && one.name === 'laptop'));
    assert.equal((await site.ask('DELETE', `/devices/${made.id}`)).status, 204);
    const auth = `anna:${made.password}`;
    assert.equal((await site.ask('GET', '/account', { auth })).status, 401);
    assert.equal((await site.ask('DELETE', '/devices/nobody')).status, 404);
  });

  it('changes the password for who knows the old one, and ends sessions', async () => {
    const { json: { items: before } } = await site.ask('GET', '/sessions');
    assert.deepEqual(before, []);
    const session = await site.cloud.identity.sessions.signIn({
      user: 'ben', password: PASSWORD, device: 'browser', address: '192.0.2.1',
    });
    const auth = `ben:${PASSWORD}`;
    const change = (oldPassword: string) => site.ask('PUT', '/account/password', {
      auth, json: { oldPassword, newPassword: 'another good one' },
    });
    assert.deepEqual((await change('wrong')).json.code, 'password-wrong');
    const { json: { items } } = await site.ask('GET', '/sessions', { auth });
    assert.deepEqual(items.map((one: Json) => [one.name, one.isCurrent]), [['browser', false]]);
    assert.equal((await change(PASSWORD)).status, 204);
    assert.equal((await site.ask('GET', '/account', { auth })).status, 401);
    await assert.rejects(async () => site.cloud.identity.authenticateSession(session.token));
    const now = { auth: 'ben:another good one' };
    assert.deepEqual((await site.ask('GET', '/sessions', now)).json.items, []);
    const json = { displayName: 'Ben B.' };
    const renamed = await site.ask('PATCH', '/account', { ...now, json });
    assert.equal(renamed.json.displayName, 'Ben B.');
  });
});
