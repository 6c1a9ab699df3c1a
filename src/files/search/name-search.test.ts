import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Name } from '../../base/names.ts';
import { anna, ben, failsWith, pathOf, ShareSite } from '../testing/share-site.ts';
import { NameSearch } from './name-search.ts';
import type { SearchRequest } from './name-search.ts';

describe('the search for names', () => {
  let site: ShareSite;
  let search: NameSearch;
  beforeEach(() => {
    site = new ShareSite();
    search = new NameSearch(site);
  });

  async function find(
    caller: typeof anna, top: string, request: Partial<SearchRequest> & { words: string[] },
  ): Promise<string[]> {
    const { found } = await search.search(caller, pathOf(top), { limit: 100, ...request });
    return found.map(({ path }) => path.join('/'));
  }

  it('finds names at any depth by all of the words, however they are written', async () => {
    await site.folder(anna, 'Reisen');
    await site.folder(anna, 'Reisen/Große Tour 2026');
    await site.write(anna, 'Reisen/Große Tour 2026/Fähre.pdf', 'x');
    await site.write(anna, 'tour.txt', 'x');
    await site.write(anna, 'other.txt', 'x');
    assert.deepEqual(await find(anna, '', { words: ['TOUR'] }), [
      'Reisen/Große Tour 2026', 'tour.txt',
    ]);
    assert.deepEqual(await find(anna, '', { words: ['2026', 'tour'] }), ['Reisen/Große Tour 2026']);
    assert.deepEqual(await find(anna, 'Reisen', { words: ['fa\u0308hre'] }), [
      'Reisen/Große Tour 2026/Fähre.pdf',
    ]);
    assert.deepEqual(await find(anna, '', { words: ['nowhere'] }), []);
  });

  it('goes on where it stopped, and sees each entry once, whatever the pages', async () => {
    const shape = fc.uniqueArray(
      fc.array(fc.constantFrom('a', 'b', 'c', 'ä', 'Z'), { minLength: 1, maxLength: 4 }),
      { maxLength: 25, selector: (path) => path.join('/') },
    );
    await fc.assert(fc.asyncProperty(shape, fc.integer({ min: 1, max: 4 }), async (paths, step) => {
      const fresh = new ShareSite();
      const made = new Set<string>();
      for (const path of paths) {
        for (let depth = 1; depth <= path.length; depth += 1) {
          const folder = path.slice(0, depth).join('/');
          if (!made.has(folder)) await fresh.folder(anna, folder);
          made.add(folder);
        }
      }
      const seen: string[] = [];
      let after: readonly Name[] | undefined = [];
      while (after !== undefined) {
        const { found, lookedCount, stoppedAt } = await new NameSearch(fresh).search(anna, [], {
          words: [], limit: 1_000, lookedMax: step, after,
        });
        assert.ok(lookedCount <= step);
        seen.push(...found.map(({ path }) => path.join('/')));
        after = stoppedAt;
      }
      assert.deepEqual([...seen].sort(), [...made].sort());
      assert.equal(new Set(seen).size, seen.length);
    }), { numRuns: 60 });
  });

  it('goes on behind what was taken away meanwhile', async () => {
    for (const name of ['a', 'b', 'c']) await site.folder(anna, name);
    await site.write(anna, 'b/inner.txt', 'x');
    const first = await search.search(anna, [], { words: [], limit: 2 });
    assert.deepEqual(first.stoppedAt, ['b']);
    await site.files.remove(anna, pathOf('b'));
    assert.deepEqual(await find(anna, '', { words: [], after: first.stoppedAt ?? [] }), ['c']);
  });

  it('finds what others share, and nothing that is hidden from who searches', async () => {
    await site.folder(anna, 'team');
    await site.folder(anna, 'team/secret');
    await site.write(anna, 'team/plan.txt', 'x');
    await site.write(anna, 'team/secret/plan B.txt', 'x');
    await site.write(anna, 'plan of mine.txt', 'x');
    await site.grant(anna, 'team', 'ben', 'viewer');
    await site.grant(anna, 'team/secret', 'ben', 'none');
    assert.deepEqual(await find(ben, '', { words: ['plan'] }), ['team/plan.txt']);
    await assert.rejects(find(ben, 'team/secret', { words: ['plan'] }), failsWith('not-found'));
  });

  it('refuses to look into a file', async () => {
    await site.write(anna, 'a.txt', 'x');
    const looking = find(anna, 'a.txt', { words: ['a'] });
    await assert.rejects(looking, failsWith('conflict', 'not-folder'));
  });
});
