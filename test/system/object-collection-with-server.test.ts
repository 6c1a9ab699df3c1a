/** What an abandoned upload has left in a bucket: from the first suspicion until it is erased. The
 *  server is real; for the weeks between, the collector gets a clock that is put forward. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCollection } from '../../src/app/collection.ts';
import { fleetSettings } from '../../src/app/fleet.ts';
import { SLICES } from '../../src/app/settings.ts';
import { openStores } from '../../src/app/stores.ts';
import { readLedger } from '../../src/durability/index.ts';
import {
  Config, ManualClock, silentLog, systemClock, systemRandom,
} from '../../src/platform/index.ts';
import { backendSlice } from '../../src/storage/index.ts';
import { S3rver, S3RVER_BUCKET } from '../../src/storage/backends/s3/testing/s3rver.ts';
import { run, runWell } from '../support/command.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const PREFIX = 'collected/';

class ForwardClock extends ManualClock {
  forwardMs = 0;

  constructor() {
    super(0);
  }

  override now(): number {
    return systemClock.now() + this.forwardMs;
  }

  override monotonic(): number {
    return systemClock.monotonic() + this.forwardMs;
  }

  override after(delayMs: number, act: () => void): () => void {
    return systemClock.after(delayMs, act);
  }
}

describe('garbage in a bucket', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let s3: S3rver;
  before(async () => {
    s3 = await S3rver.start();
  });
  after(() => s3.stop());

  const objectsIn = (folder: string): number => {
    const path = s3.folderOf(PREFIX + folder);
    if (!existsSync(path)) return 0;
    return readdirSync(path, { recursive: true }).map(String)
      .filter((name) => name.endsWith('_object')).length;
  };
  const filesIn = (folder: string): number => readdirSync(folder, { recursive: true }).map(String)
    .filter((name) => /[0-9a-f]{64}/.test(name)).length;

  it('goes to the trash after two looks, and for ever after two inspections', async () => {
    const cache = scratchFolder('cache');
    const env = {
      HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_ENDPOINT: s3.url,
      HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET, HOLDFAST_STORAGE_S3_PREFIX: PREFIX,
      HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: 'S3RVER',
      HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: 'S3RVER', HOLDFAST_STORAGE_CACHE_FOLDER: cache,
    };
    const server = await servers.start({ env });
    const user = await server.addUser();
    const kept = seededBytes(5 * MIB, 'kept');
    assert.equal((await user.put('kept.bin', kept)).status, 201);
    const folder = `/remote.php/dav/uploads/${user.name}/given-up`;
    assert.equal((await user.ask('MKCOL', folder)).status, 201);
    const piece = { body: seededBytes(3 * MIB, 'given up') };
    assert.equal((await user.ask('PUT', `${folder}/1`, piece)).status, 201);
    assert.equal((await user.ask('DELETE', folder)).status, 204);
    await server.stop();
    assert.equal(objectsIn('blocks'), 3);
    const cachedBefore = filesIn(cache);

    const clock = new ForwardClock();
    const config = Config.load({ slices: SLICES, env });
    const stores = await openStores(server.data, {
      clock: systemClock, log: silentLog, random: systemRandom, settings: fleetSettings(config),
      backend: config.of(backendSlice),
    });
    const troubles: unknown[] = [];
    const collection = await openCollection(stores, stores, {
      clock, bytesPerSecond: Infinity, onTrouble: (trouble) => troubles.push(trouble),
    });
    const { collector } = collection;
    try {
      const days: number[] = [];
      let trashedOn: number | undefined;
      for (let day = 0; day <= 20; day++) {
        clock.forwardMs = day * (DAY_MS + 1000);
        const { compacted, unlinked, census } = await collector.run();
        assert.equal(census.absentCount, 0);
        if (compacted.length > 0) {
          trashedOn = day;
          assert.deepEqual([objectsIn('blocks'), objectsIn('trash')], [2, 1]);
          assert.equal(filesIn(cache), cachedBefore - 1, 'the cache has forgotten it');
        }
        if (unlinked.length > 0) days.push(day);
      }
      assert.equal(trashedOn, 1, 'two looks, a day apart');
      assert.deepEqual(days, [trashedOn + 15], 'two weeks, and a day between the inspections');
      assert.deepEqual([objectsIn('blocks'), objectsIn('trash')], [2, 0]);
      assert.deepEqual(troubles, []);
    } finally {
      await collection.close();
      await stores.close();
    }

    const { entries } = await readLedger(join(server.data, 'volume-ledger.log'));
    assert.deepEqual(entries.map(({ act }) => act), ['trash', 'inspect', 'inspect', 'unlink']);
    const unlink = entries.at(-1);
    assert.ok(unlink?.act === 'unlink');
    assert.deepEqual(unlink.inspections, [2, 3]);
    const verified = await run(PROGRAM, ['verify', 'run', '--data', server.data], { env });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /^extent-referee +only the ledger/m);
    await server.startAgain();
    assert.ok((await user.get('kept.bin')).body.equals(kept));
  });

  it('is that of one tenant alone, while another one\'s files lie on a disk', async () => {
    const config = join(scratchFolder('policies'), 'holdfast.toml');
    writeFileSync(config, `[storage.policies.bucket]
backend = "s3"
s3.endpoint = "${s3.url}"
s3.bucket = "${S3RVER_BUCKET}"
s3.prefix = "shared/"
s3.access_key_id = "S3RVER"
s3.secret_access_key = "S3RVER"
`);
    const args = ['--config', config];
    const server = await servers.start({ args });
    const settings = ['--data', server.data, ...args];
    await runWell(PROGRAM, ['tenant', 'add', 'acme', '--policy', 'bucket', ...settings]);
    const ada = await server.addUser({ name: 'ada' });
    const ann = await server.addUser({ name: 'ann', args: ['--tenant', 'acme'] });
    const kept = seededBytes(5 * MIB, 'kept');
    for (const user of [ada, ann]) assert.equal((await user.put('kept.bin', kept)).status, 201);
    const objects = readdirSync(s3.folderOf('shared/tenants/acme/'), { recursive: true })
      .map(String).filter((name) => /blocks.*_object$/.test(name));
    assert.equal(objects.length, 2);
    await server.kill();
    const collected = await runWell(PROGRAM, ['gc', 'run', '--tenant', 'acme', ...settings]);
    assert.match(collected.stdout, /^needed by nothing: 0 blocks/m);
    const verified = await runWell(PROGRAM, ['verify', 'run', '--tenant', 'acme', ...settings]);
    assert.match(verified.stdout, /^Nothing is open/m);
    assert.match(verified.stdout, /^object-scrubber +100 % of 5/m);
    await server.startAgain();
    for (const user of [ada, ann]) assert.ok((await user.get('kept.bin')).body.equals(kept));
  });
});
