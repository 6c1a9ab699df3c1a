import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { BlockId } from '../base/ids.ts';
import { readLedger } from '../durability/index.ts';
import type { CollectorTrouble, TrashRecord } from '../durability/index.ts';
import { encodeManifest } from '../files/index.ts';
import type { ManifestRecord } from '../metadata/index.ts';
import { ManualClock } from '../platform/index.ts';
import { Block } from '../storage/index.ts';
import type { MirrorStatus } from '../storage/index.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import { openS3BlockStore } from '../storage/backends/s3/s3-block-store.ts';
import { storeOptions } from '../storage/backends/s3/testing/store-options.ts';
import {
  StandInService, STAND_IN_BUCKET, STAND_IN_KEY,
} from '../storage/backends/testing/stand-in-service.ts';
import { MirrorCollection } from './mirror-collection.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

describe('MirrorCollection', () => {
  let server: StandInService;
  let root: string;
  before(async () => {
    server = await StandInService.start('amazon');
  });
  after(() => server.stop());

  const [kept, held, gone, lost] = ['kept', 'held', 'gone', 'lost']
    .map((text) => Block.of([Buffer.from(text)]));
  assert.ok(kept && held && gone && lost);
  let clock: ManualClock;
  let first: ObjectBlockStore;
  let second: ObjectBlockStore;
  let collection: MirrorCollection;
  let firstTrash: TrashRecord[];
  let lagBlocks: number;
  let comparedCount: number;
  let troubles: CollectorTrouble[];
  let needed: Block[];
  let isAway: boolean;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-mirror-gc-'));
    const at = { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
    [first, second] = await Promise.all([
      openS3BlockStore(storeOptions(at)), openS3BlockStore(storeOptions(at)),
    ]);
    for (const block of [kept, held]) await first.put(block);
    for (const block of [kept, held, gone, lost]) await second.put(block);
    clock = new ManualClock(Date.UTC(2026, 0, 1));
    [firstTrash, lagBlocks, comparedCount, troubles, isAway] = [[], 0, 0, [], false];
    needed = [kept, lost];
    const status = () => ({
      lag: { blocks: lagBlocks, isComplete: true }, comparison: { isDue: false, comparedMs: 1 },
    }) as unknown as MirrorStatus;
    collection = new MirrorCollection({
      root, clock, metadata: { listManifests: async (_, place) => (place ? [] : [manifest()]) },
      mirror: {
        places: { first, second }, status, compareSoon: () => {
          comparedCount += 1;
        },
      },
      mirrored: () => (isAway ? undefined : second), collector: { listTrash: () => firstTrash },
      onTrouble: (trouble) => troubles.push(trouble),
    });
  });
  afterEach(async () => {
    await collection.close();
    await Promise.all([first.close(), second.close()]);
    await rm(root, { recursive: true });
  });

  const manifest = (): ManifestRecord => ({
    place: { kind: 'version', spaceId: 1, nodeId: 1, contentRev: 1 },
    manifest: encodeManifest({
      chunker: 'fixed-4m', indirect: false,
      sizeBytes: needed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      blocks: needed.map(({ id, sizeBytes }) => ({ id, sizeBytes })),
    }),
  } as unknown as ManifestRecord);
  const idsIn = async (store: ObjectBlockStore): Promise<BlockId[]> =>
    Array.fromAsync(store.list());
  const sorted = (...blocks: Block[]): BlockId[] => blocks.map(({ id }) => id).sort();
  const pass = (days: number): void => clock.advance(days * DAY_MS);

  it('lets go of what the first place has not and nothing needs, two censuses later', async () => {
    await collection.run();
    assert.deepEqual(await idsIn(second), sorted(kept, held, gone, lost));
    pass(2);
    const report = await collection.run();
    assert.equal(report?.compacted.length, 1);
    assert.deepEqual(await idsIn(second), sorted(kept, held, lost));
    assert.deepEqual(await idsIn(first), sorted(kept, held), 'nothing happens there');
    assert.equal(comparedCount, 2, 'both places are compared afterwards');
    assert.deepEqual(troubles, []);
  });

  it('erases nothing before the first place has erased what it had in its trash', async () => {
    await collection.run();
    pass(2);
    firstTrash = [{ volume: 1, sizeBytes: 1, since: clock.now() - HOUR_MS, passed: [] }];
    await collection.run();
    for (let days = 0; days < 40; days += 2) {
      pass(2);
      assert.deepEqual((await collection.run())?.unlinked, [], `after ${days} days`);
    }
    firstTrash = [{ volume: 2, sizeBytes: 1, since: clock.now(), passed: [] }];
    pass(2);
    assert.equal((await collection.run())?.unlinked.length, 1);
    assert.deepEqual(await second.keeper.listTrash(), []);
    const { entries } = await readLedger(join(root, 'mirror-ledger.log'));
    const acts = entries.map(({ act }) => act);
    assert.deepEqual([acts[0], acts.at(-1)], ['trash', 'unlink']);
    assert.ok(acts.filter((act) => act === 'inspect').length >= 2);
  });

  it('keeps two weeks of trash of its own, and puts back what came back there', async () => {
    await collection.run();
    pass(2);
    await collection.run();
    for (let days = 0; days < 12; days += 3) {
      pass(3);
      assert.deepEqual((await collection.run())?.unlinked, []);
    }
    await first.put(gone); // A volume was taken back from the trash of the first place.
    pass(3);
    await collection.run();
    assert.deepEqual(await idsIn(second), sorted(kept, held, gone, lost));
  });

  it('does nothing while the second place is away, or something waits to be copied', async () => {
    isAway = true;
    assert.equal(await collection.run(), undefined);
    isAway = false;
    lagBlocks = 1;
    assert.equal(await collection.run(), undefined);
    assert.equal(comparedCount, 0);
    needed = [kept, Block.of([Buffer.from('nowhere')])];
    lagBlocks = 0;
    await collection.run();
    pass(2);
    const report = await collection.run();
    assert.equal(report?.held, 'absent-blocks', 'what is missing may lie in a trash');
    assert.deepEqual(report?.compacted, []);
  });
});
