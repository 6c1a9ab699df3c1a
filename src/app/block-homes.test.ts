import assert from 'node:assert/strict';
import {
  existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { parseTenantId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import type { TenantRecord } from '../identity/index.ts';
import type { KnownMarks } from '../metadata/index.ts';
import {
  Config, ManualClock, openDataDirectory, silentLog, systemRandom,
} from '../platform/index.ts';
import type { HomeEntry, StoreSharing } from '../storage/index.ts';
import type { BlockHome } from './block-home.ts';
import { BlockHomes } from './block-homes.ts';
import type { SharedHomes } from './block-homes.ts';
import { marksOf, ownHome } from './home-list.ts';
import { SLICES } from './settings.ts';
import { storageSettings } from './storage-policies.ts';

const [ACME, BETA, SLOW] = ['acme', 'beta', 'slow'].map(parseTenantId) as
  [TenantId, TenantId, TenantId];
const WAIT_MS = 60_000;

describe('BlockHomes', () => {
  let path: string;
  let clock: ManualClock;
  let homes: BlockHomes;
  let policy: string;
  let readMarks: () => Promise<KnownMarks>;

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'homes-'));
    clock = new ManualClock(1_700_000_000_000);
    policy = 'default';
    readMarks = () => Promise.resolve({ witness: [], away: [] });
    homes = await open();
  });
  afterEach(async () => {
    const closed = homes.close();
    clock.advance(WAIT_MS);
    await closed;
  });

  /** As one of several servers; `alone` is what its lease does. */
  function sharedWith(
    entries: readonly HomeEntry[],
    alone: (name: string, act: () => Promise<void>) => Promise<void> = (_, act) => act(),
  ): SharedHomes {
    const done = (): Promise<void> => Promise.resolve();
    return {
      table: {
        read: () => Promise.resolve([...entries]), add: done, take: done, noteFounded: done,
        close: done,
      },
      others: {
        node: 'two', sharing: {} as StoreSharing, // Nothing is stored.
        alone, tell: done,
      },
    };
  }

  async function open(toml = '', shared?: SharedHomes): Promise<BlockHomes> {
    const place = ownHome(await openDataDirectory(path, clock));
    const file = { text: toml, label: 'settings' };
    const { policies, ...usual } = storageSettings(Config.load({ slices: SLICES, env: {}, file }));
    const own = { place, checkMarks: () => Promise.resolve() };
    return BlockHomes.open(own as unknown as BlockHome, {
      clock, policies, usual, log: silentLog, random: systemRandom,
      findTenant: (id) => (id === SLOW ? new Promise(() => undefined)
        : Promise.resolve(recordOf(id))),
      readMarks: () => readMarks(), shared,
    });
  }

  const recordOf = (id: TenantId): TenantRecord => ({ id, title: id, policy, createdAt: 1 });
  const at = (...names: string[]): string => join(path, ...names);

  async function reasonOf(tenant: TenantId): Promise<unknown> {
    await assert.rejects(Promise.resolve(homes.of(tenant)), { kind: 'unavailable' });
    return (homes.failed.get(tenant)?.error as { code?: unknown } | undefined)?.code;
  }

  it('opens some while another one does not answer, and lets the start go on', async () => {
    const started = homes.openAll([SLOW, ACME, BETA].map(recordOf));
    assert.equal((await homes.of(ACME)).place.number + (await homes.of(BETA)).place.number, 3);
    clock.advance(WAIT_MS);
    await started;
    assert.equal(homes.list().length, 3, 'with that of the default tenant');
  });

  it('says why one cannot be opened, makes nothing in its place, and tries again', async () => {
    await homes.of(ACME);
    await homes.close();
    renameSync(at('tenants'), at('away'));
    homes = await open();
    assert.equal(await reasonOf(ACME), 'data-incomplete');
    assert.ok(!existsSync(at('tenants')));
    renameSync(at('away'), at('tenants'));
    assert.equal(await reasonOf(ACME), 'data-incomplete', 'not at once');
    clock.advance(WAIT_MS);
    assert.equal((await homes.of(ACME)).place.tenant, ACME);
    assert.equal(homes.failed.size, 0);
  });

  it('uses none whose files lack what a shard refers to that comes as it is opened', async () => {
    await homes.of(ACME);
    await homes.close();
    homes = await open();
    readMarks = async () => {
      await homes.checkMarks(marksOf(1, [[7, 4_096]])); // The shard comes when it was given up.
      return { witness: [], away: [1] };
    };
    await reasonOf(ACME);
    assert.ok(isKind(homes.failed.get(ACME)?.error, 'corrupt'));
    assert.equal(homes.find(ACME), undefined);
    readMarks = () => Promise.resolve({ witness: [], away: [] });
    clock.advance(WAIT_MS);
    assert.equal((await homes.of(ACME)).place.tenant, ACME, 'what was asked then is forgotten');
  });

  it('does not take a folder that is in no list', async () => {
    mkdirSync(at('tenants', 'acme', 'volumes'), { recursive: true });
    assert.equal(await reasonOf(ACME), 'home-unlisted');
    assert.ok(!existsSync(at('block-homes.json')));
  });

  it('keeps to the policy that a home was made by', async () => {
    await homes.of(ACME);
    await homes.close();
    policy = 'other';
    homes = await open();
    assert.equal(await reasonOf(ACME), 'no-policy');
    homes = await open('[storage.policies.other]\ncompression = "auto"\n');
    assert.equal(await reasonOf(ACME), 'other-policy');
  });

  it('makes keys only under a master key that is there', async () => {
    policy = 'sealed';
    const key = join(mkdtempSync(join(tmpdir(), 'key-')), 'master.key');
    homes = await open(`[storage.policies.sealed]\nencryption_key_file = "${key}"\n`);
    assert.equal(await reasonOf(ACME), 'no-master-key');
    assert.ok(!existsSync(key));
    writeFileSync(key, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    clock.advance(WAIT_MS);
    await homes.of(ACME);
    assert.ok(existsSync(at('tenants', 'acme', 'keys.json')));
  });

  describe('of several servers', () => {
    const founded: HomeEntry = { tenant: ACME, number: 1, policy: 'sealed', founded: true };
    const bucket = 'backend = "s3"\ns3.endpoint = "http://127.0.0.1:9"\ns3.bucket = "b"\n'
      + 's3.access_key_id = "a"\ns3.secret_access_key = "s"\n';
    const settings = '[storage.policies.sealed]\nencryption_key_file = "/nowhere/master.key"\n'
      + bucket;
    // What each way ends with, since there are no keys: made here, or opened as it was made there.
    const [MADE_HERE, MADE_THERE] = ['home-keys-need-one-server', 'home-keys-elsewhere'];
    beforeEach(() => {
      policy = 'sealed';
    });

    it('makes none while another server does, and tries again later', async () => {
      const names: string[] = [];
      let isBusy = true;
      homes = await open(settings, sharedWith([], async (name, act) => {
        names.push(name);
        if (!isBusy) await act();
      }));
      assert.equal(await reasonOf(ACME), 'home-being-made');
      assert.ok(!existsSync(at('tenants')) && !existsSync(at('block-homes.json')));
      isBusy = false;
      clock.advance(WAIT_MS);
      assert.equal(await reasonOf(ACME), MADE_HERE);
      assert.deepEqual(names, ['home-acme', 'home-acme']);
    });

    it('makes none that another server has made before its turn came', async () => {
      const entries: HomeEntry[] = [];
      homes = await open(settings, sharedWith(entries, async (_, act) => {
        entries.push(founded);
        await act();
      }));
      assert.equal(await reasonOf(ACME), MADE_THERE);
      assert.ok(!existsSync(at('tenants')));
    });

    it('waits for nobody to open one that another server has made meanwhile', async () => {
      const entries: HomeEntry[] = [];
      homes = await open(settings, sharedWith(entries, () =>
        Promise.reject(new Error('the lease was asked for'))));
      entries.push(founded);
      assert.equal(await reasonOf(ACME), MADE_THERE);
    });

    it('takes an empty bucket for a loss where another server has made it', async () => {
      homes = await open(`[storage.policies.sealed]\n${bucket}`, sharedWith([founded]));
      await reasonOf(ACME);
      const noted = readFileSync(at('tenants', 'acme', 'block-backend.json'), 'utf8');
      const { blocks } = JSON.parse(noted) as { blocks?: { founded?: boolean } };
      assert.equal(blocks?.founded, true, noted);
    });
  });

  it('says which keys of another server are missing, and makes none in their place', async () => {
    policy = 'sealed';
    const key = join(mkdtempSync(join(tmpdir(), 'key-')), 'master.key');
    const [ring, place] = ['keys.json', 'block-backend.json'].map((name) =>
      at('tenants', 'acme', name)) as [string, string];
    homes = await open(`[storage.policies.sealed]\nencryption_key_file = "${key}"\n`
      + 'backend = "s3"\ns3.endpoint = "http://127.0.0.1:9"\ns3.bucket = "b"\n'
      + 's3.access_key_id = "a"\ns3.secret_access_key = "s"\n',
    sharedWith([{ tenant: ACME, number: 1, policy, founded: true }]));
    const missing = async (): Promise<boolean[]> => {
      clock.advance(WAIT_MS);
      assert.equal(await reasonOf(ACME), 'home-keys-elsewhere');
      const { message } = homes.failed.get(ACME)?.error as Error;
      assert.match(message, /makes no keys of its own/);
      return [ring, place, key].map((name) => message.includes(`no ${name}`));
    };
    assert.deepEqual(await missing(), [true, true, true]);
    assert.ok(!existsSync(at('tenants')) && !existsSync(key), 'nothing was made');
    mkdirSync(at('tenants', 'acme'), { recursive: true });
    writeFileSync(place, JSON.stringify({
      format: 'holdfast-block-backend', version: 1, blocks: { place: 'there', founded: true },
    }));
    assert.deepEqual(await missing(), [true, false, true]);
    writeFileSync(key, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    assert.deepEqual(await missing(), [true, false, false]);
    assert.ok(!existsSync(ring), 'nor is a ring, with the master key at hand');
  });

  it('makes no more than one server can look after', async () => {
    const full = Array.from({ length: 63 }, (_, number) => (
      { tenant: `t${number}`, number: number + 1, policy, founded: true }));
    const list = { format: 'holdfast-block-homes', version: 1, homes: full };
    writeFileSync(at('block-homes.json'), JSON.stringify(list));
    homes = await open();
    assert.equal(await reasonOf(ACME), 'too-many-homes');
  });
});
