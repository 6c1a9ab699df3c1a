import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTenantId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import { ManualClock } from '../../platform/index.ts';
import { NOON, refused } from '../conformance/hand.ts';
import { CachedDirectory, REFRESH_MS } from './cached-directory.ts';
import type { DirectoryCopy } from './cached-directory.ts';
import { RuledDirectory } from './directory-rules.ts';
import type { DirectoryView, ShardDirectory } from './shard-directory.ts';
import { testShardDirectory } from './shard-directory.conformance.ts';
import { MemoryShardDirectory } from './stores/memory/memory-directory.ts';

const ACME = parseTenantId('acme');

testShardDirectory('CachedDirectory', () => CachedDirectory.open({
  source: new MemoryShardDirectory(), clock: new ManualClock(NOON), isShared: true,
}));

/** A directory on a server that can be out of reach. */
class FarDirectory extends RuledDirectory {
  isAway = false;
  askedCount = 0;

  constructor(near: ShardDirectory) {
    const reached = <T>(act: () => Promise<T>): Promise<T> => {
      this.askedCount += 1;
      if (!this.isAway) return act();
      return Promise.reject(new HoldfastError('unavailable', 'test', 'The server is away.'));
    };
    super({
      readRev: () => reached(() => near.readRev()), read: () => reached(() => near.read()),
      change: () => Promise.reject(new Error('not part of these tests')),
      close: () => near.close(),
    });
  }
}

class MemoryCopy implements DirectoryCopy {
  kept: { view: DirectoryView; at: number } | undefined;

  async read() {
    return this.kept;
  }

  async write(view: DirectoryView): Promise<void> {
    this.kept = { view, at: NOON };
  }
}

/** Lets all that is due be done: nothing here waits for anything but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('CachedDirectory', () => {
  it('catches up at once with who has seen a newer one, or refuses', async () => {
    const near = new MemoryShardDirectory();
    const source = new FarDirectory(near);
    const directory = await CachedDirectory.open({
      source, clock: new ManualClock(NOON), isShared: true,
    });
    const { rev } = await near.read();
    assert.equal(directory.catchUp(rev), undefined);
    assert.equal(directory.catchUp(NaN), undefined, 'there is none');
    await near.place(ACME, 0);
    const newer = await near.readRev();
    assert.ok(newer > rev);
    source.isAway = true;
    const { message } = await refused(directory.catchUp(newer) ?? assert.fail(), 'unavailable',
      'directory-away');
    assert.match(message, /Nothing is lost/);
    source.isAway = false;
    await directory.catchUp(newer);
    assert.equal(directory.map.placeOf(ACME)?.shard, 0);
    const { askedCount } = source;
    assert.equal(directory.catchUp(newer), undefined);
    assert.equal(source.askedCount, askedCount);
    await directory.close();
  });

  it('sees what others have changed after a second, and asks no more than that', async () => {
    const near = new MemoryShardDirectory();
    const source = new FarDirectory(near);
    const clock = new ManualClock(NOON);
    const cached = await CachedDirectory.open({ source, clock, isShared: true });
    await near.place(ACME, 0);
    const asked = source.askedCount;
    assert.equal(cached.map.placeOf(ACME), undefined);
    clock.advance(REFRESH_MS);
    await settle();
    assert.equal(cached.map.placeOf(ACME)?.shard, 0);
    assert.equal(source.askedCount - asked, 2, 'its number of changes, then all of it');
    clock.advance(REFRESH_MS);
    await settle();
    assert.equal(source.askedCount - asked, 3, 'nothing was changed');
    await cached.close();
  });

  it('goes on with what it knows, and tells how old that is, until it is back', async () => {
    const near = new MemoryShardDirectory();
    const source = new FarDirectory(near);
    const clock = new ManualClock(NOON);
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown): number => troubles.push(error);
    const cached = await CachedDirectory.open({ source, clock, isShared: true, onTrouble });
    source.isAway = true;
    for (let second = 0; second < 5; second += 1) {
      clock.advance(REFRESH_MS);
      await settle();
    }
    assert.deepEqual(cached.standing, { rev: 0, ageMs: 5_000, isReachable: false });
    assert.equal(troubles.length, 1, 'told once');
    assert.equal(cached.map.view.shards.length, 1);
    source.isAway = false;
    await near.place(ACME, 0);
    clock.advance(REFRESH_MS);
    await settle();
    assert.deepEqual(cached.standing, { rev: 1, ageMs: 0, isReachable: true });
    assert.equal(cached.map.placeOf(ACME)?.shard, 0);
    await cached.close();
  });

  it('starts with the copy that was kept while the directory is away, else not', async () => {
    const near = new MemoryShardDirectory();
    const source = new FarDirectory(near);
    const clock = new ManualClock(NOON);
    const copy = new MemoryCopy();
    source.isAway = true;
    const open = () => CachedDirectory.open({ source, clock, isShared: true, copy });
    await refused(open(), 'unavailable');
    source.isAway = false;
    const first = await open();
    await near.place(ACME, 0);
    await first.refresh();
    source.isAway = true;
    clock.advance(90_000);
    const again = await open();
    assert.equal(again.map.placeOf(ACME)?.shard, 0);
    assert.deepEqual(again.standing, { rev: 1, ageMs: 90_000, isReachable: false });
    await again.close();
    await first.close();
  });
});
