/** Passwords do not travel in the clear: beyond this machine it takes TLS or a proxy. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runWell } from '../support/command.ts';
import { ask, basic } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { readTree, seededBytes, write } from '../support/trees.ts';

describe('listening', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const folder = scratchFolder('tls');
  const cert = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');

  async function makeCertificate(): Promise<void> {
    await runWell('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
      '-keyout', key, '-out', cert,
    ]);
  }

  before(async () => {
    needPrograms('openssl', 'curl', 'rclone');
    await makeCertificate();
  });

  for (const address of ['0.0.0.0:0', '[::]:0', ':0']) {
    it(`refuses ${address} without TLS or a proxy, and says what to do`, async () => {
      const args = ['serve', '--data', scratchFolder('open'), '--listen', address];
      const { code, stderr, stdout } = await run(PROGRAM, args, { timeoutMs: 60_000 });
      assert.ok(code !== undefined && code > 0, 'it listened');
      assert.match(stderr + stdout, /--tls-cert/);
      assert.match(stderr + stdout, /--behind-proxy/);
    });
  }

  it('listens beyond this machine behind a proxy that was named', async () => {
    const args = ['--behind-proxy', 'loopback'];
    const server = await servers.start({ listen: '0.0.0.0:0', args });
    const answer = await ask('POST', `${server.url}/index.php/login/v2`, {
      headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'cloud.example' },
    });
    assert.match(answer.text, /https:\/\/cloud\.example\//);
  });

  it('believes the addresses of a proxy only when it was named', async () => {
    const server = await servers.start();
    const answer = await ask('POST', `${server.url}/index.php/login/v2`, {
      headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example' },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.doesNotMatch(answer.text, /evil\.example/);
  });

  it('serves curl and rclone by TLS with a certificate of one\'s own', async () => {
    const server = await servers.start({ args: ['--tls-cert', cert, '--tls-key', key] });
    assert.match(server.url, /^https:/);
    const user = await server.addUser();
    write(folder, 'local/up.bin', seededBytes(2_000_000, 'tls'));
    const login = `${user.name}:${user.password}`;
    await runWell('curl', [
      '-sSf', '--cacert', cert, '-u', login, '-T', join(folder, 'local/up.bin'),
      `${server.url}/dav/up.bin`,
    ]);
    const { stdout } = await runWell('rclone', ['obscure', user.password]);
    const account = `vendor=nextcloud,user=ada,pass=${stdout.trim()}`;
    const remote = `:webdav,url='${server.url}/remote.php/dav/files/ada',${account}:`;
    await runWell('rclone', ['--config', '/dev/null', '--ca-cert', cert, 'copy', remote,
      join(folder, 'back')], { env: { HOME: folder } });
    assert.deepEqual(readTree(join(folder, 'back')), readTree(join(folder, 'local')));
  });

  it('refuses old TLS, plain text on the TLS port, and a wrong key', async () => {
    const server = await servers.start({ args: ['--tls-cert', cert, '--tls-key', key] });
    const old = await run('curl', ['-sS', '-k', '--tls-max', '1.1', `${server.url}/healthz`]);
    assert.notEqual(old.code, 0);
    const plain = await run('curl', ['-sS', server.url.replace('https', 'http')]);
    assert.notEqual(plain.code, 0);
    const good = await ask('GET', `${server.url}/healthz`, { ca: readFileSync(cert) });
    assert.equal(good.status, 200);
    const args = ['--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', cert];
    const wrong = await run(PROGRAM, ['serve', '--data', scratchFolder('wrong'), ...args]);
    assert.ok(wrong.code !== undefined && wrong.code > 0);
    assert.match(wrong.stderr, /certificate|key/i);
  });

  it('takes a renewed certificate on SIGHUP without a restart', async () => {
    const server = await servers.start({ args: ['--tls-cert', cert, '--tls-key', key] });
    const user = await server.addUser();
    await makeCertificate();
    const renewed = readFileSync(cert);
    const headers = { Authorization: basic(user.credentials) };
    await assert.rejects(ask('OPTIONS', `${server.url}/dav/`, { ca: renewed, headers }));
    process.kill(server.command.pid, 'SIGHUP');
    const deadline = performance.now() + 60_000;
    let status = 0;
    while (status !== 200 && performance.now() < deadline) {
      const answer = await ask('OPTIONS', `${server.url}/dav/`, { ca: renewed, headers })
        .catch(() => undefined);
      status = answer?.status ?? 0;
    }
    assert.equal(status, 200, server.tail());
  });
});
