/** Connections with TLS, to a server whose certificates are made here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { explainedFault } from './faults.ts';
import { Session } from './session.ts';
import type { Answer } from './session.ts';
import { ScratchServer } from './testing/index.ts';

const WORDS = { op: 'test', database: 'metadata database' };
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

const folder = mkdtempSync(join(tmpdir(), 'holdfast-encryption-'));
let server: ScratchServer | undefined;

async function openssl(...args: string[]): Promise<void> {
  await promisify(execFile)('openssl', args, { cwd: folder });
}

async function makeAuthority(name: string): Promise<void> {
  await openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`,
    '-keyout', `${name}.key`, '-out', `${name}.pem`);
}

/** For the server, by the authority `right`, in place of the one before. */
async function certify(name: string): Promise<void> {
  await openssl('req', ...KEY, '-subj', '/CN=database', '-keyout', 'server.key',
    '-out', 'server.csr');
  writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${name}\n`);
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'right.pem', '-CAkey', 'right.key',
    '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.pem');
}

/** What a session answers that trusts an authority. */
async function ask(authority: string, sql: string): Promise<Answer> {
  assert.ok(server !== undefined);
  const tlsCa = readFileSync(join(folder, `${authority}.pem`), 'utf8');
  const session = await Session.open(
    { ...server.addressOf(), host: 'localhost', tlsCa }, 'schema');
  try {
    return await session.run(sql);
  } finally {
    await session.end();
  }
}

async function assertRefused(authority: string, words: RegExp): Promise<void> {
  await assert.rejects(ask(authority, 'SELECT 1'), (error) => {
    const fault = explainedFault(error, WORDS);
    assert.ok(fault instanceof Error && 'code' in fault);
    assert.equal(fault.code, 'database-refused'); // A start ends, in place of trying again.
    assert.match(fault.message, words);
    return true;
  });
}

describe('A connection for which an authority is named', () => {
  before(async () => {
    chmodSync(folder, 0o755);
    await Promise.all(['right', 'wrong'].map(makeAuthority));
    await certify('localhost');
    // MySQL takes a new certificate only if it is of the authority that it knows itself.
    server = await ScratchServer.start(`--ssl-ca=${folder}/right.pem`,
      `--ssl-cert=${folder}/server.pem`, `--ssl-key=${folder}/server.key`);
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('is encrypted, to a server with a certificate of that authority for its name', async () => {
    const { rows: [[, cipher] = []] } = await ask('right', 'SHOW STATUS LIKE \'Ssl_cipher\'');
    assert.match(String(cipher), /^TLS_/);
  });

  it('is refused when the certificate is of another authority, or for another name', async () => {
    const words = /certificate that is not to be trusted/;
    await assertRefused('wrong', words);
    await certify('db.example.org');
    await server?.query(server.isMysql ? 'ALTER INSTANCE RELOAD TLS' : 'FLUSH SSL');
    await assertRefused('right', words);
  });

  it('is refused by a server without encryption, in clear words and at once', async () => {
    const isMysql = server?.isMysql === true;
    await server?.stop();
    server = await ScratchServer.start(isMysql ? '--tls-version=' : '--skip-ssl');
    await assertRefused('right', /offers no encryption/);
  });
});
