/** Tenants of one server, each with a storage of its own: what befalls one reaches no other. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCollection } from '../../src/app/collection.ts';
import { SLICES } from '../../src/app/settings.ts';
import { storageSettings } from '../../src/app/storage-policies.ts';
import { openStores } from '../../src/app/stores.ts';
import type { Stores } from '../../src/app/stores.ts';
import { DEFAULT_TENANT, parseTenantId } from '../../src/base/ids.ts';
import {
  editSqliteMetadata,
} from '../../src/durability/verify/stores/sqlite/sqlite-canary-metadata.ts';
import {
  SqliteManifestSource,
} from '../../src/durability/verify/stores/sqlite/sqlite-manifest-source.ts';
import { Config, silentLog, systemClock, systemRandom } from '../../src/platform/index.ts';
import { run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const PLAIN = Buffer.from('this text can be read by whoever has the disk. '.repeat(6_000));
const ACME = parseTenantId('acme');
const POLICY = `[storage.policies.sealed]
compression = "auto"
`;

describe('tenants with storages of their own', { timeout: 300_000 }, () => {
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
    for (const [index, body] of [bytes.subarray(0, half), bytes.subarray(half)].entries()) {
      assert.equal((await user.ask('PUT', `${folder}/${index + 1}`, { body })).status, 201);
    }
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
    const volumes = at('tenants', 'acme', 'volumes');
    renameSync(volumes, `${volumes}-away`);
    await server.startAgain();
    assert.equal((await ann.get('whole.txt')).status, 503);
    assert.equal((await ann.put('new.txt', 'new')).status, 503);
    await checkFiles(ada);
    assert.match(server.log, /The folder with this tenant's files is missing/);
    assert.match((await ada.ask('GET', '/metrics')).text, /^holdfast_block_homes_closed 1/m);
    assert.ok(!existsSync(volumes), 'nothing is made in its place');
    renameSync(`${volumes}-away`, volumes);
    await eventually(60_000, 'it is found again', async () =>
      (await ann.get('whole.txt')).status === 200);
    await checkFiles(ann);
    const figures = (await ada.ask('GET', '/metrics')).text;
    assert.match(figures, /^holdfast_block_store_blocks [1-9]/m);
    assert.match(figures, /^holdfast_block_store_blocks\{tenant="acme"\} [1-9]/m);
  });

  it('are collected and verified each by itself', async () => {
    const folder = `/remote.php/dav/uploads/${ada.name}/given-up`;
    await ada.ask('MKCOL', folder);
    assert.equal((await ada.ask('PUT', `${folder}/1`, { body: 'nobody needs this' })).status, 201);
    const source = SqliteManifestSource.open(at('metadata.db'), {
      tenant: DEFAULT_TENANT, ownMarks: (all) => [...all].map(([id, bytes]) => [id, bytes]),
    });
    const part = source.page(['part', '', '', 0], 1)[0]?.manifest;
    assert.ok(part);
    source.close();
    await ada.ask('DELETE', folder);
    await server.stop();
    const verified = await Promise.all(['default', 'acme'].map((tenant) =>
      tell('verify', 'run', '--tenant', tenant)));
    for (const { stdout } of verified) {
      assert.match(stdout, /^Nothing is open/m);
      assert.match(stdout, /^metadata-scan +100 % of [1-9]/m);
    }
    assert.deepEqual(await census(), { default: [1, 0], acme: [0, 0] });

    // A reference that no program makes: from one tenant to what only another one has.
    const ofAcme = SqliteManifestSource.open(at('metadata.db'), {
      tenant: ACME, ownMarks: () => [],
    });
    const [row] = ofAcme.page(undefined, 1);
    ofAcme.close();
    assert.ok(row?.key[0] === 'version');
    const [, spaceId, nodeId] = row.key;
    const edits = editSqliteMetadata(at('metadata.db'));
    await edits.setManifest({ spaceId, nodeId }, part);
    assert.deepEqual(await census(), { default: [0, 0], acme: [0, 1] });
    const found = await run(PROGRAM, ['verify', 'run', '--tenant', 'acme', ...settings()]);
    assert.equal(found.code, 1);
    assert.match(found.stdout, /block-missing/);
    await edits.setManifest({ spaceId, nodeId }, row.manifest);
  });

  it('are not opened by other settings than theirs, nor without the list of them', async () => {
    writeFileSync(config, '');
    assert.match(await reasonOf(), /the settings do not have: write \[storage\.policies\.sealed\]/);
    writeFileSync(config, '[storage.policies.sealed]\ncompression = "auto"\n');
    assert.match(await reasonOf(), /Name the file with the master key/);
    renameSync(at('block-homes.json'), at('homes-away'));
    await assert.rejects(opened(), { code: 'home-list-lost' });
    renameSync(at('homes-away'), at('block-homes.json'));
    writeFileSync(config, `${POLICY}encryption_key_file = "${masterKey}"\n`);

    // As a crash leaves it that comes while a home is being made.
    const list = readFileSync(at('block-homes.json'), 'utf8');
    writeFileSync(at('block-homes.json'), list.replace('"founded": true', '"founded": false'));
    assert.equal(await reasonOf(), 'none');
    assert.equal(readFileSync(at('block-homes.json'), 'utf8'), list);
  });

  it('end with their keys, and others stay readable', async () => {
    const { stdout } = await tell(
      'keys', 'shred', '--tenant', 'acme', '--confirm', 'destroy everything of acme for ever',
    );
    assert.match(stdout, /acme: all keys destroyed/);
    await server.startAgain();
    await checkFiles(ada);
    const gone = await ann.get('whole.txt').catch(() => undefined); // The line may be cut.
    assert.ok(gone?.body.equals(PLAIN) !== true);
  });

  /** The stores themselves, while no server runs. */
  async function opened(): Promise<Stores> {
    const file = { text: readFileSync(config, 'utf8'), label: config };
    return openStores(server.data, {
      clock: systemClock, log: silentLog, random: systemRandom,
      ...storageSettings(Config.load({ slices: SLICES, env: {}, file })),
    });
  }

  /** Why the tenant's storage cannot be opened. */
  async function reasonOf(): Promise<string> {
    const stores = await opened();
    try {
      const reason = stores.homes.failed.get(ACME)?.error;
      return reason instanceof Error ? reason.message : 'none';
    } finally {
      await stores.close();
    }
  }

  /** For each home how many blocks nothing needs, and how many are missing. */
  async function census(): Promise<Record<string, [number, number]>> {
    const stores = await opened();
    const counts: Record<string, [number, number]> = {};
    try {
      for (const home of stores.homes.list()) {
        const collection = await openCollection(home, stores, {
          clock: systemClock, bytesPerSecond: Infinity, onTrouble: () => undefined,
        });
        const { census: { unmetCount, absentCount } } = await collection.collector.plan();
        counts[home.place.tenant] = [unmetCount, absentCount];
        await collection.close();
      }
      return counts;
    } finally {
      await stores.close();
    }
  }
});

async function checkFiles(user: DavClient): Promise<void> {
  for (const name of ['whole.txt', 'pieces.txt']) {
    assert.ok((await user.get(name)).body.equals(PLAIN), `${user.name}: ${name}`);
  }
}
