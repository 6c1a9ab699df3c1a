import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { HttpServer, TrustedProxies, silentLog, systemClock } from '../../platform/index.ts';
import { BuiltPage } from './built-page.ts';
import { webRoutes } from './web-routes.ts';

const START = '<!doctype html><title>Holdfast</title>';
const REFERENCE = '<!doctype html><title>The API</title>';
const SCRIPT = 'export const words = "so that it is worth packing";\n'.repeat(40);

describe('the built web page', () => {
  let folder = '';
  const servers: HttpServer[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-web-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), START);
    await writeFile(join(folder, 'reference.html'), REFERENCE);
    await writeFile(join(folder, 'built-from'), 'a hash');
    await writeFile(join(folder, 'assets/index-1a2b3c4d.js'), SCRIPT);
    await writeFile(join(folder, 'assets/index-1a2b3c4d.js.br'), brotliCompressSync(SCRIPT));
  });
  after(async () => {
    for (const server of servers) await server.drain(1000);
    await rm(folder, { recursive: true });
  });

  type Ask = (path: string, init?: RequestInit) => Promise<Response>;

  async function serve(page: BuiltPage | undefined): Promise<Ask> {
    const server = await HttpServer.open({
      listen: { host: '127.0.0.1', port: 0 }, log: silentLog, clock: systemClock,
      gate: () => Promise.resolve(), trustedProxies: TrustedProxies.parse('loopback'),
    });
    servers.push(server);
    server.serve(webRoutes(page));
    return (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, {
      redirect: 'manual', ...init,
    });
  }

  it('shows its start at every address of the page, and a missing file as missing', async () => {
    const ask = await serve(await BuiltPage.open(folder));
    for (const path of ['/app/', '/app/files?in=/a', '/app/files/x', '/app/settings']) {
      const answer = await ask(path);
      assert.equal(await answer.text(), START, path);
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
    }
    for (const path of ['/app/assets/index-00000000.js', '/app/old.js', '/app/built-from.txt']) {
      assert.equal((await ask(path)).status, 404, path);
    }
    assert.equal((await ask('/app')).headers.get('location'), '/app/');
    assert.equal((await ask('/app/', { method: 'POST' })).status, 405);
  });

  it('allows its own scripts and styles alone, and nobody to put it in a frame', async () => {
    const ask = await serve(await BuiltPage.open(folder));
    for (const path of ['/app/', '/app/assets/index-1a2b3c4d.js', '/api/docs']) {
      const { headers } = await ask(path);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('x-frame-options'), 'DENY');
    }
  });

  it('sends files packed to whoever takes them, and 304 to whoever has them', async () => {
    const ask = await serve(await BuiltPage.open(folder));
    const path = '/app/assets/index-1a2b3c4d.js';
    const packed = await ask(path, { headers: { 'Accept-Encoding': 'br' } });
    assert.equal(packed.headers.get('content-encoding'), 'br');
    assert.equal(packed.headers.get('vary'), 'Accept-Encoding');
    assert.match(packed.headers.get('cache-control') ?? '', /immutable/);
    assert.equal(await packed.text(), SCRIPT);
    const plain = await ask(path, { headers: { 'Accept-Encoding': 'br;q=0, gzip' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.notEqual(plain.headers.get('etag'), packed.headers.get('etag'));
    const etag = packed.headers.get('etag') ?? '';
    const known = { 'If-None-Match': etag, 'Accept-Encoding': 'br' };
    const again = await ask(path, { headers: known });
    assert.deepEqual([again.status, await again.text()], [304, '']);
    const head = await ask(path, { method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(head.headers.get('content-length'), String(SCRIPT.length));
  });

  it('shows the reference of the API at an address of its own', async () => {
    const ask = await serve(await BuiltPage.open(folder));
    assert.equal(await (await ask('/api/docs')).text(), REFERENCE);
    assert.equal((await ask('/api/docs/')).headers.get('location'), '/api/docs');
    assert.equal((await ask('/api/docs', { method: 'PUT' })).status, 405);
  });

  it('leads to the account where nothing has been built, or nothing that can be read', async () => {
    const troubles: unknown[] = [];
    const openIn = (name: string): Promise<BuiltPage | undefined> =>
      BuiltPage.openIfWhole(join(folder, name), (error) => troubles.push(error));
    assert.equal(await openIn('index.html'), undefined, 'no folder');
    assert.equal(troubles.length, 1);
    const page = await openIn('nothing');
    assert.deepEqual([page, troubles.length], [undefined, 1]);
    const ask = await serve(page);
    assert.equal((await ask('/app/files')).headers.get('location'), '/account');
    assert.equal((await ask('/api/docs')).headers.get('location'), '/api/v1/openapi.json');
  });
});
