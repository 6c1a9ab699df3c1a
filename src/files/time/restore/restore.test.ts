/** Restores are compared with the past that they lead to, over random work on a space. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId } from '../../../base/ids.ts';
import type { PastSpace } from '../../../metadata/index.ts';
import { Hand } from '../../../metadata/conformance/hand.ts';
import {
  MemoryMetadataStore,
} from '../../../metadata/stores/memory/memory-metadata-store.ts';
import { MemoryBlockStore } from '../../../storage/backends/memory/memory-block-store.ts';
import { ContentStore } from '../../content-store.ts';
import { encodeManifest } from '../../manifest.ts';
import { Batches } from './batches.ts';

class Site {
  readonly hand: Hand;
  readonly batches: Batches;
  readonly troubles: unknown[] = [];

  private constructor(hand: Hand) {
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
    return new Site(await Hand.on(new MemoryMetadataStore()));
  }

  /** A file whose content is told by a number. */
  async put(parentId: NodeId, name: string, number: number, modifiedAt?: number): Promise<NodeId> {
    const { hand } = this;
    const id = number.toString(16).padStart(64, '0') as never;
    const manifest = encodeManifest({
      chunker: 'fixed-4m', sizeBytes: 1, indirect: false, blocks: [{ id, sizeBytes: 1 }],
    });
    const change = hand.putChange(parentId, name, 1, modifiedAt === undefined ? {} : { modifiedAt });
    const put = { ...change, content: { ...change.content, manifest } };
    return (await hand.made(put)).id;
  }

  /** Every node of the live tree, with id, place, content and times. */
  async now(folderId = this.hand.root): Promise<string[]> {
    const lines: string[] = [];
    for (const { id, name, kind, contentRev, modifiedAt } of await this.hand.list(folderId)) {
      const version = kind === 'file'
        ? await this.hand.store.getVersion(this.hand.space.id, id, contentRev) : undefined;
      const content = version && Buffer.from(version.manifest).toString('base64');
      lines.push(`${folderId}/${name} ${id} ${content} ${kind === 'file' ? modifiedAt : ''}`);
      if (kind === 'folder') lines.push(...await this.now(id));
    }
    return lines;
  }

  async asOf(past: PastSpace, folderId = past.rootId): Promise<string[]> {
    const lines: string[] = [];
    for await (const page of past.listFolder(folderId)) {
      for (const { id, name, kind, contentRev, modifiedAt } of page) {
        const version = kind === 'file'
          ? await this.hand.store.getVersion(past.spaceId, id, contentRev) : undefined;
        const content = version && Buffer.from(version.manifest).toString('base64');
        lines.push(`${folderId}/${name} ${id} ${content} ${kind === 'file' ? modifiedAt : ''}`);
        if (kind === 'folder') lines.push(...await this.asOf(past, id));
      }
    }
    return lines;
  }

  async past(rev: number): Promise<PastSpace> {
    return this.hand.store.past(this.hand.space.id, rev);
  }

  async restore(nodeId: NodeId, asOf: number) {
    const order = { spaceId: this.hand.space.id, nodeId, asOf, user: this.hand.actor().user };
    const { id } = await this.batches.restore({ ...order, device: 'd' });
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

const step = fc.record({
  op: fc.constantFrom('put', 'put', 'put', 'folder', 'move', 'move', 'swap', 'copy', 'delete',
    'delete', 'untrash'),
  a: fc.nat({ max: 30 }), b: fc.nat({ max: 30 }), name: fc.constantFrom('a', 'b', 'c.txt', 'd'),
});

/** Random work; what is refused is passed over. */
async function play(site: Site, steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T
  : never)[]): Promise<void> {
  const { hand } = site;
  const nodes: NodeId[] = [];
  const folders: NodeId[] = [hand.root];
  const pick = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  for (const { op, a, b, name } of steps) {
    const folder = pick(folders, b);
    const node = nodes.length === 0 ? hand.root : pick(nodes, a);
    try {
      if (op === 'put') nodes.push(await site.put(folder, name, a));
      if (op === 'folder') {
        const { id } = await hand.folder(folder, name);
        nodes.push(id);
        folders.push(id);
      }
      if (op === 'move') await hand.move(node, folder, name, { replace: a % 2 === 0 });
      if (op === 'swap') await hand.move(node, folder, `swap${a % 3}`);
      if (op === 'copy') await hand.copy(node, folder, name);
      if (op === 'delete') await hand.delete(node);
      if (op === 'untrash') {
        const [entry] = await hand.store.listTrash(hand.space.id, 1);
        if (entry === undefined) continue;
        const { nodeId, deletedRev } = entry;
        await hand.store.commit(hand.restoreChange(nodeId, deletedRev, folder, name));
      }
    } catch {
      // Refused: the next step.
    }
  }
}

describe('Restoring to an instant', () => {
  it('makes the whole space what it was, whatever happened since, and can be undone', async () => {
    let restored = 0;
    await fc.assert(fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }), fc.array(step, { maxLength: 40, size: 'max' }),
      async (first, second) => {
        const site = await Site.open();
        await play(site, first);
        const rev = await site.hand.rev();
        await play(site, second);
        const before = await site.now();
        const wanted = await site.asOf(await site.past(rev));
        const batch = await site.restore(site.hand.root, rev);
        assert.equal(batch.skippedCount, 0);
        assert.deepEqual(await site.now(), wanted);
        restored += batch.doneCount;
        const again = await site.restore(site.hand.root, rev);
        assert.equal(again.doneCount, 0, 'what is right already is left alone');
        await site.undo(batch.id);
        assert.deepEqual(await site.now(), before);
      },
    ), { numRuns: 400 });
    assert.ok(restored > 1_000, `only ${restored} changes`);
  });
});
