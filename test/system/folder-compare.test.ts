/** Somebody compares a folder of their machine with the one on the server. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { ask, basic } from '../support/dav-client.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';

describe('a folder and its copy on the server', { timeout: 300_000 }, () => {
  const servers = serverForTests();

  it('are the same or differ, and a wrong token or address is said', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    const made = await ask('POST', `${server.url}/api/v1/tokens`, {
      headers: { 'Authorization': basic(ada.credentials), 'Content-Type': 'application/json' },
      body: JSON.stringify({ label: 'compare', scopes: ['files:read'] }),
    });
    assert.equal(made.status, 201, made.text);
    const { token } = JSON.parse(made.text) as { token: string };
    const own = scratchFolder('copy');
    const tokenFile = join(scratchFolder('token'), 'token');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    await ada.makeFolder('Work');
    await ada.makeFolder('Work/Größe');
    mkdirSync(join(own, 'Größe'));
    for (const name of ['a.txt', 'Größe/b.bin']) {
      writeFileSync(join(own, name), `the content of ${name}`);
      await ada.put(`Work/${name}`, `the content of ${name}`);
    }
    const compare = (...args: string[]): Promise<Outcome> => run(PROGRAM, [
      'digest', own, '--token-file', tokenFile, '--server', server.url, ...args,
    ], { timeoutMs: 60_000 });

    const same = await compare('--path', '/Work');
    assert.equal(same.code, 0, same.stderr);
    assert.match(same.stdout, /^files: 2\nfolders: 1\n.*The server has the same\.\n$/s);
    assert.equal((await compare('--path', '/Work', '--read')).code, 0);

    await ada.put('Work/a.txt', 'other content of a.txt');
    const other = await compare('--path', '/Work');
    assert.equal(other.code, 1);
    assert.match(other.stdout, /THEY DIFFER\. The server says:\nfiles: 2\n/);

    const missing = await compare('--path', '/Nowhere');
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /The server refuses: /);
    assert.ok(!`${missing.stdout}${missing.stderr}`.includes(token), 'the token is told nobody');
    writeFileSync(tokenFile, 'my password');
    assert.match((await compare()).stderr, /holds no API token/);
    writeFileSync(tokenFile, token);
    const clear = await run(PROGRAM, [
      'digest', own, '--token-file', tokenFile, '--server', 'http://files.example.org',
    ], { timeoutMs: 60_000 });
    assert.equal(clear.code, 2);
    assert.match(clear.stderr, /would travel in the clear/);
    await server.stop();
    assert.match((await compare()).stderr, /cannot be reached/);
  });
});
