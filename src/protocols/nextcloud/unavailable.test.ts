import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HttpServer, silentLog, systemClock } from '../../platform/index.ts';
import { ask } from './testing/cloud-site.ts';
import type { Answer, AskOptions } from './testing/cloud-site.ts';
import { unavailableHandler } from './unavailable.ts';

describe('a server that is not ready', () => {
  let server: HttpServer;
  before(async () => {
    server = await HttpServer.open({
      listen: { host: '127.0.0.1', port: 0 }, log: silentLog, clock: systemClock,
      gate: unavailableHandler,
    });
  });
  after(() => server.drain(1000));
  const get = (method: string, path: string, options: AskOptions = {}): Promise<Answer> =>
    ask({ port: server.port, method, path, ...options });

  it('says so on the status page', async () => {
    for (const path of ['/status.php', '/index.php/status.php']) {
      const { status, text } = await get('GET', path);
      assert.equal(status, 200);
      assert.equal((JSON.parse(text) as { maintenance: boolean }).maintenance, true);
    }
  });

  it('never lets a DAV client believe that its files are gone', async () => {
    const requests = [['PROPFIND', '/remote.php/dav/files/anna/'], ['GET', '/remote.php/webdav/x'],
      ['PUT', '/dav/x'], ['POST', '/remote.php/dav/bulk'], ['GET', '/elsewhere']] as const;
    for (const [method, path] of requests) {
      const accept = { headers: { Accept: 'text/html' } };
      const { status, text, headers } = await get(method, path, accept);
      assert.equal(status, 503);
      assert.equal(headers['retry-after'], '5');
      if (path === '/elsewhere') continue;
      assert.match(text, /<s:exception>Sabre\\DAV\\Exception\\ServiceUnavailable<\/s:exception>/);
    }
  });

  it('says 503 in either version of OCS', async () => {
    for (const version of [1, 2]) {
      const path = `/ocs/v${version}.php/cloud/user?format=json`;
      const { status, text } = await get('GET', path);
      assert.equal(status, 503);
      assert.match(text, /"status":"failure","statuscode":503/);
    }
  });

  it('shows people a page', async () => {
    const { status, text, headers } = await get('GET', '/', { headers: { Accept: 'text/html' } });
    assert.equal(status, 503);
    assert.match(text, /One moment, please/);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
  });
});
