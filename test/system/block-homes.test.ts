/** Tenants of one server, each with a storage of its own: what befalls one does not reach another. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const PLAIN = Buffer.from('this text can be read by whoever has the disk. '.repeat(6_000));
const POLICY = `[storage.policies.sealed]
compression = "auto"
`;

describe('tenants with storages of their own', { timeout: 120_000 }, () => {
  const servers = serverForTests();
  const outside = scratchFolder('outside');
  const config = join(outside, 'holdfast.toml');
  const masterKey = join(outside, 'master.key');
  let server: TestServer;
  let ada: DavClient;
  let ann: DavClient;

  const at = (...path: string[]): string => join(server.data, ...path);
  const settings = (): string[] => ['--data', server.data, '--config', config];
  const tell = (...args: string[]): Promise<Outcome> => runWell(PROGRAM, [...args, ...settings()]);
  const stored = (folder: string): Buffer => Buffer.concat(
    readdirSync(folder).filter((name) => name.endsWith('.hv'))
      .map((name) => readFileSync(join(folder, name))),
  );

  async function uploadInPieces(user: DavClient, name: string, bytes: Buffer): Promise<void> {
    const folder = `/remote.php/dav/uploads/${user.name}/pieces`;
    assert.equal((await user.ask('MKCOL', folder)).status, 201);
    const half = bytes.length / 2;
    assert.equal((await user.ask('PUT', `${folder}/1`, { body: bytes.subarray(0, half) })).status, 201);
    assert.equal((await user.ask('PUT', `${folder}/2`, { body: bytes.subarray(half) })).status, 201);
    const headers = { Destination: `${server.url}/remote.php/dav/files/${user.name}/${name}` };
    assert.equal((await user.ask('MOVE', `${folder}/.file`, { headers })).status, 201);
  }

  it('keep files by their policies, and keep them when the server is killed', async () => {
    writeFileSync(masterKey, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    writeFileSync(config, `${POLICY}encryption_key_file = "${masterKey}"\n`);
    server = await servers.start({ args: ['--config', config] });
    await tell('tenant', 'add', 'acme', '--policy', 'sealed');
    ada = await server.addUser({ name: 'ada' });
    ann = await server.addUser({ name: 'ann', args: ['--tenant', 'acme'] });
    for (const user of [ada, ann]) {
      assert.equal((await user.put('whole.txt', PLAIN)).status, 201);
      await uploadInPieces(user, 'pieces.txt', PLAIN);
    }
    assert.ok(stored(at('volumes')).includes(PLAIN.subarray(0, 47)));
    const sealed = stored(at('tenants', 'acme', 'volumes'));
    assert.ok(!sealed.includes(PLAIN.subarray(0, 47)), 'encrypted');
    assert.ok(sealed.length < PLAIN.length / 2, 'and compressed');

    await server.kill();
    await server.startAgain();
    for (const user of [ada, ann]) {
      for (const name of ['whole.txt', 'pieces.txt']) {
        assert.ok((await user.get(name)).body.equals(PLAIN), `${user.name}: ${name}`);
      }
    }
    const figures = (await ada.ask('GET', '/metrics')).text;
    assert.match(figures, /^holdfast_block_store_blocks [1-9]/m);
    assert.match(figures, /^holdfast_block_store_blocks\{tenant="acme"\} [1-9]/m);
  });

  it('are collected and verified each by itself', async () => {
    const folder = `/remote.php/dav/uploads/${ada.name}/given-up`;
    await ada.ask('MKCOL', folder);
    assert.equal((await ada.ask('PUT', `${folder}/1`, { body: 'nobody needs this' })).status, 201);
    const metadata = new Database(at('metadata.db'));
    const part = metadata.prepare('SELECT manifest FROM upload_part').pluck().get() as Buffer;
    await ada.ask('DELETE', folder);
    await server.stop();

    const plan = async (tenant: string): Promise<string> =>
      (await tell('gc', 'run', '--plan', '--tenant', tenant)).stdout;
    assert.match(await plan('default'), /^needed by nothing: 1 block, /m);
    assert.match(await plan('acme'), /^needed by nothing: 0 blocks/m);
    for (const tenant of ['default', 'acme']) {
      const verified = await tell('verify', 'run', '--tenant', tenant);
      assert.match(verified.stdout, /^Nothing is open/m);
      assert.match(verified.stdout, /^metadata-scan +100 % of [1-9]/m);
    }

    // A reference that no program makes: from one tenant to what only another one has.
    const ofAnn = `(SELECT id FROM space WHERE tenant = 'acme')`;
    const first = `SELECT min(node_id) FROM version WHERE space_id = ${ofAnn}`;
    const right = metadata.prepare(`SELECT manifest FROM version WHERE space_id = ${ofAnn}
      AND node_id = (${first})`).pluck().get() as Buffer;
    const plant = metadata.prepare(
      `UPDATE version SET manifest = ? WHERE space_id = ${ofAnn} AND node_id = (${first})`,
    );
    plant.run(part);
    assert.match(await plan('default'), /^needed by nothing: 0 blocks/m);
    assert.match(await plan('acme'), /a run would hold: /);
    const found = await run(PROGRAM, ['verify', 'run', '--tenant', 'acme', ...settings()]);
    assert.equal(found.code, 1);
    assert.match(found.stdout, /block-missing/);
    assert.match((await tell('verify', 'run')).stdout, /^Nothing is open/m);
    plant.run(right);
    metadata.close();
    await tell('verify', 'run', '--tenant', 'acme');
  });

  it('are not made anew when they are gone, and keep nobody else waiting', async () => {
    const volumes = at('tenants', 'acme', 'volumes');
    renameSync(volumes, `${volumes}-away`);
    await server.startAgain();
    assert.equal((await ann.get('whole.txt')).status, 503);
    assert.equal((await ann.put('new.txt', 'new')).status, 503);
    assert.ok((await ada.get('whole.txt')).body.equals(PLAIN));
    assert.match(server.log, /The folder with this tenant's files is missing/);
    assert.match((await ada.ask('GET', '/metrics')).text, /^holdfast_block_homes_closed 1/m);
    assert.ok(!existsSync(volumes));
    await server.stop();
    renameSync(`${volumes}-away`, volumes);

    writeFileSync(config, '');
    await server.startAgain();
    assert.equal((await ann.get('whole.txt')).status, 503);
    assert.match(server.log, /the settings do not have: write \[storage\.policies\.sealed\]/);
    await server.stop();
    writeFileSync(config, `${POLICY}encryption_key_file = "${masterKey}"\n`);

    renameSync(at('block-homes.json'), at('homes-away'));
    const refused = await run(PROGRAM, ['gc', 'run', ...settings()]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /block-homes\.json in the data directory, which says where, is/);
    renameSync(at('homes-away'), at('block-homes.json'));
  });

  it('end with their keys, and others stay readable', async () => {
    const { stdout } = await tell(
      'keys', 'shred', '--tenant', 'acme', '--confirm', 'destroy everything of acme for ever',
    );
    assert.match(stdout, /acme: all keys destroyed/);
    await server.startAgain();
    assert.ok((await ada.get('whole.txt')).body.equals(PLAIN));
    const gone = await ann.get('whole.txt').catch(() => undefined); // The line may be cut.
    assert.ok(gone?.body.equals(PLAIN) !== true);
    rmSync(outside, { recursive: true });
  });
});
