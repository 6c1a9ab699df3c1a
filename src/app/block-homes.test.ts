import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseTenantId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import type { TenantRecord } from '../identity/index.ts';
import {
  Config, ManualClock, openDataDirectory, silentLog, systemRandom,
} from '../platform/index.ts';
import type { BlockHome } from './block-home.ts';
import { BlockHomes } from './block-homes.ts';
import { ownHome } from './home-list.ts';
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

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'homes-'));
    clock = new ManualClock(1_700_000_000_000);
    policy = 'default';
    homes = await open();
  });
  afterEach(async () => {
    const closed = homes.close();
    clock.advance(WAIT_MS);
    await closed;
  });

  async function open(toml = ''): Promise<BlockHomes> {
    const place = ownHome(await openDataDirectory(path, clock));
    const file = { text: toml, label: 'settings' };
    const { policies, ...usual } = storageSettings(Config.load({ slices: SLICES, env: {}, file }));
    return BlockHomes.open({ place } as BlockHome, {
      clock, policies, usual, log: silentLog, random: systemRandom,
      findTenant: (id) => (id === SLOW ? new Promise(() => undefined)
        : Promise.resolve(recordOf(id))),
      readMarks: () => Promise.resolve({ witness: [], away: [] }),
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

  it('makes no more than one server can look after', async () => {
    const full = Array.from({ length: 63 }, (_, number) => (
      { tenant: `t${number}`, number: number + 1, policy, founded: true }));
    const list = { format: 'holdfast-block-homes', version: 1, homes: full };
    writeFileSync(at('block-homes.json'), JSON.stringify(list));
    homes = await open();
    assert.equal(await reasonOf(ACME), 'too-many-homes');
  });
});
