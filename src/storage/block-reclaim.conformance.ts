import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import { Block } from './block.ts';
import { RECLAIM_PAGE_MAX, type BlockReclaim } from './block-reclaim.ts';
import type { BlockStore } from './block-store.ts';

function blocksOf(count: number, text = 'reclaimed'): Block[] {
  return Array.from({ length: count }, (_, at) => Block.of([Buffer.from(`${text} ${at}`)]));
}

function idsOf(blocks: readonly Block[]): BlockId[] {
  return blocks.map(({ id }) => id).sort();
}

/** The promises of BlockReclaim. Every store that can be collected runs them. */
export function testBlockReclaim(
  name: string, makeEmpty: () => Promise<{ store: BlockStore; reclaim: BlockReclaim }>,
): void {
  describe(`${name} keeps the promises of BlockReclaim`, () => {
    let store: BlockStore;
    let reclaim: BlockReclaim;
    let blocks: Block[];
    beforeEach(async (context) => {
      ({ store, reclaim } = await makeEmpty());
      if ('after' in context) context.after(() => store.close());
      blocks = blocksOf(5);
      for (const block of blocks) await store.put(block);
    });

    async function unneeded(census: number): Promise<BlockId[]> {
      const ids: BlockId[] = [];
      for await (const page of reclaim.listUnneeded(census)) {
        assert.ok(page.length > 0 && page.length <= RECLAIM_PAGE_MAX);
        for (const { id, sizeBytes } of page) {
          assert.deepEqual(await store.find(id), { sizeBytes });
          ids.push(id);
        }
      }
      return ids;
    }

    it('lists what a census was not told of, ascending, in pages', async () => {
      const more = blocksOf(RECLAIM_PAGE_MAX + 500, 'more');
      await Promise.all(more.map((block) => store.put(block)));
      const census = reclaim.beginCensus();
      assert.deepEqual(reclaim.need(census, idsOf(blocks)), []);
      assert.deepEqual(await unneeded(census), idsOf(more));
    });

    it('answers the blocks that are needed and not there', () => {
      const absent = idsOf(blocksOf(2, 'absent'));
      const census = reclaim.beginCensus();
      const [one] = idsOf(blocks);
      assert.ok(one);
      assert.deepEqual(reclaim.need(census, [...absent, one]), absent);
    });

    it('counts as needed what is put during a census, new or known', async () => {
      const census = reclaim.beginCensus();
      const [known, ...others] = blocks;
      assert.ok(known);
      await store.put(known);
      await store.put(Block.of([Buffer.from('new')]));
      assert.deepEqual(await unneeded(census), idsOf(others));
    });

    it('counts as needed what was claimed before the census and released during it', async () => {
      const [claimed, ...others] = blocks;
      assert.ok(claimed);
      const claim = reclaim.claim();
      assert.equal(claim.add(claimed.id), true);
      assert.equal(claim.add(Block.of([Buffer.from('not there')]).id), false);
      assert.equal(reclaim.state().openClaims, 1);
      const census = reclaim.beginCensus();
      claim.release();
      claim.release();
      assert.equal(reclaim.state().openClaims, 0);
      assert.deepEqual(await unneeded(census), idsOf(others));
      assert.deepEqual(await unneeded(reclaim.beginCensus()), idsOf(blocks));
    });

    it('counts as needed what is claimed during a census', async () => {
      const [claimed, ...others] = blocks;
      assert.ok(claimed);
      const census = reclaim.beginCensus();
      const claim = reclaim.claim();
      claim.add(claimed.id);
      assert.deepEqual(await unneeded(census), idsOf(others));
      assert.deepEqual(reclaim.condemn(census, [claimed.id]), []);
      claim.release();
    });

    it('condemns what is unneeded still, and nothing that somebody has touched since', async () => {
      const census = reclaim.beginCensus();
      const listed = await unneeded(census);
      const [put, claimed, met, ...rest] = blocks;
      assert.ok(put && claimed && met);
      await store.put(put);
      reclaim.claim().add(claimed.id);
      reclaim.need(census, [met.id]);
      assert.deepEqual(reclaim.condemn(census, listed), idsOf(rest));
      const sizes = rest.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const { condemnedCount, condemnedBytes } = reclaim.state();
      assert.deepEqual([condemnedCount, condemnedBytes], [rest.length, sizes]);
      assert.deepEqual(reclaim.condemn(census, idsOf(rest)), idsOf(rest), 'twice is the same');
      assert.equal(reclaim.state().condemnedCount, rest.length);
    });

    it('takes a condemnation back when the block is put, claimed or met', async () => {
      const census = reclaim.beginCensus();
      reclaim.condemn(census, idsOf(blocks));
      assert.equal(reclaim.state().condemnedCount, 5);
      const [put, claimed, met, read] = blocks;
      assert.ok(put && claimed && met && read);
      await store.put(put);
      assert.equal(reclaim.claim().add(claimed.id), true);
      assert.deepEqual(reclaim.need(census, [met.id]), []);
      assert.equal((await store.get(read.id)).toString(), 'reclaimed 3');
      assert.equal(reclaim.state().condemnedCount, 2, 'reading alone changes nothing');
    });

    it('keeps what was condemned condemned when a new census begins', () => {
      reclaim.condemn(reclaim.beginCensus(), idsOf(blocks));
      reclaim.beginCensus();
      assert.equal(reclaim.state().condemnedCount, 5);
    });

    it('refuses everything in the name of a census that is over', async () => {
      const over = reclaim.beginCensus();
      const census = reclaim.beginCensus();
      assert.ok(census > over);
      const conflict = (error: unknown): boolean => isKind(error, 'conflict');
      assert.throws(() => reclaim.need(over, []), conflict);
      assert.throws(() => reclaim.condemn(over, idsOf(blocks)), conflict);
      await assert.rejects(unneeded(over), conflict);
    });

    it('meets every block anew in each of many censuses', async () => {
      const [kept, ...others] = blocks;
      assert.ok(kept);
      for (let round = 0; round < 300; round++) {
        const census = reclaim.beginCensus();
        reclaim.need(census, [kept.id]);
        assert.deepEqual(await unneeded(census), idsOf(others), `census ${census}`);
      }
    });
  });
}
