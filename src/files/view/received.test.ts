import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import type { Change, MetadataStore } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { anna, ben, failsWith, pathOf, ShareSite } from '../testing/share-site.ts';

/** A store that cannot note mounts at the moment. */
function withoutMounts(store: MetadataStore, isStuck: () => boolean): MetadataStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const { op } = (args[0] ?? {}) as Partial<Change>;
        if (key === 'commit' && isStuck() && (op === 'mount' || op === 'unmount')) {
          return Promise.reject(new HoldfastError('full', 'test', 'The disk is full.'));
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
}

describe('mounts that cannot be noted at the moment', () => {
  it('are hidden all the same when their share has ended, and made up for later', async () => {
    let isStuck = false;
    const site = new ShareSite({
      metadata: withoutMounts(new MemoryMetadataStore(), () => isStuck),
    });
    await site.folder(anna, 'work');
    await site.folder(anna, 'work/plans');
    await site.grant(anna, 'work', 'ben', 'editor');
    const inner = await site.grant(anna, 'work/plans', 'ben', 'editor');
    assert.deepEqual(await site.names(ben), ['plans', 'work']);
    isStuck = true;
    await site.revoke(inner, anna);
    assert.deepEqual(await site.names(ben), ['work']);
    await assert.rejects(site.names(ben, 'plans'), failsWith('not-found'));
    assert.deepEqual(await site.names(ben, 'work'), ['plans'], 'by the other share it is seen');
    await site.grant(anna, 'work/plans', 'ben', 'editor');
    isStuck = false;
    assert.deepEqual(await site.names(ben), ['plans', 'work']);
  });

  it('do not keep anybody from the own files', async () => {
    const site = new ShareSite({
      metadata: withoutMounts(new MemoryMetadataStore(), () => true),
    });
    await site.folder(anna, 'work');
    await site.write(ben, 'mine.txt', 'mine');
    await site.grant(anna, 'work', 'ben', 'editor');
    assert.equal(await site.read(ben, 'mine.txt'), 'mine');
    assert.deepEqual(await site.names(ben), ['mine.txt']);
  });
});

it('a folder does not go into what is mounted in it, and so out of its own tree', async () => {
  const site = new ShareSite();
  await site.folder(anna, 'work');
  await site.folder(ben, 'mine');
  await site.grant(anna, 'work', 'ben', 'editor');
  await site.files.move(ben, pathOf('work'), pathOf('mine/work'), { replace: false });
  for (const to of ['mine/work/mine', 'mine/work']) {
    await assert.rejects(site.files.move(ben, pathOf('mine'), pathOf(to), { replace: true }),
      failsWith('denied'));
  }
  assert.deepEqual(await site.names(ben, 'mine'), ['work']);
});
