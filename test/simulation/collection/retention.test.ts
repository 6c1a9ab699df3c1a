/** What retention forgets is then collected: from the clock to the blocks on the disk. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../../src/base/ids.ts';
import { parsePath } from '../../../src/base/names.ts';
import { GarbageCollector, VolumeLedger } from '../../../src/durability/index.ts';
import { SqliteGcStore } from '../../../src/durability/gc/stores/sqlite/sqlite-gc-store.ts';
import {
  bodyOf, ContentStore, FileService, RetentionJob, SpaceDirectory,
} from '../../../src/files/index.ts';
import { MemoryMetadataStore } from '../../../src/metadata/stores/memory/memory-metadata-store.ts';
import { ManualClock } from '../../../src/platform/index.ts';
import { GcWorld, DAY_MS } from './world.ts';

const FILES = 60;

it('collects the blocks of deleted files once the trash has let them go', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-retention-'));
  const world = new GcWorld({ seed: 900, ledgerPath: join(folder, 'unused.log') });
  await world.open();
  const { store } = world.life;
  const clock: ManualClock = world.clock;
  const now = (): number => clock.now();
  const metadata = new MemoryMetadataStore();
  const content = new ContentStore({
    blocks: store, metadata, witness: () => store.witness(), claims: store.reclaim,
  });
  const defaults = { casePolicy: 'sensitive' as const, quotaBytes: undefined };
  const spaces = new SpaceDirectory({ metadata, defaults, now });
  const files = new FileService({ metadata, content, spaces, now });
  const anna = {
    user: parseUserId('anna'), tenant: DEFAULT_TENANT, displayName: 'Anna', admin: false,
    device: '', groups: [], groupsRev: 0, credential: 'password' as const,
  };
  const notes = SqliteGcStore.open(':memory:');
  const opened = await VolumeLedger.open(join(folder, 'ledger.log'), notes);
  const collector = new GarbageCollector({
    metadata, blocks: store, reclaim: store.reclaim, volumes: store.keeper, notes, clock,
    onTrouble: (trouble) => assert.fail(JSON.stringify(trouble)),
    limits: {
      smallBytes: 0, garbageShare: 0.05, condemnedShareMax: 1, condemnedFreeBytes: 0,
    },
  }, opened);
  const policy = { keepAllDays: 30, keepDailyDays: 365, trashKeepDays: 30 };
  const pause = async (): Promise<void> => undefined;
  const retention = new RetentionJob({ metadata, policy, now, pause });
  try {
    for (let n = 0; n < FILES; n += 1) {
      await files.upload(anna, parsePath([`f${n}`]), bodyOf(Buffer.alloc(600, `content ${n} `)));
    }
    for (let n = 0; n < 40; n += 1) await files.remove(anna, parsePath([`f${n}`]));
    clock.advance(29 * DAY_MS);
    await retention.run();
    assert.equal((await collector.run()).census.unmetCount, 0);
    clock.advance(2 * DAY_MS);
    await files.upload(anna, parsePath(['later']), bodyOf(Buffer.from('later')));
    assert.ok((await retention.run()).rowCount >= 40);
    assert.equal((await collector.run()).census.unmetCount, 40);
    clock.advance(DAY_MS);
    assert.equal((await collector.run()).census.condemnedCount, 40);
    for (let n = 40; n < FILES; n += 1) {
      const found = await files.open(anna, parsePath([`f${n}`]));
      assert.equal((await found.readWhole()).length, 600);
    }
  } finally {
    await opened.ledger.close();
    notes.close();
    await world.end();
    await rm(folder, { recursive: true });
  }
});
