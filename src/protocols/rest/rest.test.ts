import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask } from '../nextcloud/testing/cloud-site.ts';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { JsonAnswer } from './testing/rest-site.ts';

/** Answers of `ask` are held against the OpenAPI document: see testing/contract.ts. */
describe('The API', () => {
  let site: RestSite;
  before(async () => {
    site = await RestSite.open();
  });
  after(() => site.close());

  const refused = (answer: JsonAnswer, status: number, code: string): void => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.code, code);
    assert.equal(answer.json.status, status);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  };

  const cookieOf = async (): Promise<string> => {
    const answer = await site.ask('POST', '/session', {
      auth: undefined, json: { user: 'anna', password: PASSWORD },
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    });
    assert.equal(answer.status, 200, answer.text);
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    assert.match(cookie, /HttpOnly; SameSite=Lax/);
    return cookie.split(';')[0] ?? '';
  };

  it('says who is signed in, and asks everybody else to sign in without a browser dialog',
    async () => {
      const { json } = await site.ask('GET', '/session');
      assert.equal(json.user.id, 'anna');
      assert.equal(json.root.path, '/');
      const answer = await site.ask('GET', '/session', { auth: undefined });
      refused(answer, 401, 'unauthenticated');
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="Holdfast"');
      const wrong = await site.ask('GET', '/session', { auth: 'anna:wrong' });
      assert.equal(wrong.status, 401);
    });

  it('begins and ends sessions by cookie', async () => {
    const Cookie = await cookieOf();
    const seen = await site.ask('GET', '/session', { auth: undefined, headers: { Cookie } });
    assert.equal(seen.status, 200);
    const headers = { Cookie, 'Sec-Fetch-Site': 'same-origin' };
    assert.equal((await site.ask('DELETE', '/session', { auth: undefined, headers })).status, 204);
    const gone = await site.ask('GET', '/session', { auth: undefined, headers: { Cookie } });
    refused(gone, 401, 'unauthenticated');
  });

  it('takes changes by cookie from its own pages alone', async () => {
    const Cookie = await cookieOf();
    const root = await site.rootId();
    const make = (headers: Record<string, string>, name: string): Promise<JsonAnswer> =>
      site.ask('POST', `/nodes/${root}/children`, {
        auth: undefined, headers: { Cookie, ...headers }, json: { kind: 'folder', name },
      });
    const host = `127.0.0.1:${site.port}`;
    refused(await make({}, 'nowhere'), 403, 'foreign-origin');
    refused(await make({ Origin: 'https://evil.example' }, 'evil'), 403, 'foreign-origin');
    refused(await make({ Origin: 'null' }, 'null'), 403, 'foreign-origin');
    refused(await make({ 'Sec-Fetch-Site': 'same-site' }, 'site'), 403, 'foreign-origin');
    refused(await make({ 'Sec-Fetch-Site': 'cross-site', Origin: `http://${host}`, Host: host },
      'both'), 403, 'foreign-origin');
    assert.equal((await make({ Origin: `http://${host}`, Host: host }, 'own')).status, 201);
    assert.equal((await make({ 'Sec-Fetch-Site': 'same-origin' }, 'own-2')).status, 201);
    const signIn = await site.ask('POST', '/session', {
      auth: undefined, json: { user: 'anna', password: PASSWORD },
      headers: { Origin: 'https://evil.example' },
    });
    refused(signIn, 403, 'foreign-origin');
  });

  it('takes changes by a password that a browser keeps from no page of others', async () => {
    const root = await site.rootId();
    const make = (headers: Record<string, string>, name: string): Promise<JsonAnswer> =>
      site.ask('POST', `/nodes/${root}/children`, { headers, json: { kind: 'folder', name } });
    refused(await make({ 'Sec-Fetch-Site': 'cross-site' }, 'cross'), 403, 'foreign-origin');
    refused(await make({ 'Sec-Fetch-Site': 'same-site' }, 'same'), 403, 'foreign-origin');
    refused(await make({ Origin: 'https://evil.example' }, 'evil'), 403, 'foreign-origin');
    refused(await make({ Origin: 'null' }, 'null'), 403, 'foreign-origin');
    assert.equal((await make({ 'Sec-Fetch-Site': 'same-origin' }, 'basic-own')).status, 201);
    assert.equal((await make({}, 'basic-program')).status, 201);
    const read = await site.ask('GET', `/nodes/${root}`, {
      headers: { 'Sec-Fetch-Site': 'cross-site' },
    });
    assert.equal(read.status, 200, 'reading is nothing that a foreign page gets to see');
  });

  it('gives a token only what its scopes say', async () => {
    const { identity } = site.cloud;
    const caller = await identity.authenticateBasic({
      user: 'anna', password: PASSWORD, address: '127.0.0.1',
    });
    const { token } = await identity.apiTokens.create(caller, {
      label: 'reader', scopes: ['files:read'],
    });
    const headers = { Authorization: `Bearer ${token}` };
    const root = await site.rootId();
    const seen = await site.ask('GET', `/nodes/${root}`, { auth: undefined, headers });
    assert.equal(seen.status, 200, seen.text);
    const change = await site.ask('POST', `/nodes/${root}/children`, {
      auth: undefined, headers, json: { kind: 'folder', name: 'by-token' },
    });
    refused(change, 403, 'scope');
    const wrong = { Authorization: `Bearer ${token}x` };
    assert.equal((await site.ask('GET', '/session', { auth: undefined, headers: wrong })).status,
      401);
  });

  it('refuses what does not fit the schema, and says which part', async () => {
    const root = await site.rootId();
    const bad = async (path: string): Promise<string> => {
      const answer = await site.ask('GET', path);
      refused(answer, 400, 'request-shape');
      return answer.json.at;
    };
    assert.equal(await bad(`/nodes/${root}/children?limit=0`), 'query/limit');
    assert.equal(await bad(`/nodes/${root}/children?limit=1001`), 'query/limit');
    assert.equal(await bad(`/nodes/${root}/children?limit=1.5`), 'query/limit');
    assert.equal(await bad(`/nodes/${root}/children?limit=5&limit=6`), 'query/limit');
    assert.equal(await bad(`/nodes/${root}/children?sort=color`), 'query/sort');
    assert.equal(await bad(`/nodes/${root}/children?unheard=1`), 'query/unheard');
    assert.equal(await bad(`/nodes/${root}/children?__proto__=1`), 'query/__proto__');
    assert.equal(await bad('/nodes/by-path'), 'query');
    const change = async (body: string): Promise<string> => {
      const answer = await site.ask('PATCH', `/nodes/${root}`, {
        body, headers: { 'Content-Type': 'application/json' },
      });
      refused(answer, 400, 'request-shape');
      return answer.json.at;
    };
    assert.equal(await change('{"name":5}'), 'body/name');
    assert.equal(await change('{"isFavorite":"true"}'), 'body/isFavorite');
    assert.equal(await change('{"unheard":1}'), 'body/unheard');
    assert.equal(await change('{"__proto__":{"name":"x"}}'), 'body/__proto__');
    assert.equal(await change('[]'), 'body');
    assert.equal(await change('null'), 'body');
  });

  it('refuses bodies that are no JSON, of another type, or too large', async () => {
    const root = await site.rootId();
    const path = `/nodes/${root}/children`;
    const send = (body: string, type: string): Promise<JsonAnswer> =>
      site.ask('POST', path, { body, headers: { 'Content-Type': type } });
    refused(await send('{"kind":', 'application/json'), 400, 'json');
    refused(await send('kind=folder&name=x', 'application/x-www-form-urlencoded'), 415,
      'media-type');
    refused(await send('{}', 'text/plain'), 415, 'media-type');
    refused(await send(`{"name":"${'x'.repeat(1024 * 1024)}"}`, 'application/json'), 413,
      'too-large');
    refused(await send('['.repeat(500_000), 'application/json'), 400, 'json');
  });

  it('answers 404 for addresses that are none, and 405 for other methods', async () => {
    refused(await site.ask('GET', '/nothing/here'), 404, 'no-such-address');
    const answer = await site.ask('POST', '/nodes/1');
    refused(answer, 405, 'method-unknown');
    assert.match(String(answer.headers['allow']), /GET, PATCH, DELETE/);
    refused(await site.ask('GET', '/nodes/%zz'), 400, 'malformed');
    refused(await site.ask('GET', `/nodes/${'9'.repeat(199)}`), 404, 'node-missing');
    refused(await site.ask('GET', '/nodes/-1'), 404, 'node-missing');
    refused(await site.ask('GET', '/nodes/1e3'), 404, 'node-missing');
  });

  it('refuses cursors that it did not make, and those of other lists', async () => {
    const root = await site.rootId();
    for (const name of ['one', 'two', 'three']) await site.put(name, name);
    const { json } = await site.ask('GET', `/nodes/${root}/children?limit=1`);
    const other = await site.folder('other');
    const list = `/nodes/${other.id}/children?cursor=`;
    refused(await site.ask('GET', list + json.nextCursor), 400, 'cursor');
    refused(await site.ask('GET', `${list}bm90IGpzb24`), 400, 'cursor');
    refused(await site.ask('GET', `${list}%00`), 400, 'cursor');
    refused(await site.ask('GET', `/trash?cursor=${json.nextCursor}`), 400, 'cursor');
  });

  it('names no other host in its document, and every operation once', async () => {
    const { document } = site.contract;
    const ids = Object.values(document.paths)
      .flatMap((entries) => Object.values(entries) as unknown as { operationId: string }[])
      .map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length >= 30);
    const served = await ask({
      port: site.port, method: 'GET', path: '/api/v1/openapi.json', auth: undefined,
    });
    assert.deepEqual(JSON.parse(served.text), JSON.parse(JSON.stringify(document)));
    assert.doesNotMatch(served.text, /https?:\/\//);
  });
});
