import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HoldfastError } from '../../../base/errors.ts';
import { PASSWORD, RestSite } from '../testing/rest-site.ts';
import type { Json, JsonAnswer } from '../testing/rest-site.ts';

describe('Keyed requests', () => {
  let site: RestSite;
  let root: string;
  before(async () => {
    site = await RestSite.open();
    root = await site.rootId();
  });
  after(() => site.close());

  const make = (name: string, key: string): Promise<JsonAnswer> =>
    site.ask('POST', `/nodes/${root}/children`, {
      json: { kind: 'folder', name, onConflict: 'rename' }, headers: { 'Idempotency-Key': key },
    });

  it('are done once and answered the same each time', async () => {
    const first = await make('a', 'key-1');
    const second = await make('a', 'key-1');
    assert.deepEqual(second.json, first.json);
    assert.equal(second.status, 201);
    assert.equal(second.headers['etag'], first.headers['etag']);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.equal((await make('a', 'key-2')).json.name, 'a (2)');
  });

  it('are refused when the key was for another request', async () => {
    await make('b', 'key-3');
    const other = await make('c', 'key-3');
    assert.equal(other.status, 422);
    assert.equal(other.json.code, 'idempotency-reuse');
  });

  it('may be tried again after a refusal', async () => {
    const json = { kind: 'folder', name: 'taken' };
    const headers = { 'Idempotency-Key': 'key-4' };
    const path = `/nodes/${root}/children`;
    const taken = await site.folder('taken');
    assert.equal((await site.ask('POST', path, { json, headers })).status, 409);
    await site.ask('DELETE', `/nodes/${taken.id}`);
    assert.equal((await site.ask('POST', path, { json, headers })).status, 201);
    assert.equal((await site.ask('POST', path, { json, headers })).status, 201);
  });

  it('are not done again when only the answer could not be made', async () => {
    const { files } = site.cloud;
    const list = files.listProperties.bind(files);
    for (const kind of ['unavailable', 'not-found', 'denied'] as const) {
      files.listProperties = () =>
        Promise.reject(new HoldfastError(kind, 'test', 'Cannot be looked at now.'));
      try {
        const failed = await make(`half ${kind}`, `key-${kind}`);
        assert.equal(failed.json.code, kind);
      } finally {
        files.listProperties = list;
      }
      const again = await make(`half ${kind}`, `key-${kind}`);
      assert.deepEqual([again.status, again.json.code], [409, 'idempotency-unknown']);
      const { json } = await site.ask('GET', `/nodes/${root}/children?limit=1000`);
      const names = json.items.map(({ name }: Json) => name);
      assert.deepEqual(names.filter((name: string) => name.startsWith(`half ${kind}`)),
        [`half ${kind}`]);
    }
  });

  it('may be tried again when only what others share came into the own tree', async () => {
    const { identity } = site.cloud;
    const shared = await site.folder('shared');
    await identity.users.add({ id: 'ella', password: PASSWORD });
    const ella = { auth: `ella:${PASSWORD}` };
    const nowhere = (key: string): Promise<JsonAnswer> =>
      site.ask('POST', '/nodes/999999/children', {
        ...ella, json: { kind: 'folder', name: 'x' }, headers: { 'Idempotency-Key': key },
      });
    const told: unknown[] = [];
    for (const key of ['space', 'mount']) {
      for (const { status, json } of [await nowhere(key), await nowhere(key)]) {
        told.push([status, json.code]);
      }
      const share = await site.ask('POST', `/nodes/${shared.id}/shares`, {
        json: { receiver: { kind: 'user', id: 'ella' }, role: 'viewer' },
      });
      assert.ok(share.status < 300 || key === 'mount', share.text);
    }
    assert.deepEqual(told, Array.from({ length: 4 }, () => told[0]));
  });

  it('take their key from the query too, and none that is malformed', async () => {
    const path = `/nodes/${root}/children?idempotencyKey=key-5`;
    const json = { kind: 'folder', name: 'q', onConflict: 'rename' };
    const first = await site.ask('POST', path, { json });
    assert.deepEqual((await site.ask('POST', path, { json })).json, first.json);
    const bad = await make('d', 'white space');
    assert.equal(bad.json.code, 'idempotency-key');
  });

  it('keep no password, and no cookie that signs in', async () => {
    const { idempotency: store } = site;
    const [begin, finish] = [store.begin.bind(store), store.finish.bind(store)];
    const prints: string[] = [];
    const kept: string[] = [];
    store.begin = (request, at) => {
      prints.push(request.fingerprint);
      return begin(request, at);
    };
    store.finish = (request, answer) => {
      kept.push(JSON.stringify(answer));
      return finish(request, answer);
    };
    const own = { 'Sec-Fetch-Site': 'same-origin' };
    const cookieOf = ({ headers }: JsonAnswer): string =>
      (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
    try {
      const Cookie = cookieOf(await site.ask('POST', '/session', {
        auth: undefined, headers: own, json: { user: 'anna', password: PASSWORD },
      }));
      const change = (oldPassword: string, key: string): Promise<JsonAnswer> =>
        site.ask('PUT', '/account/password', {
          auth: undefined, headers: { ...own, Cookie, 'Idempotency-Key': key },
          json: { oldPassword, newPassword: PASSWORD },
        });
      assert.equal((await change('not this one', 'key-7')).status, 403);
      const changed = await change(PASSWORD, 'key-8');
      assert.equal(changed.status, 204);
      // Were passwords in it, whoever reads the disk could try a billion of them in a second.
      assert.equal(prints[0], prints[1]);
      assert.notEqual(cookieOf(changed), '');
      assert.deepEqual(kept, ['{"status":204,"headers":{},"isWhole":false}']);
    } finally {
      Object.assign(store, { begin, finish });
    }
  });
});
