import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetadataStore } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { anna, ben, pathOf, ShareSite } from '../testing/share-site.ts';

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
