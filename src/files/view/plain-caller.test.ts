import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetadataStore } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { BrakeSite, laptop } from '../brake/testing/brake-site.ts';
import { anna, ben, carl, pathOf, ShareSite } from '../testing/share-site.ts';

/** Methods that cost no statement while nothing is granted anywhere near: the store remembers. */
const REMEMBERED = new Set(['listGrantsTo']);

function counted(store: MetadataStore, calls: string[]): MetadataStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (!REMEMBERED.has(String(key))) calls.push(String(key));
        return Reflect.apply(value, target, args);
      };
    },
  });
}

describe('a caller with whom nobody shares anything', () => {
  it('asks the store for nothing more than before there were shares', async () => {
    const calls: string[] = [];
    const site = new ShareSite({ metadata: counted(new MemoryMetadataStore(), calls) });
    await site.folder(anna, 'work');
    await site.write(anna, 'work/one.txt', 'one');
    await site.folder(ben, 'other');
    await site.grant(ben, 'other', 'carl', 'editor');
    const during = async (act: () => Promise<unknown>): Promise<string[]> => {
      calls.length = 0;
      await act();
      return [...calls];
    };
    const one = pathOf('work/one.txt');
    assert.deepEqual(await during(() => site.files.find(anna, one)), ['resolve']);
    assert.deepEqual(await during(() => site.etag(anna)), ['resolve']);
    assert.deepEqual(await during(() => site.names(anna, 'work')), ['resolve', 'listFolder']);
    const writing = () => site.write(anna, 'work/one.txt', 'x');
    assert.deepEqual(await during(writing), ['resolve', 'commit']);
    assert.deepEqual(await during(() => site.folder(anna, 'more')), ['resolve', 'commit']);
    assert.deepEqual(await during(() => site.files.remove(anna, one)), ['resolve', 'commit']);
  });

  it('pays nothing for the brake, also while devices of others are held back', async () => {
    const calls: string[] = [];
    const site = new BrakeSite({
      metadata: counted(new MemoryMetadataStore(), calls), policy: { limit: 1 },
    });
    const during = async (act: () => Promise<unknown>): Promise<string[]> => {
      calls.length = 0;
      await act();
      return [...calls];
    };
    for (const name of ['a', 'b', 'c']) await site.write(laptop, name);
    await site.folder(ben, 'work');
    site.age();
    for (const name of ['a', 'b', 'c']) await site.remove(laptop, name);
    assert.equal(site.quarantines.openCount, 1);
    const writing = (): Promise<unknown> => site.write(ben, 'work/one.txt', 'x');
    const looking = (): Promise<unknown> => site.files.find(ben, pathOf('work/one.txt'));
    assert.deepEqual(await during(writing), ['resolve', 'commit']);
    assert.deepEqual(await during(looking), ['resolve']);
    assert.deepEqual(await during(() => site.outline(ben)), ['resolve', 'listFolder']);
    const { folder, isPlain } = await site.files.list(ben, []);
    assert.deepEqual([folder.sight, isPlain], [undefined, true]);
    assert.deepEqual(await during(() => site.folder(ben, 'more')), ['resolve', 'commit']);
    // Where the window begins is looked up now and then, and only for what overwrites or deletes.
    assert.deepEqual(await during(writing), ['resolve', 'revisionAt', 'commit']);
    assert.deepEqual(await during(writing), ['resolve', 'commit']);
    assert.deepEqual(await during(() => site.remove(ben, 'work/one.txt')), ['resolve', 'commit']);
    // A folder of any size: one question, and none in a space that is younger than the window.
    assert.deepEqual(await during(() => site.remove(ben, 'work')),
      ['resolve', 'countOlderFiles', 'commit']);
    await site.folder(carl, 'new');
    await site.write(carl, 'new/one.txt', 'x');
    assert.deepEqual(await during(() => site.remove(carl, 'new')),
      ['resolve', 'revisionAt', 'commit']);
  });

  it('sees the ETags that nodes have by themselves', async () => {
    const site = new ShareSite();
    await site.folder(anna, 'work');
    await site.grant(anna, 'work', 'ben', 'editor');
    const { node } = await site.files.get(anna, pathOf('work'));
    const own = `"${node.id.toString(16)}-${node.mark.toString(16)}"`;
    assert.equal(await site.etag(anna, 'work'), own);
    assert.equal(node.sight, undefined);
  });
});
