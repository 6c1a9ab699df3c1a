import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import type { HttpHandler as Handler } from './exchange.ts';
import { HttpServer } from './http-server.ts';
import { ONE, TWO } from './test-certificates.ts';

describe('HttpServer with TLS', () => {
  let folder = '';
  let tls = { certPath: '', keyPath: '' };
  let server: HttpServer | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
    tls = { certPath: join(folder, 'cert.pem'), keyPath: join(folder, 'key.pem') };
    await put(ONE);
  });
  afterEach(async () => {
    await server?.drain(0);
    server = undefined;
    await rm(folder, { recursive: true });
  });

  async function put(pair: { cert: string; key: string }): Promise<void> {
    await Promise.all([writeFile(tls.certPath, pair.cert), writeFile(tls.keyPath, pair.key)]);
  }

  async function open(): Promise<HttpServer> {
    const routes = [{
      prefix: '/', name: 'all', handler: async ({ res, origin }: Parameters<Handler>[0]) => {
        res.end(origin);
      },
    }];
    const listen = { host: '127.0.0.1', port: 0 };
    server = await HttpServer.open({ listen, routes, tls, log: silentLog, clock: systemClock });
    return server;
  }

  /** The name in the certificate, and what the server answers. */
  async function visit(): Promise<{ name: string; answer: string }> {
    const port = server?.port ?? 0;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const name = String(socket.getPeerCertificate().subject.CN);
    socket.end('GET / HTTP/1.1\r\nHost: files.example\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return { name, answer };
  }

  it('answers over https, and says so in the origin', async () => {
    const { url } = await open();
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const { name, answer } = await visit();
    assert.equal(name, 'one.example');
    assert.match(answer, /https:\/\/files\.example$/);
  });

  it('takes a new certificate when told to, but not one that does not fit', async () => {
    const opened = await open();
    await put(TWO);
    assert.equal((await visit()).name, 'one.example');
    await opened.reloadTls();
    assert.equal((await visit()).name, 'two.example');
    await put({ cert: ONE.cert, key: TWO.key });
    await assert.rejects(opened.reloadTls(), { kind: 'invalid' });
    assert.equal((await visit()).name, 'two.example');
  });

  it('does not open with files that are missing or do not fit', async () => {
    await put({ cert: ONE.cert, key: TWO.key });
    await assert.rejects(open(), { kind: 'invalid' });
    await rm(tls.keyPath);
    await assert.rejects(open(), { kind: 'invalid', message: /cannot be read/ });
  });
});
