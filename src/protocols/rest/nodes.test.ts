import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json, JsonAnswer } from './testing/rest-site.ts';

describe('Nodes of the API', () => {
  let site: RestSite;
  /** An empty folder for each test. */
  let folder: Json;
  let count = 0;
  before(async () => {
    site = await RestSite.open();
  });
  after(() => site.close());
  beforeEach(async () => {
    count += 1;
    folder = await site.folder(`test ${count}`);
  });

  const refused = (answer: JsonAnswer, status: number, code: string): void => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.code, code);
  };
  const namesIn = async (query = ''): Promise<string[]> => {
    const { json } = await site.ask('GET', `/nodes/${folder.id}/children${query}`);
    return json.items.map((one: Json) => one.name);
  };

  it('keep their id through renames and moves', async () => {
    const file = await site.put('a.txt', 'text', folder.id);
    const into = await site.folder('into', folder.id);
    const { json, headers } = await site.ask('PATCH', `/nodes/${file.id}`, {
      json: { name: 'b.txt', parentId: into.id },
    });
    assert.equal(json.path, `/test ${count}/into/b.txt`);
    assert.equal(json.parentId, into.id);
    assert.equal(headers['etag'], json.etag);
    const byPath = await site.ask('GET', `/nodes/by-path?path=${encodeURIComponent(json.path)}`);
    assert.equal(byPath.json.id, file.id);
  });

  it('take a new time and a mark, which DAV clients see too', async () => {
    const file = await site.put('a.txt', 'text', folder.id);
    const at = '2020-02-03T04:05:06.000Z';
    const { json } = await site.ask('PATCH', `/nodes/${file.id}`, {
      json: { modifiedAt: at, isFavorite: true },
    });
    assert.equal(json.modifiedAt, at);
    assert.equal(json.isFavorite, true);
    const href = `/remote.php/dav/files/anna/test%20${count}/a.txt`;
    const dav = await site.cloud.ask('PROPFIND', href, {
      headers: { Depth: '0' },
      body: '<propfind xmlns="DAV:"><prop><favorite xmlns="http://owncloud.org/ns"/></prop>'
        + '</propfind>',
    });
    assert.match(dav.text, /favorite>1</);
    const { json: plain } = await site.ask('PATCH', `/nodes/${file.id}`, {
      json: { isFavorite: false },
    });
    assert.equal(plain.isFavorite, false);
    refused(await site.ask('PATCH', `/nodes/${file.id}`, { json: { modifiedAt: 'yesterday' } }),
      400, 'request-shape');
  });

  it('are not overwritten by names that are taken, unless another name is welcome', async () => {
    const file = await site.put('a.txt', 'a', folder.id);
    await site.put('b.txt', 'b', folder.id);
    const path = `/nodes/${file.id}`;
    refused(await site.ask('PATCH', path, { json: { name: 'b.txt' } }), 409, 'exists');
    const renamed = await site.ask('PATCH', path, {
      json: { name: 'b.txt', onConflict: 'rename' },
    });
    assert.equal(renamed.json.name, 'b (2).txt');
    const copy = { parentId: folder.id };
    refused(await site.ask('POST', `${path}/copy`, { json: copy }), 409, 'exists');
    const copied = await site.ask('POST', `${path}/copy`, {
      json: { ...copy, onConflict: 'rename' },
    });
    assert.equal(copied.status, 201);
    assert.equal(copied.json.name, 'b (2) (2).txt');
    const make = { kind: 'folder', name: 'b.txt' };
    refused(await site.ask('POST', `/nodes/${folder.id}/children`, { json: make }), 409, 'exists');
    const made = await site.ask('POST', `/nodes/${folder.id}/children`, {
      json: { ...make, onConflict: 'rename' },
    });
    assert.equal(made.json.name, 'b (3).txt');
    assert.deepEqual(await namesIn(), ['b (2) (2).txt', 'b (2).txt', 'b (3).txt', 'b.txt']);
  });

  it('are copied once, also when something happens to the copy at once', async () => {
    const file = await site.put('a.txt', 'a', folder.id);
    const { files } = site.cloud;
    const copy = files.copy.bind(files);
    const gone = new HoldfastError('not-found', 'test', 'It is gone again.');
    files.copy = async (...args) => {
      await copy(...args);
      throw gone;
    };
    try {
      const json = { parentId: folder.id, onConflict: 'rename' };
      const answer = await site.ask('POST', `/nodes/${file.id}/copy`, { json });
      refused(answer, 404, 'not-found');
    } finally {
      files.copy = copy;
    }
    assert.deepEqual(await namesIn(), ['a (2).txt', 'a.txt']);
  });

  it('change only as the request expects them', async () => {
    const file = await site.put('a.txt', 'a', folder.id);
    const path = `/nodes/${file.id}`;
    const stale = { 'If-Match': '"no-such"' };
    refused(await site.ask('PATCH', path, { json: { name: 'c' }, headers: stale }), 412, 'changed');
    refused(await site.ask('DELETE', path, { headers: stale }), 412, 'changed');
    const put = await site.ask('PUT', `${path}/content`, { body: 'x', headers: stale });
    refused(put, 412, 'changed');
    const fresh = { 'If-Match': file.etag };
    const changed = await site.ask('PATCH', path, {
      json: { name: 'c', modifiedAt: '2020-01-01T00:00:00Z' }, headers: fresh,
    });
    assert.equal(changed.status, 200, changed.text);
    refused(await site.ask('DELETE', path, { headers: fresh }), 412, 'changed');
    const wanted = { 'If-Match': changed.json.etag };
    assert.equal((await site.ask('DELETE', path, { headers: wanted })).status, 200);
  });

  it('are not there for whoever may not see them', async () => {
    const file = await site.put('secret', 's', folder.id);
    const auth = `ben:${PASSWORD}`;
    const asked: [string, string, object?][] = [
      ['GET', ''], ['DELETE', ''], ['PATCH', '', { name: 'x' }], ['GET', '/content'],
      ['GET', '/children'], ['GET', '/versions'], ['POST', '/copy', { parentId: file.id }],
      ['PUT', '/content'], ['PUT', '/lock', {}],
    ];
    for (const [method, below, json] of asked) {
      const answer = await site.ask(method, `/nodes/${file.id}${below}`, {
        auth, ...(json !== undefined && { json }),
      });
      refused(answer, 404, 'node-missing');
    }
    assert.deepEqual(await namesIn(), ['secret']);
  });

  it('are listed page by page in the order of their names, each once', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `n${String(n).padStart(2, '0')}`);
    for (const name of names) await site.put(name, 'x'.repeat(Number(name.slice(1))), folder.id);
    for (const query of ['sort=name', 'sort=name&order=desc', 'sort=size', 'sort=modified']) {
      const seen: string[] = [];
      let cursor = '';
      let pages = 0;
      do {
        const { json } = await site.ask(
          'GET', `/nodes/${folder.id}/children?limit=10&${query}${cursor}`,
        );
        seen.push(...json.items.map((one: Json) => one.name));
        cursor = json.nextCursor === undefined ? '' : `&cursor=${json.nextCursor}`;
        pages += 1;
      } while (cursor !== '');
      assert.equal(pages, 3);
      assert.deepEqual(seen, query.endsWith('desc') ? names.toReversed() : names, query);
    }
  });

  it('refuse names and places that cannot be', async () => {
    const file = await site.put('a.txt', 'a', folder.id);
    const put = (name: string): Promise<JsonAnswer> =>
      site.ask('PUT', `/nodes/${folder.id}/children/${name}/content`, { body: 'x' });
    refused(await put('a%2Fb'), 400, 'name-characters');
    refused(await put('a%00b'), 400, 'name-characters');
    refused(await put('%2E%2E'), 400, 'name-reserved');
    refused(await put('x'.repeat(256)), 400, 'request-shape');
    refused(await put(encodeURIComponent('ä'.repeat(200))), 400, 'name-too-long');
    const inFile = await site.ask('PUT', `/nodes/${file.id}/children/b/content`, { body: 'x' });
    refused(inFile, 409, 'not-folder');
    const root = await site.rootId();
    assert.equal((await site.ask('DELETE', `/nodes/${root}`)).status, 403);
    refused(await site.ask('PATCH', `/nodes/${root}`, { json: { name: 'x' } }), 403, 'root');
    const inner = await site.folder('inner', folder.id);
    const cycle = await site.ask('PATCH', `/nodes/${folder.id}`, { json: { parentId: inner.id } });
    refused(cycle, 403, 'cycle');
  });

  it('are changed many at once, each for itself', async () => {
    const [a, b, c] = [await site.put('a', 'a', folder.id), await site.put('b', 'b', folder.id),
      await site.put('c', 'c', folder.id)];
    const { json } = await site.ask('POST', '/batch', {
      json: {
        operations: [
          { op: 'create-folder', parentId: folder.id, name: 'into' },
          { op: 'move', id: a.id, name: 'a2' },
          { op: 'move', id: b.id, name: 'c' },
          { op: 'copy', id: b.id, parentId: folder.id, name: 'b2' },
          { op: 'delete', id: c.id },
          { op: 'delete', id: '999999' },
        ],
      },
    });
    const statuses = json.results.map(({ status }: Json) => status);
    assert.deepEqual(statuses, [201, 200, 409, 201, 200, 404]);
    assert.deepEqual(await namesIn(), ['a2', 'b', 'b2', 'into']);
    const back = await site.ask('POST', '/batch', {
      json: { operations: [{ op: 'restore-trash', id: json.results[4].trashId }] },
    });
    assert.equal(back.json.results[0].node.id, c.id);
    const bad = { operations: [{ op: 'erase', id: a.id }] };
    assert.equal((await site.ask('POST', '/batch', { json: bad })).status, 400);
  });

  it('are sent whole and by ranges, and not at all when they are there already', async () => {
    const file = await site.put('a.txt', '0123456789', folder.id);
    const path = `/nodes/${file.id}/content`;
    const whole = await site.ask('GET', path);
    assert.equal(whole.text, '0123456789');
    assert.equal(whole.headers['etag'], file.etag);
    const part = await site.ask('GET', path, { headers: { Range: 'bytes=2-4' } });
    assert.equal(part.status, 206);
    assert.equal(part.text, '234');
    assert.equal(part.headers['content-range'], 'bytes 2-4/10');
    const outside = await site.ask('GET', path, { headers: { Range: 'bytes=10-' } });
    refused(outside, 416, 'range-outside');
    assert.equal(outside.headers['content-range'], 'bytes */10');
    const same = await site.ask('GET', path, { headers: { 'If-None-Match': file.etag } });
    assert.equal(same.status, 304);
    refused(await site.ask('GET', path, { headers: { 'If-Match': '"x"' } }), 412, 'changed');
    const head = await site.ask('HEAD', path);
    assert.equal(head.headers['content-length'], '10');
    assert.equal(head.text, '');
    refused(await site.ask('GET', `/nodes/${folder.id}/content`), 409, 'is-folder');
  });

  it('run no script in the name of the server, whatever they are called', async () => {
    const inline = async (name: string): Promise<string[]> => {
      const file = await site.put(name, '<script>alert(1)</script>', folder.id);
      const { headers } = await site.ask('GET', `/nodes/${file.id}/content?disposition=inline`);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
      return [String(headers['content-type']), String(headers['content-disposition'])];
    };
    for (const name of ['a.html', 'a.js', 'a.xml', 'a.css', 'a.md']) {
      assert.deepEqual((await inline(name))[0], 'text/plain; charset=utf-8', name);
    }
    for (const name of ['a.svg', 'a.bin', 'a.zip', 'a.xhtml', 'a.unknown']) {
      assert.match((await inline(name))[1] ?? '', /^attachment;/, name);
    }
    assert.deepEqual(await inline('a.png'), ['image/png',
      "inline; filename=\"a.png\"; filename*=UTF-8''a.png"]);
  });

  it('bring no header of their own into an answer by their names', async () => {
    const name = 'x\r\nSet-Cookie: a=b;"\\ ü.txt';
    const file = await site.put(name, 'x', folder.id);
    const { headers } = await site.ask('GET', `/nodes/${file.id}/content`);
    assert.equal(headers['set-cookie'], undefined);
    assert.equal(headers['content-disposition'], 'attachment; '
      + 'filename="x__Set-Cookie_ a_b___ _.txt"; '
      + "filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db%3B%22%5C%20%C3%BC.txt");
  });

  it('are stored whole or not at all', async () => {
    const path = `/nodes/${folder.id}/children/a/content`;
    const put = (headers: Record<string, string>): Promise<JsonAnswer> =>
      site.ask('PUT', path, { body: 'hello', headers });
    const digest = createHash('sha256').update('hello').digest('base64');
    const made = await put({ 'Repr-Digest': `sha-256=:${digest}:`, 'If-None-Match': '*' });
    assert.equal(made.status, 201, made.text);
    assert.equal((await put({ 'If-None-Match': '*' })).status, 412);
    const wrong = createHash('sha256').update('other').digest('base64');
    refused(await put({ 'Repr-Digest': `sha-256=:${wrong}:` }), 400, 'checksum-mismatch');
    refused(await put({ 'Repr-Digest': 'sha-256=nonsense' }), 400, 'digest-syntax');
    refused(await put({ 'Content-Range': 'bytes 0-4/9' }), 400, 'content-range');
    refused(await put({ 'Content-Encoding': 'gzip' }), 400, 'content-encoding');
    const again = await site.ask('PUT', `${path}?modifiedAt=2019-01-01T00:00:00Z`, {
      body: '{"json": true}', headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(again.status, 200);
    assert.equal(again.json.id, made.json.id);
    assert.equal(again.json.modifiedAt, '2019-01-01T00:00:00.000Z');
    assert.notEqual(again.json.version, made.json.version);
    const { text } = await site.ask('GET', `/nodes/${made.json.id}/content`);
    assert.equal(text, '{"json": true}');
  });

  it('are locked against others and by their holder alone unlocked', async () => {
    const file = await site.put('a.txt', 'a', folder.id);
    const path = `/nodes/${file.id}/lock`;
    const locked = await site.ask('PUT', path, { json: { seconds: 60 } });
    assert.equal(locked.json.lock.holder, 'anna');
    assert.ok(locked.json.lock.token !== undefined);
    const { json } = await site.ask('GET', `/nodes/${folder.id}/children`);
    assert.equal(json.items[0].lock.holderName, 'Anna');
    assert.equal((await site.ask('DELETE', path)).json.lock, undefined);
    assert.equal((await site.ask('DELETE', path)).status, 200);
  });
});
