/** The server on an object store, as an operator and a user see it: S3, with a cache in front. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/platform/index.ts';
import { S3rver, S3RVER_BUCKET } from '../../src/storage/backends/s3/testing/s3rver.ts';
import { FaultProxy } from '../../src/storage/backends/testing/fault-proxy.ts';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests, TestServer } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;
const SECRET = 'a-secret-that-nobody-may-see';

type Env = Record<string, string>;

describe('a server on an object store', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let s3: S3rver;
  let proxy: FaultProxy;
  let prefixes = 0;
  before(async () => {
    s3 = await S3rver.start();
    proxy = await FaultProxy.start(s3.url, systemClock);
  });
  after(async () => {
    await proxy.close();
    await s3.stop();
  });

  /** A place of its own in the bucket, behind the proxy. */
  function place(more: Env = {}): Env & { HOLDFAST_STORAGE_S3_PREFIX: string } {
    prefixes += 1;
    const secretFile = join(scratchFolder('secret'), 'key');
    writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
    return {
      HOLDFAST_STORAGE_BACKEND: 's3',
      HOLDFAST_STORAGE_S3_ENDPOINT: proxy.url,
      HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET,
      HOLDFAST_STORAGE_S3_PREFIX: `place-${prefixes}/`,
      HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: 'S3RVER',
      HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY_FILE: secretFile,
      ...more,
    };
  }

  /** A command on the same data with the same settings. */
  function command(server: TestServer, env: Env, ...args: string[]): Promise<Outcome> {
    return run(PROGRAM, [...args, '--data', server.data], { env, timeoutMs: 60_000 });
  }

  async function refused(env: Env, data?: string): Promise<string> {
    const server = TestServer.prepare({ env, ...(data !== undefined && { data }) });
    await assert.rejects(server.startAgain());
    const { code } = await server.command.ended;
    assert.notEqual(code, 0);
    return server.log;
  }

  const figure = async (user: DavClient, name: string): Promise<number> => {
    const { text } = await user.ask('GET', '/metrics');
    return Number(new RegExp(`^holdfast_${name}(?:{[^}]*})? (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
  };

  it('keeps files over a restart and a kill, and can do without the cache', async () => {
    const cache = scratchFolder('cache');
    const env = place({ HOLDFAST_STORAGE_CACHE_FOLDER: cache });
    const server = await servers.start({ env });
    const user = await server.addUser();
    const big = seededBytes(9 * MIB, 'big');
    assert.equal((await user.put('big.bin', big)).status, 201);
    assert.equal((await user.put('small.txt', 'small')).status, 201);
    assert.ok((await user.get('big.bin')).body.equals(big));
    assert.ok(!existsSync(join(server.data, 'volumes')), 'nothing lies in local volumes');
    assert.equal((await user.get('small.txt')).text, 'small');
    assert.ok(await figure(user, 'block_memory_hits') > 0, 'what is small comes from memory');
    await server.restart();
    assert.ok((await user.get('big.bin')).body.equals(big));
    assert.ok(await figure(user, 'block_cache_hits') > 0, 'the cache outlives a restart');
    rmSync(cache, { recursive: true, force: true });
    assert.ok((await user.get('big.bin')).body.equals(big));
    assert.equal((await user.put('late.bin', big.subarray(1))).status, 201);
    await server.kill();
    await server.startAgain();
    assert.ok((await user.get('late.bin')).body.equals(big.subarray(1)));
    assert.equal((await user.get('small.txt')).text, 'small');
    const part = await user.get('big.bin', { Range: 'bytes=5000000-5000099' });
    assert.ok(part.body.equals(big.subarray(5_000_000, 5_000_100)));
    assert.ok(!server.log.includes(SECRET));
  });

  it('says 503 while the store does not answer, never 404, and goes on when it does', async () => {
    const env = place();
    const server = await servers.start({ env });
    const user = await server.addUser();
    const bytes = seededBytes(MIB, 'there');
    assert.equal((await user.put('there.bin', bytes)).status, 201);
    await server.restart(); // What was put lately is remembered by nobody.
    proxy.spoil({ fault: 'reset-request' });
    try {
      const read = await user.get('there.bin').catch(() => undefined);
      assert.ok(read === undefined || read.status === 503, `answered ${read?.status}`);
      assert.equal((await user.put('new.bin', bytes.subarray(1))).status, 503);
      assert.equal((await user.list()).length, 1, 'names are known all the same');
    } finally {
      proxy.heal();
    }
    assert.ok((await user.get('there.bin')).body.equals(bytes));
    assert.equal((await user.put('new.bin', bytes.subarray(1))).status, 201);
  });

  it('takes an emptied bucket for an outage, and does not start on it', async () => {
    const env = place();
    const server = await servers.start({ env });
    const user = await server.addUser();
    assert.equal((await user.put('there.bin', seededBytes(MIB, 'gone'))).status, 201);
    rmSync(s3.folderOf(env.HOLDFAST_STORAGE_S3_PREFIX), { recursive: true, force: true });
    const read = await user.get('there.bin').catch(() => undefined);
    assert.ok(read === undefined || read.status === 503, `answered ${read?.status}`);
    await server.stop();
    assert.match(await refused(env, server.data), /no store in this bucket/);
  });

  it('refuses settings that lead elsewhere, and says where the files are', async () => {
    const env = place();
    const server = await servers.start({ env });
    await server.stop();
    assert.match(await refused({}, server.data), /lie in: s3 .*place-\d+\//);
    const other = { ...env, HOLDFAST_STORAGE_S3_PREFIX: 'elsewhere/' };
    assert.match(await refused(other, server.data), /settings say: s3 .*elsewhere\//);
    const local = await servers.start();
    await local.stop();
    assert.match(await refused(place(), local.data), /lie in: local volumes/);
    const foreign = { ...env };
    assert.match(await refused(foreign), /store of another installation/);
    await server.startAgain();
  });

  it('refuses what does not fit, tells all that is missing, and shows no secret', async () => {
    const env = place();
    assert.match(await refused({ ...env, HOLDFAST_STORAGE_COPIES: '2' }), /storage\.copies/);
    const { HOLDFAST_STORAGE_S3_BUCKET: _, ...noBucket } = env;
    const check = await run(PROGRAM, ['config', 'check'], { env: {
      ...noBucket, HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: SECRET,
      HOLDFAST_STORAGE_MIRROR_BACKEND: 'azure',
    } });
    assert.notEqual(check.code, 0);
    const said = check.stdout + check.stderr;
    for (const problem of [
      /s3\.bucket is missing/, /s3\.secret_access_key is said more than once/,
      /mirror\.azure\.container is missing/, /mirror\.azure\.account_key is missing/,
    ]) assert.match(said, problem);
    const { HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY_FILE: __, ...plain } = env;
    const show = await run(PROGRAM, ['config', 'show'], {
      env: { ...plain, HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: SECRET },
    });
    assert.equal(show.code, 0, show.stderr);
    assert.ok(!(show.stdout + said).includes(SECRET));
    assert.match(await refused({
      ...env, HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY_FILE: '/nowhere/at/all',
    }), /secret_access_key_file cannot be read/);
  });

  it('finds what an abandoned upload has left, and refuses what is for disks only', async () => {
    const env = place();
    const server = await servers.start({ env });
    const user = await server.addUser();
    assert.equal((await user.put('kept.bin', seededBytes(5 * MIB, 'kept'))).status, 201);
    const folder = `/remote.php/dav/uploads/${user.name}/given-up`;
    assert.equal((await user.ask('MKCOL', folder)).status, 201);
    const piece = { body: seededBytes(3 * MIB, 'given up') };
    assert.equal((await user.ask('PUT', `${folder}/1`, piece)).status, 201);
    assert.equal((await user.ask('DELETE', folder)).status, 204);
    const disks = await command(server, env, 'disk', 'list');
    assert.notEqual(disks.code, 0);
    assert.match(disks.stderr, /lies in an object store/);
    await server.stop();
    const plan = await command(server, env, 'gc', 'run', '--plan');
    assert.match(plan.stdout, /needed by nothing: 1 block, 3\.0 MiB/, plan.stderr);
    assert.equal((await command(server, env, 'gc', 'run')).code, 0);
    const status = await command(server, env, 'gc', 'status');
    assert.match(status.stdout, /suspects: 1 block, 3\.0 MiB/);
    assert.match(status.stdout, /missing: 0 blocks/);
    await server.startAgain();
    assert.equal((await user.get('kept.bin')).status, 200);
  });

  it('verifies the objects themselves, and says what has nothing to look at', async () => {
    const env = place();
    const server = await servers.start({ env });
    const user = await server.addUser();
    assert.equal((await user.put('a.bin', seededBytes(MIB, 'a'))).status, 201);
    assert.equal((await user.put('b.bin', seededBytes(2 * MIB, 'b'))).status, 201);
    const good = await command(server, env, 'verify', 'run');
    assert.equal(good.code, 0, good.stdout + good.stderr);
    assert.match(good.stdout, /^object-scrubber +100 % of 3\.0 MiB/m);
    assert.match(good.stdout, /^metadata-scan +100 % of 2 items/m);
    assert.match(good.stdout, /^disk-scrubber +the blocks lie in an object store/m);
    const blocks = s3.folderOf(`${env.HOLDFAST_STORAGE_S3_PREFIX}blocks`);
    const [first = '', second = ''] = readdirSync(blocks)
      .filter((name) => name.endsWith('_object')).map((name) => join(blocks, name));
    const bytes = readFileSync(first);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(first, bytes);
    for (const name of readdirSync(blocks)) {
      if (join(blocks, name).startsWith(second.split('._S3rver')[0] ?? '-')) {
        rmSync(join(blocks, name));
      }
    }
    const bad = await command(server, env, 'verify', 'run');
    assert.equal(bad.code, 1, bad.stdout + bad.stderr);
    assert.match(bad.stdout, /do not hash to their block id \(object-scrubber/);
    assert.match(bad.stdout, /a block that a file needs is not in the store \(metadata-scan/);
  });

  it('starts only when the store answers, and says what is the matter', async () => {
    proxy.spoil({ fault: 'reset-request' });
    try {
      assert.match(await refused(place()), /cannot be reached/);
    } finally {
      proxy.heal();
    }
  });
});

describe('a server with a mirror', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let s3: S3rver;
  let proxy: FaultProxy;
  before(async () => {
    s3 = await S3rver.start();
    proxy = await FaultProxy.start(s3.url, systemClock);
  });
  after(async () => {
    await proxy.close();
    await s3.stop();
  });

  function mirrorIn(prefix: string, policy: 'async' | 'sync'): Env {
    return {
      HOLDFAST_STORAGE_MIRROR_BACKEND: 's3', HOLDFAST_STORAGE_MIRROR_POLICY: policy,
      HOLDFAST_STORAGE_MIRROR_S3_ENDPOINT: proxy.url,
      HOLDFAST_STORAGE_MIRROR_S3_BUCKET: S3RVER_BUCKET,
      HOLDFAST_STORAGE_MIRROR_S3_PREFIX: prefix,
      HOLDFAST_STORAGE_MIRROR_S3_ACCESS_KEY_ID: 'S3RVER',
      HOLDFAST_STORAGE_MIRROR_S3_SECRET_ACCESS_KEY: SECRET,
    };
  }

  async function mirrored(server: TestServer, user: DavClient): Promise<void> {
    await eventually(60_000, 'the mirror has everything', async () => {
      const { text } = await user.ask('GET', '/metrics');
      const lag = /^holdfast_mirror_lag_blocks (\d+)/m.exec(text)?.[1];
      const due = /^holdfast_mirror_comparison_due (\d+)/m.exec(text)?.[1];
      return lag === '0' && due === '0';
    });
    assert.ok(server.isRunning);
  }

  it('copies to the second place, and reads there what is damaged here', async () => {
    const env = mirrorIn('later/', 'async');
    const server = await servers.start({ env });
    const user = await server.addUser();
    const bytes = seededBytes(6 * MIB, 'mirrored');
    proxy.spoil({ fault: 'reset-request' });
    assert.equal((await user.put('a.bin', bytes)).status, 201, 'the second place may be away');
    await server.kill();
    await server.startAgain(); // It starts though the mirror does not answer.
    assert.ok((await user.get('a.bin')).body.equals(bytes));
    proxy.heal();
    await server.restart();
    await mirrored(server, user);
    await server.stop();
    const volume = join(server.data, 'volumes', 'v00000001.1.hv');
    const stored = readFileSync(volume);
    stored.fill(0x55, 1 * MIB, 2 * MIB);
    writeFileSync(volume, stored);
    await server.startAgain();
    assert.ok((await user.get('a.bin')).body.equals(bytes), 'the mirror has it');
    assert.ok(!server.log.includes(SECRET));
  });

  it('acknowledges with "sync" only what both places have', async () => {
    const env = mirrorIn('both/', 'sync');
    const server = await servers.start({ env });
    const user = await server.addUser();
    assert.equal((await user.put('a.bin', seededBytes(MIB, 'a'))).status, 201);
    proxy.spoil({ fault: 'reset-request' });
    try {
      assert.equal((await user.put('b.bin', seededBytes(MIB, 'b'))).status, 503);
      assert.equal((await user.get('a.bin')).status, 200);
    } finally {
      proxy.heal();
    }
    assert.equal((await user.put('b.bin', seededBytes(MIB, 'b'))).status, 201);
  });

  it('encrypts in the mirror, becomes it, and goes back, with all files', async () => {
    const key = join(scratchFolder('master-key'), 'master.key');
    const kept: Env = {
      HOLDFAST_STORAGE_ENCRYPTION_KEY_FILE: key, HOLDFAST_STORAGE_COMPRESSION: 'auto',
    };
    const before = { ...kept, ...mirrorIn('moved/', 'async') };
    const after: Env = { ...kept, HOLDFAST_STORAGE_BACKEND: 's3' };
    for (const [name, value] of Object.entries(mirrorIn('moved/', 'async'))) {
      if (name.includes('_MIRROR_S3_')) after[name.replace('_MIRROR', '')] = value;
    }
    const fresh = TestServer.prepare();
    const { data } = fresh;
    const { name, password } = await fresh.addUser();
    const well = async (env: Env, ...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(PROGRAM, [...args, '--data', data], { env });
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    };
    await well(before, 'keys', 'init');
    const local = await servers.start({ env: before, data });
    const user = local.client(name, password);
    const text = Buffer.alloc(3 * MIB, 'nobody at the service may read this line\n');
    assert.equal((await user.put('a.txt', text)).status, 201);
    await local.stop();
    assert.match(await well(before, 'storage', 'move', '--to', 'mirror'), /nothing was moved/);
    assert.match(await well(before, 'storage', 'move', '--to', 'mirror', '--yes'), /^moved/m);
    const stored = readdirSync(s3.folderOf('moved/blocks'))
      .map((name) => readFileSync(join(s3.folderOf('moved/blocks'), name)));
    assert.ok(stored.length > 0 && stored.every((bytes) => !bytes.includes('nobody at')));
    const remote = await servers.start({ env: after, data });
    const sameUser = remote.client(name, password);
    assert.ok((await sameUser.get('a.txt')).body.equals(text));
    assert.equal((await sameUser.put('b.txt', text.subarray(7))).status, 201);
    await remote.stop();
    assert.match(await well(after, 'verify', 'run'), /^object-scrubber +100 %/m);
    assert.match(await well(after, 'storage', 'move', '--to', 'local', '--yes'), /^moved/m);
    const back = await servers.start({ env: kept, data });
    const again = back.client(name, password);
    assert.ok((await again.get('a.txt')).body.equals(text));
    assert.ok((await again.get('b.txt')).body.equals(text.subarray(7)));
  });

  it('reads from a mirror in a folder what a bucket has lost, and mends it', async () => {
    const folder = join(scratchFolder('mirror'), 'second');
    const env: Env = {
      HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_ENDPOINT: s3.url,
      HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET, HOLDFAST_STORAGE_S3_PREFIX: 'first/',
      HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: 'S3RVER',
      HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: SECRET,
      HOLDFAST_STORAGE_MIRROR_BACKEND: 'local', HOLDFAST_STORAGE_MIRROR_LOCAL_FOLDER: folder,
    };
    const server = await servers.start({ env });
    const user = await server.addUser();
    const bytes = seededBytes(6 * MIB, 'twice');
    assert.equal((await user.put('a.bin', bytes)).status, 201);
    await mirrored(server, user);
    await server.stop();
    rmSync(s3.folderOf('first/blocks'), { recursive: true });
    await server.startAgain();
    assert.ok((await user.get('a.bin')).body.equals(bytes));
    await eventually(60_000, 'what was read is back in the bucket', () => {
      const blocks = s3.folderOf('first/blocks');
      return existsSync(blocks)
        && readdirSync(blocks).filter((name) => name.endsWith('_object')).length === 2;
    });
    await server.stop();
    rmSync(folder, { recursive: true });
    await server.startAgain(); // The mirror's disk is not mounted: it waits for it.
    assert.ok((await user.get('a.bin')).body.equals(bytes));
    assert.ok(!existsSync(folder), 'no new mirror is begun beside a mount point');
  });

  it('refuses the mirror of another server, and one that should not be empty', async () => {
    const env = mirrorIn('mine/', 'async');
    const server = await servers.start({ env });
    await server.stop();
    const other = TestServer.prepare({ env });
    await assert.rejects(other.startAgain());
    assert.match(other.log, /store of another installation/);
    rmSync(s3.folderOf('mine/'), { recursive: true });
    await assert.rejects(server.startAgain());
    assert.match(server.log, /no store in this bucket/);
    await server.startAgain({ env: { HOLDFAST_STORAGE_MIRROR_BACKEND: 'off',
      HOLDFAST_STORAGE_MIRROR_S3_BUCKET: '' } });
    await server.stop();
    await server.startAgain();
  });
});
