/** Restores are compared with the past that they lead to, over random work on a space. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId } from '../../../base/ids.ts';
import {
  MemoryMetadataStore,
} from '../../../metadata/stores/memory/memory-metadata-store.ts';
import { MemoryBlockStore } from '../../../storage/backends/memory/memory-block-store.ts';
import { ContentStore } from '../../content-store.ts';
import { SpaceHand } from '../../testing/space-hand.ts';
import { Batches } from './batches.ts';

class Site {
  readonly hand: SpaceHand;
  readonly batches: Batches;
  readonly troubles: unknown[] = [];

  private constructor(hand: SpaceHand) {
    this.hand = hand;
    const blocks = new MemoryBlockStore();
    const { store } = hand;
    const content = new ContentStore({
      blocks, metadata: store, witness: () => [], claims: blocks.reclaim,
    });
    this.batches = new Batches({
      metadata: store, content, now: () => hand.actor().at,
      onTrouble: (_, error) => this.troubles.push(error),
    });
  }

  static async open(): Promise<Site> {
    return new Site(await SpaceHand.on(new MemoryMetadataStore()));
  }

  async restore(nodeId: NodeId, asOf: number, withSharing = false) {
    const order = { spaceId: this.hand.space.id, nodeId, asOf, user: this.hand.actor().user };
    const { id } = await this.batches.restore({ ...order, withSharing, device: 'd' });
    const batch = await this.batches.settled(id);
    assert.deepEqual(this.troubles, []);
    assert.equal(batch.state, 'done');
    return batch;
  }

  async undo(batchId: number) {
    const { id } = await this.batches.undo(batchId, {
      user: this.hand.actor().user, device: 'd',
    });
    const batch = await this.batches.settled(id);
    assert.deepEqual(this.troubles, []);
    return batch;
  }
}

const STEP = fc.record({
  op: fc.constantFrom('put', 'put', 'put', 'folder', 'move', 'move', 'swap', 'copy', 'delete',
    'delete', 'untrash'),
  a: fc.nat({ max: 30 }), b: fc.nat({ max: 30 }), name: fc.constantFrom('a', 'b', 'c.txt', 'd'),
});

type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;
const WORK = fc.array(STEP, { maxLength: 40, size: 'max' });

/** Random work; what is refused is passed over. */
async function play({ hand }: Site, steps: readonly Step[]): Promise<void> {
  const nodes: NodeId[] = [];
  const folders: NodeId[] = [hand.root];
  const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  for (const { op, a, b, name } of steps) {
    const folder = pick(folders, b);
    const node = nodes.length === 0 ? hand.root : pick(nodes, a);
    try {
      if (op === 'put') nodes.push(await hand.put(folder, name, a));
      if (op === 'folder') {
        const id = await hand.folder(folder, name);
        nodes.push(id);
        folders.push(id);
      }
      if (op === 'move') await hand.move(node, folder, name, a % 2 === 0);
      if (op === 'swap') await hand.move(node, folder, `swap${a % 3}`);
      if (op === 'copy') await hand.copy(node, folder, name);
      if (op === 'delete') await hand.delete(node);
      if (op === 'untrash') await hand.untrash(folder, name);
    } catch {
      // Refused: the next step.
    }
  }
}

describe('Restoring to an instant', () => {
  it('makes the whole space what it was, whatever happened since, and can be undone', async () => {
    let restored = 0;
    await fc.assert(fc.asyncProperty(
      WORK, WORK, async (first, second) => {
        const site = await Site.open();
        await play(site, first);
        const rev = await site.hand.rev();
        await play(site, second);
        const before = await site.hand.tree();
        const wanted = await site.hand.tree(await site.hand.past(rev));
        const batch = await site.restore(site.hand.root, rev);
        assert.equal(batch.skippedCount, 0);
        assert.deepEqual(await site.hand.tree(), wanted);
        restored += batch.doneCount;
        const again = await site.restore(site.hand.root, rev);
        assert.equal(again.doneCount, 0, 'what is right already is left alone');
        await site.undo(batch.id);
        assert.deepEqual(await site.hand.tree(), before);
      },
    ), { numRuns: 400 });
    assert.ok(restored > 1_000, `only ${restored} changes`);
  });
});
