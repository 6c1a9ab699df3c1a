import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import { Block, BLOCK_BYTES_MAX } from './block.ts';
import { SEGMENT_BYTES, type BlockStore } from './block-store.ts';

function blockOf(text: string): Block {
  return Block.of([Buffer.from(text)]);
}

async function collect(ids: AsyncIterable<BlockId>): Promise<BlockId[]> {
  const all: BlockId[] = [];
  for await (const id of ids) all.push(id);
  return all;
}

/** The promises of BlockStore. Every implementation and every wrapper runs them. */
export function testBlockStore(name: string, makeEmpty: () => Promise<BlockStore>): void {
  describe(`${name} keeps the promises of BlockStore`, () => {
    let store: BlockStore;
    beforeEach(async (context) => {
      store = await makeEmpty();
      if ('after' in context) context.after(() => store.close());
    });

    it('gives back what was put, for sizes from 1 byte to the greatest', async () => {
      for (const sizeBytes of [1, 7, 8, 9, 4096, 16_384, 16_385, 1 << 20, BLOCK_BYTES_MAX]) {
        const bytes = Buffer.alloc(sizeBytes, `size ${sizeBytes} `);
        const block = Block.of([bytes]);
        await store.put(block);
        assert.ok((await store.get(block.id)).equals(bytes), `${sizeBytes} bytes`);
        assert.deepEqual(await store.find(block.id), { sizeBytes });
      }
    });

    it('joins the pieces of a block in their order, big and small', async () => {
      const big = Buffer.alloc(70_000, 'b');
      for (const pieces of [['one', 'two', '', 'three'].map((p) => Buffer.from(p)), [big, big]]) {
        const block = Block.of(pieces);
        await store.put(block);
        assert.ok((await store.get(block.id)).equals(Buffer.concat(pieces)));
      }
    });

    it('reads any part of a block, across segments and at both ends', async () => {
      for (const sizeBytes of [1, 100, SEGMENT_BYTES, SEGMENT_BYTES + 1, 5 * SEGMENT_BYTES + 77]) {
        const bytes = Buffer.from(Array.from({ length: 1009 }, (_, at) => (at * at) % 251));
        const content = Buffer.alloc(sizeBytes, bytes);
        const block = Block.of([content.subarray(0, 3), content.subarray(3)]);
        await store.put(block);
        const edges = [0, 1, sizeBytes >> 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, sizeBytes];
        for (const from of edges) {
          for (const end of edges.filter((edge) => edge > from && edge <= sizeBytes)) {
            const part = await store.read(block.id, from, end - from);
            assert.ok(part.equals(content.subarray(from, end)), `${sizeBytes}: ${from} to ${end}`);
          }
        }
      }
    });

    it('refuses a range that is empty or not inside the block', async () => {
      const block = blockOf('0123456789');
      await store.put(block);
      const wrong = [[0, 11], [10, 1], [-1, 2], [3, 0], [0.5, 1], [0, NaN]] as const;
      for (const [from, length] of wrong) {
        const read = store.read(block.id, from, length);
        await assert.rejects(read, (error) => isKind(error, 'invalid'), `${from}, ${length}`);
      }
      const unknown = store.read(blockOf('never put').id, 0, 1);
      await assert.rejects(unknown, (error) => isKind(error, 'not-found'));
    });

    it('answers an unknown block with not-found, and finds nothing', async () => {
      const { id } = blockOf('never put');
      await assert.rejects(store.get(id), (error) => isKind(error, 'not-found'));
      assert.equal(await store.find(id), undefined);
    });

    it('keeps one copy of a block that is put many times, one by one and at once', async () => {
      const block = blockOf('again');
      await store.put(block);
      await Promise.all([store.put(block), store.put(blockOf('again')), store.put(block)]);
      const { blockCount, storedBytes } = store.state();
      assert.deepEqual({ blockCount, storedBytes }, { blockCount: 1, storedBytes: 5 });
      assert.equal((await store.get(block.id)).toString(), 'again');
    });

    it('takes many puts at once and gives every block back', async () => {
      const blocks = Array.from({ length: 700 }, (_, at) => blockOf(`block number ${at}`));
      await Promise.all(blocks.map((block) => store.put(block)));
      for (const [at, { id }] of blocks.entries()) {
        assert.equal((await store.get(id)).toString(), `block number ${at}`);
      }
      assert.equal(store.state().blockCount, 700);
      assert.equal(store.state().queuedBytes, 0);
    });

    it('can be read at once from many places', async () => {
      const blocks = Array.from({ length: 50 }, (_, at) => blockOf(`read ${at}`));
      await Promise.all(blocks.map((block) => store.put(block)));
      const read = await Promise.all([...blocks, ...blocks].map(({ id }) => store.get(id)));
      assert.deepEqual(read.slice(50), read.slice(0, 50));
      assert.equal(read[7]?.toString(), 'read 7');
    });

    it('lists ids in ascending order, strictly after the given one', async () => {
      // Some stores file blocks by the first digits, so some ids must share them.
      const blocks = Array.from({ length: 600 }, (_, at) => blockOf(`listed ${at}`));
      await Promise.all(blocks.map((block) => store.put(block)));
      const wanted = blocks.map(({ id }) => id).sort();
      assert.deepEqual(await collect(store.list()), wanted);
      for (const at of [0, 7, 299, 598, 599]) {
        assert.deepEqual(await collect(store.list(wanted[at])), wanted.slice(at + 1));
      }
      const absent = blockOf('listed, but never put').id;
      const later = wanted.filter((id) => id > absent);
      assert.deepEqual(await collect(store.list(absent)), later);
    });

    it('rejects with the reason of a signal that has fired, and stores nothing', async () => {
      const block = blockOf('given up');
      const reason = new Error('the client has gone');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(store.put(block, signal), (error) => error === reason);
      assert.equal(await store.find(block.id), undefined);
      await store.put(block);
      await assert.rejects(store.get(block.id, signal), (error) => error === reason);
    });

    it('rejects a waiting put when its signal fires, and a later put is right', async () => {
      const block = blockOf('given up later');
      const abort = new AbortController();
      const put = store.put(block, abort.signal).then(
        () => 'stored', // A store may be faster than the signal.
        (error: unknown) => error,
      );
      const reason = new Error('the client has gone');
      abort.abort(reason);
      assert.ok(['stored', reason].includes((await put) as string | Error));
      await store.put(block);
      assert.equal((await store.get(block.id)).toString(), 'given up later');
    });

    it('is unavailable once closed, says so, and takes a second close calmly', async () => {
      const block = blockOf('before the end');
      await store.put(block);
      assert.equal(store.state().refusesWrites, undefined);
      await store.close();
      await store.close();
      assert.equal(store.state().refusesWrites, 'closed');
      const unavailable = (error: unknown): boolean => isKind(error, 'unavailable');
      await assert.rejects(store.put(block), unavailable);
      await assert.rejects(store.get(block.id), unavailable);
      await assert.rejects(store.read(block.id, 0, 1), unavailable);
      await assert.rejects(store.find(block.id), unavailable);
      await assert.rejects(collect(store.list()), unavailable);
    });

    it('finishes what is being written before it is closed', async () => {
      const puts = [blockOf('last one'), blockOf('very last one')].map((block) => store.put(block));
      await store.close();
      await Promise.all(puts);
      assert.equal(store.state().queuedBytes, 0);
    });
  });
}
