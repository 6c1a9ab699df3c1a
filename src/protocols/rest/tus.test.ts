import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { PASSWORD, RestSite } from './testing/rest-site.ts';
import type { Json, JsonAnswer, RestAskOptions } from './testing/rest-site.ts';

const WAIT = { timeout: 120_000 };
const TUS = { 'Tus-Resumable': '1.0.0' };
const ROOT = '/api/v1';

describe('resumable uploads', WAIT, () => {
  let site: RestSite;
  let parentId: string;
  before(async () => {
    site = await RestSite.open();
    parentId = await site.rootId();
  });
  after(() => site.close());

  const metadata = (values: Record<string, string>): string => Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`).join(',');
  const begin = async (
    name: string, bytes: number, more: Record<string, string> = {}, options: RestAskOptions = {},
  ): Promise<JsonAnswer & { path: string }> => {
    const answer = await site.ask('POST', '/uploads', {
      ...options,
      headers: {
        ...TUS, 'Upload-Length': String(bytes),
        'Upload-Metadata': metadata({ parentId, name, ...more }),
      },
    });
    const path = String(answer.headers['location'] ?? '').slice(ROOT.length);
    return { ...answer, path };
  };
  const patch = (path: string, offset: number, body: string, headers = {}): Promise<JsonAnswer> =>
    site.ask('PATCH', path, {
      body, headers: {
        ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset),
        ...headers,
      },
    });
  const offsetAt = async (path: string): Promise<unknown> =>
    (await site.ask('HEAD', path, { headers: TUS })).headers['upload-offset'];
  const contentOf = async (name: string): Promise<string> => {
    const { json } = await site.ask('GET', `/nodes/by-path?path=/${encodeURIComponent(name)}`);
    return (await site.ask('GET', `/nodes/${(json as Json).id}/content`)).text;
  };

  it('go on where they stopped, and end as a file with its time', async () => {
    const { status, path, headers } = await begin('größe.txt', 11, {
      modifiedAt: '2020-01-02T03:04:05.000Z',
    });
    assert.equal(status, 201);
    assert.ok(Date.parse(String(headers['upload-expires'])) > 0);
    const first = await patch(path, 0, 'hello ');
    assert.deepEqual([first.status, first.headers['upload-offset']], [204, '6']);
    assert.equal(await offsetAt(path), '6');
    const last = await patch(path, 6, 'world');
    assert.equal(last.status, 204);
    const node = await site.ask('GET', String(last.headers['content-location']).slice(ROOT.length));
    assert.deepEqual([node.json.path, node.json.sizeBytes, node.json.modifiedAt],
      ['/größe.txt', 11, '2020-01-02T03:04:05.000Z']);
    assert.equal(await contentOf('größe.txt'), 'hello world');
    assert.equal(await offsetAt(path), '11', 'the end can be asked for again');
  });

  it('keep what had arrived when the connection broke', async () => {
    const body = 'x'.repeat(300_000);
    const { path } = await begin('broken.txt', body.length);
    await new Promise<void>((resolve, reject) => {
      const request = http.request({
        port: site.port, method: 'PATCH', path: `${ROOT}${path}`, auth: `anna:${PASSWORD}`,
        headers: {
          ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0',
          'Content-Length': body.length,
        },
      });
      request.on('error', () => resolve());
      request.on('response', () => reject(new Error('it was answered')));
      request.write(body.slice(0, 200_000), () => {
        // It has left this process: the server has it, or will have it before the end.
        setImmediate(() => request.destroy());
      });
    });
    const at = Number(await offsetAt(path));
    assert.ok(at >= 0 && at <= 200_000);
    assert.equal((await patch(path, at, body.slice(at))).status, 204);
    assert.equal(await contentOf('broken.txt'), body);
  });

  it('are refused at another offset, in another version, and when too long', async () => {
    const { path } = await begin('a', 5);
    assert.equal((await patch(path, 3, 'xx')).json.code, 'upload-offset');
    assert.equal((await patch(path, 0, 'too long')).status, 413);
    const other = await patch(path, 0, 'x', { 'Content-Type': 'text/plain' });
    assert.equal(other.status, 415);
    const old = await site.ask('HEAD', path, { headers: { 'Tus-Resumable': '0.2.1' } });
    assert.deepEqual([old.status, old.headers['tus-version']], [412, '1.0.0']);
    assert.equal(await offsetAt(path), '0');
    assert.equal((await begin('b', 5, {}, { auth: undefined })).status, 401);
    assert.equal((await begin('b', 5, { parentId: '999' })).status, 404);
    assert.equal((await begin('x/y', 5)).status, 400);
    const { headers } = await site.ask('OPTIONS', '/uploads', { auth: undefined });
    assert.match(String(headers['tus-extension']), /creation,expiration,checksum,termination/);
  });

  it('take nothing whose checksum is another', async () => {
    const { path } = await begin('sum.txt', 3);
    const sum = (text: string) => ({
      'Upload-Checksum': `sha256 ${createHash('sha256').update(text).digest('base64')}`,
    });
    assert.equal((await patch(path, 0, 'abc', sum('abd'))).status, 460);
    assert.equal(await offsetAt(path), '0');
    assert.equal((await patch(path, 0, 'abc', sum('abc'))).status, 204);
    assert.equal(await contentOf('sum.txt'), 'abc');
  });

  it('are forgotten when given up, and are nobody else\'s', async () => {
    const { path } = await begin('gone.txt', 3);
    const ben = { auth: `ben:${PASSWORD}`, headers: TUS };
    assert.equal((await site.ask('HEAD', path, ben)).status, 404);
    assert.equal((await site.ask('DELETE', path, ben)).status, 404);
    assert.equal((await site.ask('DELETE', path, { headers: TUS })).status, 204);
    assert.equal((await site.ask('HEAD', path, { headers: TUS })).status, 404);
    assert.equal((await site.ask('HEAD', '/uploads/nonsense', { headers: TUS })).status, 404);
  });

  it('do as they are told when the name is taken', async () => {
    await site.put('taken.txt', 'first');
    assert.equal((await begin('taken.txt', 1, { onConflict: 'fail' })).status, 409);
    const renamed = await begin('taken.txt', 1, { onConflict: 'rename' });
    await patch(renamed.path, 0, '2');
    assert.equal(await contentOf('taken (2).txt'), '2');
    const replaced = await begin('taken.txt', 1);
    await patch(replaced.path, 0, '3');
    assert.equal(await contentOf('taken.txt'), '3');
    const empty = await begin('empty.txt', 0);
    assert.match(String(empty.headers['content-location']), /\/nodes\/\d+$/);
    assert.equal(await contentOf('empty.txt'), '');
  });

  it('that could not end are not told to be whole', async () => {
    const { path } = await begin('late.txt', 2, { onConflict: 'fail' });
    await patch(path, 0, 'a');
    const other = await site.put('late.txt', 'there first');
    assert.equal((await patch(path, 1, 'b')).status, 409);
    assert.equal((await site.ask('HEAD', path, { headers: TUS })).status, 409);
    await site.ask('DELETE', `/nodes/${other.id}`);
    assert.equal(await offsetAt(path), '2');
    assert.equal(await contentOf('late.txt'), 'ab');
  });

  it('end in the folder that was meant, wherever it is by then', async () => {
    const folder = await site.folder('meant');
    const { path } = await begin('pinned.txt', 6, { parentId: folder.id });
    const last = await site.whileReplaced(folder, () => patch(path, 0, 'pinned'));
    assert.deepEqual([last.status, last.json.code], [409, 'parent-missing']);
    assert.equal(await offsetAt(path), '6', 'asked for again, it ends');
    const { json } = await site.ask('GET', '/nodes/by-path?path=/meant%20away/pinned.txt');
    assert.equal(json.parentId, folder.id);
    assert.equal((await site.ask('GET', '/nodes/by-path?path=/meant')).json.sizeBytes, 0);
  });

  it('are refused when more comes than was announced, and can go on', async () => {
    const { path } = await begin('longer.txt', 10);
    await patch(path, 0, 'four');
    const { status } = await new Promise<{ status: number }>((resolve, reject) => {
      const request = http.request({
        port: site.port, method: 'PATCH', path: `${ROOT}${path}`, auth: `anna:${PASSWORD}`,
        headers: {
          ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '4',
          'Transfer-Encoding': 'chunked',
        },
      });
      request.on('error', reject);
      request.on('response', (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0 });
      });
      request.end('seven and more');
    });
    assert.equal(status, 413);
    assert.equal(await offsetAt(path), '4');
    assert.equal((await patch(path, 4, 'to ten')).status, 204);
    assert.equal(await contentOf('longer.txt'), 'fourto ten');
  });
});
