import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import { CHAINS_MAX, STANDINGS_MAX } from '../following.ts';
import { Hand, refused } from './hand.ts';

export function testFollowing(hand: () => Hand): void {
  it('answers the chains of many nodes at once as it does one by one, and of live ones only',
    async () => {
      const h = hand();
      const other = await Hand.on(h.store, { owner: 'somebody-else' });
      const box = await h.folder(h.root, 'box');
      const inner = await h.folder(box.id, 'inner');
      const ids: NodeId[] = [h.root, inner.id, other.root, 999_999 as NodeId];
      for (let number = 0; number < 12; number += 1) {
        ids.push((await h.put(number % 2 === 0 ? inner.id : h.root, `f${number}`)).id);
      }
      const mount = await h.made({
        op: 'mount', spaceId: h.space.id, parentId: box.id, name: parseName('theirs'),
        target: { spaceId: other.space.id, nodeId: other.root }, actor: h.actor(),
      });
      ids.push(mount.id);
      const compare = async (): Promise<number> => {
        const chains = await h.store.findChains(h.space.id, ids);
        for (const id of ids) {
          assert.deepEqual(chains.get(id), await h.store.findChain(h.space.id, id));
        }
        const [first = h.root] = ids;
        const one = await h.store.findChains(h.space.id, [first]);
        assert.deepEqual([...one.keys()], [first]);
        return chains.size;
      };
      assert.equal(await compare(), ids.length - 2);
      await h.delete(inner.id);
      assert.equal(await compare(), ids.length - 2 - 7);
      const none = await h.store.findChains(h.space.id, []);
      assert.equal(none.size, 0);
      const tooMany = Array.from({ length: CHAINS_MAX + 1 }, () => h.root);
      await refused(h.store.findChains(h.space.id, tooMany), 'invalid');
    });

  it('says of many spaces where their journals stand', async () => {
    const h = hand();
    const others: Hand[] = [];
    for (let number = 0; number < 9; number += 1) {
      others.push(await Hand.on(h.store, { owner: `user-${number}` }));
    }
    const file = await h.put(h.root, 'f');
    const { rev, grant } = await h.store.commit({
      op: 'put-grant', spaceId: h.space.id, nodeId: file.id, subject: { kind: 'user', id: 'ben' },
      role: 'viewer', isShown: true, expiresAt: undefined, terms: '', actor: h.actor(),
    });
    assert.ok(grant !== undefined);
    const last = await h.put(h.root, 'g');
    const ids = [h.space.id, ...others.map(({ space }) => space.id), 999_999 as SpaceId];
    const standings = await h.store.listStandings(ids);
    assert.equal(standings.size, ids.length - 1);
    const newest = { nodeId: last.id, at: h.at };
    assert.deepEqual(standings.get(h.space.id), {
      rev: rev + 1, accessRev: rev, revFloor: 0, newest,
    });
    const untouched = { rev: 0, accessRev: 0, revFloor: 0, newest: undefined };
    assert.deepEqual(standings.get(others[0]?.space.id ?? h.space.id), untouched);
    await h.store.commit({
      op: 'purge-slice', spaceId: h.space.id, floorRev: rev, trashToRev: 0, rowsMax: 100,
    });
    const [one] = (await h.store.listStandings([h.space.id])).values();
    assert.equal(one?.revFloor, rev);
    const tooMany = Array.from({ length: STANDINGS_MAX + 1 }, () => h.space.id);
    await refused(h.store.listStandings(tooMany), 'invalid');
  });
}
