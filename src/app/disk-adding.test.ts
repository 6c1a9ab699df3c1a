// The first disk that is added to a running server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseTenantId } from '../base/ids.ts';
import {
  Config, openDataDirectory, silentLog, systemClock, systemRandom,
} from '../platform/index.ts';
import { Block } from '../storage/index.ts';
import type { BlockHome } from './block-home.ts';
import { BlockHomes } from './block-homes.ts';
import { diskOperations } from './disk-operations.ts';
import { ownHome } from './home-list.ts';
import { SLICES } from './settings.ts';
import { storageSettings } from './storage-policies.ts';

const ACME = parseTenantId('acme');
const WAIT_MS = 60_000;
const so = { progress: () => undefined, signal: new AbortController().signal };

describe('The first disk that is added while a server runs', () => {
  let path: string;
  let other: string;
  let third: string;
  let homes: BlockHomes;
  let home: BlockHome;
  let stored: Block[];

  beforeEach(async () => {
    [path, other, third] = ['homes-', 'disk-', 'disk-']
      .map((prefix) => mkdtempSync(join(tmpdir(), prefix))) as [string, string, string];
    stored = [];
    await open();
  });
  afterEach(async () => {
    await homes.close();
    for (const folder of [path, other, third]) rmSync(folder, { recursive: true });
  });

  async function open(changed: { copies?: number; acksMin?: number } = {}): Promise<void> {
    const place = ownHome(await openDataDirectory(path, systemClock));
    const { policies, ...usual } = storageSettings(Config.load({ slices: SLICES, env: {} }));
    homes = await BlockHomes.open({ place } as BlockHome, {
      clock: systemClock, policies, log: silentLog, random: systemRandom,
      findTenant: (id) => Promise.resolve({ id, title: id, policy: 'default', createdAt: 1 }),
      usual: { ...usual, settings: { ...usual.settings, ...changed } },
      readMarks: () => Promise.resolve({ witness: [], away: [] }),
    });
    home = await homes.of(ACME);
  }

  async function put(): Promise<void> {
    const block = Block.of([randomBytes(5_000)]);
    await home.blocks.put(block);
    stored.push(block);
  }

  const policy = () => home.opened?.policy;
  const add = (confirmed: boolean, place = other): Promise<Record<string, unknown>> => {
    const useAllDisks = () => homes.useAllDisks(home);
    const act = diskOperations(home, { isServing: true, useAllDisks })['disk.add'];
    assert.ok(act);
    return act({ place, confirmed }, so);
  };

  async function allCopied(to = other): Promise<void> {
    const endMs = performance.now() + WAIT_MS;
    const volumesIn = (folder: string): string[] => readdirSync(folder)
      .filter((name) => name.endsWith('.hv')).sort();
    const own = join(path, 'tenants', 'acme', 'volumes');
    for (;;) {
      const names = volumesIn(own);
      const isSame = names.length > 1 && volumesIn(to).join() === names.join()
        && names.every((name) => (
          readFileSync(join(own, name)).equals(readFileSync(join(to, name)))));
      if (isSame) return;
      assert.ok(performance.now() < endMs, 'not everything is there twice');
      await new Promise((resolve) => {
        systemClock.after(20, () => resolve(undefined));
      });
    }
  }

  async function readAll(): Promise<void> {
    for (const { id, sizeBytes } of stored) {
      assert.equal((await home.blocks.get(id)).length, sizeBytes);
    }
  }

  it('is used at once: puts go on, and everything is there twice soon', async () => {
    await put();
    await homes.close();
    await open();
    let isDone = false;
    const writing = Array.from({ length: 8 }, async () => {
      while (!isDone) await put();
    });
    const planned = await add(false);
    assert.equal(policy(), undefined, 'a plan does nothing');
    assert.match(JSON.stringify(planned), /From then on everything is kept on several disks/);
    const before = stored.length;
    const told: BlockHome[] = [];
    homes.onCopied = (one) => told.push(one);
    assert.equal((await add(true))['use'], 'now');
    const during = stored.length;
    while (stored.length < during + 20) await put();
    isDone = true;
    await Promise.all(writing);
    assert.ok(before > 0);
    assert.deepEqual(told, [home]);
    assert.equal(policy()?.copies, 2);
    await readAll();
    await allCopied();
    await add(true, third);
    assert.equal(policy()?.copies, 3, 'from the third disk on');
    await put();
    await allCopied(third);
    await homes.close();
    await open();
    assert.deepEqual([policy()?.copies, policy()?.acksMin], [3, 2]);
    await readAll();
  });

  it('is used from the next start on when something speaks against it, and says so', async () => {
    await homes.close();
    await open({ copies: 1, acksMin: 2 });
    await put();
    const { use, reason } = await add(true);
    assert.equal(use, 'start');
    assert.match(String(reason), /on no more than there are copies/);
    assert.equal(policy(), undefined);
    await put();
    await readAll();
    await homes.close();
    await open();
    assert.equal(policy()?.copies, 2);
    await readAll();
  });

  it('has the first volume that is made after it, under its name', async () => {
    assert.equal((await add(true))['use'], 'now');
    await put();
    const own = join(path, 'tenants', 'acme', 'volumes');
    for (const folder of [own, other]) {
      assert.ok(readdirSync(folder).includes('v00000001.1.hv'), readdirSync(folder).join());
    }
  });

  it('is refused when it holds volumes already, such as those of before a loss', async () => {
    assert.equal((await add(true))['use'], 'now');
    await put();
    await homes.close();
    const own = join(path, 'tenants', 'acme');
    rmSync(join(own, 'register'), { recursive: true });
    rmSync(join(own, 'volumes', 'disks'));
    await open();
    await assert.rejects(add(false), /holds 1 volumes: it is not empty/);
    await assert.rejects(add(true), /holds 1 volumes: it is not empty/);
    await readAll();
  });
});
