/** What the metadata store promises to whoever has to know everything that is referred to. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { UserId } from '../../base/ids.ts';
import type { ManifestPlace } from '../records.ts';
import { ANNA, BEN, NOON } from './hand.ts';
import type { Hand } from './hand.ts';
import { refused } from './hand.ts';

export function testManifests(hand: () => Hand): void {
  /** All of them, in the order met, as text. */
  async function walk(h: Hand, limit: number, between?: () => Promise<unknown>): Promise<string[]> {
    const met: string[] = [];
    let after: ManifestPlace | undefined;
    for (;;) {
      const page = await h.store.listManifests(limit, after);
      assert.ok(page.length <= limit);
      const last = page.at(-1);
      if (last === undefined) return met;
      for (const { manifest } of page) met.push(Buffer.from(manifest).toString());
      after = last.place;
      await between?.();
    }
  }

  async function part(h: Hand, owner: UserId, uploadId: string, number: number): Promise<void> {
    const expiresAt = NOON + 1e9;
    await h.store.commit({
      op: 'begin-upload', owner, uploadId, totalBytes: undefined, at: NOON, expiresAt,
    });
    await h.store.commit({
      op: 'put-part', owner, uploadId, number, name: `${number}`, sizeBytes: 1, expiresAt,
      manifest: Buffer.from(`${owner}/${uploadId}/${number}`),
    });
  }

  it('meets what is live, replaced, deleted, copied and uploaded, parts first', async () => {
    const h = hand();
    await h.put(h.root, 'a', 1);
    await h.put(h.root, 'a', 2);
    const box = await h.folder(h.root, 'box');
    const below = await h.put(box.id, 'below', 3);
    await h.delete(box.id);
    const file = await h.put(h.root, 'f', 4);
    await h.copy(file.id, h.root, 'g');
    for (const number of [10, 9]) await part(h, ANNA, 'u2', number);
    await part(h, BEN, 'u1', 0);
    await part(h, ANNA, 'u1', 7);
    const wanted = [
      'anna/u1/7', 'anna/u2/9', 'anna/u2/10', 'ben/u1/0', 'a:1', 'a:2', 'below:3', 'f:4', 'f:4',
    ];
    for (const limit of [1, 2, 1_000]) assert.deepEqual(await walk(h, limit), wanted);
    const places = await h.store.listManifests(9, {
      kind: 'version', spaceId: h.space.id, nodeId: below.id, contentRev: below.contentRev - 1,
    });
    assert.deepEqual(places[0]?.place, {
      kind: 'version', spaceId: h.space.id, nodeId: below.id, contentRev: below.contentRev,
    });
  });

  it('meets what moves from an upload to a file, or is copied, between two pages', async () => {
    const h = hand();
    const source = await h.put(h.root, 'source', 1);
    for (const uploadId of ['u1', 'u2', 'u3']) await part(h, ANNA, uploadId, 1);
    let page = 0;
    const met = await walk(h, 1, async () => {
      page += 1;
      if (page === 1) {
        const manifest = Buffer.from('anna/u2/1');
        const content = { sizeBytes: 1, manifest, checksums: '' };
        const upload = { owner: ANNA, uploadId: 'u2' };
        await h.store.commit({ ...h.putChange(h.root, 'joined', 1, { upload }), content });
      }
      if (page === 3) await h.copy(source.id, h.root, 'copy');
    });
    for (const one of ['anna/u1/1', 'anna/u2/1', 'anna/u3/1', 'source:1']) {
      assert.ok(met.includes(one), one);
    }
  });

  it('answers an empty page where nothing is, and refuses a limit out of bounds', async () => {
    const h = hand();
    assert.deepEqual(await h.store.listManifests(1), []);
    await refused(h.store.listManifests(0), 'invalid');
    await refused(h.store.listManifests(1_001), 'invalid');
  });
}
