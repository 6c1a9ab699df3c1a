import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiClient, ApiProblem } from '../../wire/client.ts';
import { PASSWORD, RestSite } from './testing/rest-site.ts';

describe('The client of the API', () => {
  let site: RestSite;
  let client: ApiClient;
  before(async () => {
    site = await RestSite.open();
    const { identity } = site.cloud;
    const caller = await identity.authenticateBasic({
      user: 'anna', password: PASSWORD, address: '127.0.0.1',
    });
    const { token } = await identity.apiTokens.create(caller, {
      label: 'client', scopes: ['files:read', 'files:write'],
    });
    client = new ApiClient({ baseUrl: `http://127.0.0.1:${site.port}`, token });
  });
  after(() => site.close());

  it('calls operations with what their addresses, queries and bodies take', async () => {
    const { root } = await client.getSession();
    const folder = await client.makeFolder({
      id: root.id, body: { kind: 'folder', name: 'a b' },
    });
    const file = await client.putFile({ id: folder.id, name: 'ü & ?.txt', body: 'hello' });
    assert.equal(file.path, '/a b/ü & ?.txt');
    const page = await client.listChildren({ id: folder.id, limit: 1, sort: 'size' });
    assert.deepEqual(page.items.map(({ id }) => id), [file.id]);
    const answer = await client.readContent({ id: file.id }, { headers: { Range: 'bytes=0-1' } });
    assert.equal(await answer.text(), 'he');
    const { trashId } = await client.deleteNode({ id: file.id });
    assert.equal((await client.restoreTrashed({ id: trashId ?? '' })).id, file.id);
    assert.equal(await client.dropTrashed({ id: '1-2-3' }).catch(() => 'refused'), 'refused');
  });

  it('rejects with what the server says', async () => {
    await assert.rejects(client.getNode({ id: '999999' }), (error) => error instanceof ApiProblem
      && error.status === 404 && error.code === 'node-missing' && error.requestId !== undefined);
  });

  it('does a thing once under one key', async () => {
    const { root } = await client.getSession();
    const body = { kind: 'folder', name: 'once', onConflict: 'rename' } as const;
    const wish = { id: root.id, body };
    const first = await client.makeFolder(wish, { idempotencyKey: 'k1' });
    assert.deepEqual(await client.makeFolder(wish, { idempotencyKey: 'k1' }), first);
  });
});
