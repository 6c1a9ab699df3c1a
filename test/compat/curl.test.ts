/** What people type, and what small scripts do. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWell } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { fingerprint } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { seededBytes, write } from '../support/trees.ts';

const BYTES = seededBytes(3_000_000, 'curl');

describe('curl', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const local = scratchFolder('curl');
  let server: TestServer;
  let user: DavClient;

  before(async () => {
    needPrograms('curl');
    server = await servers.start();
    user = await server.addUser();
    write(local, 'up.bin', BYTES);
  });

  async function curl(...args: string[]): Promise<string> {
    const login = `${user.name}:${user.password}`;
    const all = ['-sS', '-u', login, '-w', '%{http_code}', '-o', 'answer', ...args];
    return (await runWell('curl', all, { cwd: local, timeoutMs: 60_000 })).stdout;
  }

  const answer = (): Buffer => readFileSync(join(local, 'answer'));

  it('uploads with -T, of known and of unknown length', async () => {
    assert.equal(await curl('-T', 'up.bin', `${server.url}/dav/known.bin`), '201');
    const headers = ['-H', 'Transfer-Encoding: chunked'];
    assert.equal(await curl(...headers, '-T', 'up.bin', `${server.url}/dav/unknown.bin`), '201');
    assert.deepEqual(await user.tree(), new Map([
      ['known.bin', fingerprint(BYTES)], ['unknown.bin', fingerprint(BYTES)],
    ]));
  });

  it('downloads the whole, a range, the end, and nothing when nothing changed', async () => {
    const file = `${server.url}/dav/known.bin`;
    assert.equal(await curl(file), '200');
    assert.ok(answer().equals(BYTES));
    assert.equal(await curl('-r', '1000-262200', file), '206');
    assert.ok(answer().equals(BYTES.subarray(1000, 262_201)));
    assert.equal(await curl('-r', '-77', file), '206');
    assert.ok(answer().equals(BYTES.subarray(-77)));
    assert.equal(await curl('-r', '3000000-', file), '416');
    const { headers } = await user.file('HEAD', 'known.bin');
    assert.equal(await curl('-H', `If-None-Match: ${headers.etag}`, file), '304');
  });

  it('resumes a download that was cut', async () => {
    const file = `${server.url}/dav/known.bin`;
    write(local, 'answer', BYTES.subarray(0, 1_234_567));
    assert.equal(await curl('-C', '1234567', file), '206');
    assert.ok(answer().equals(BYTES));
  });

  it('replaces only what it believes to replace', async () => {
    const file = `${server.url}/dav/known.bin`;
    assert.equal(await curl('-H', 'If-Match: "stale"', '-T', 'up.bin', file), '412');
    assert.equal(await curl('-H', 'If-None-Match: *', '-T', 'up.bin', file), '412');
  });

  it('is told to sign in, and how', async () => {
    const { stdout } = await runWell('curl', ['-sS', '-i', `${server.url}/dav/`]);
    assert.match(stdout, /^HTTP\/1\.1 401 /);
    assert.match(stdout, /www-authenticate: basic realm=/i);
  });
});
