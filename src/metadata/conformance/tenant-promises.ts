/** Promises about tenants: each keeps to itself, whatever whoever calls has overlooked. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../../base/ids.ts';
import type { NodeId, TenantId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type { Change } from '../changes.ts';
import { Hand, NOON, refused } from './hand.ts';

const ACME = parseTenantId('acme');

/** A space of a tenant, with a folder and a file in it. */
interface Place {
  hand: Hand;
  tenant: TenantId;
  member: string;
  box: NodeId;
  file: NodeId;
}

async function furnish(hand: Hand, tenant: TenantId, member: string): Promise<Place> {
  const box = await hand.folder(hand.root, 'box');
  const file = await hand.put(box.id, 'file', 7);
  return { hand, tenant, member, box: box.id, file: file.id };
}

/** Personal and team spaces of two tenants. */
async function places(h: Hand): Promise<Place[]> {
  const found = [await furnish(h, DEFAULT_TENANT, 'anna')];
  const others = [[DEFAULT_TENANT, 'ben'], [ACME, 'eve'], [ACME, 'finn']] as const;
  for (const [tenant, member] of others) {
    const own = await Hand.on(h.store, { tenant, owner: member });
    found.push(await furnish(own, tenant, member));
    const { node } = await h.store.commit({
      op: 'make-space', tenant, name: parseName('team'), firstOwner: parseUserId(member),
      casePolicy: 'sensitive', quotaBytes: undefined, actor: h.actor(),
    });
    assert.ok(node !== undefined);
    const team = new Hand(h.store, await h.store.getSpace(node.spaceId));
    found.push(await furnish(team, tenant, member));
  }
  return found;
}

/** All that could lead from one space to another. */
function ways(from: Place, to: Place): Change[] {
  const actor = from.hand.actor();
  const { space: { id: spaceId } } = from.hand;
  const { space: { id: toSpaceId }, root: toParentId } = to.hand;
  const crossing = { spaceId, toSpaceId, toParentId, replace: false, actor };
  const name = (raw: string) => parseName(`${raw} ${spaceId} ${from.file}`);
  return [
    { ...crossing, op: 'copy', nodeId: from.file, toName: name('copy'), depth: 'infinity' },
    { ...crossing, op: 'copy', nodeId: from.box, toName: name('shell'), depth: '0' },
    {
      op: 'mount', spaceId: toSpaceId, parentId: toParentId, name: name('mount'), actor,
      target: { spaceId, nodeId: from.box },
    },
    {
      op: 'put-grant', spaceId, nodeId: from.box, subject: { kind: 'user', id: to.member },
      role: 'viewer', isShown: true, expiresAt: undefined, terms: '{}', actor,
    },
    { ...crossing, op: 'move', nodeId: from.file, toName: name('move'), withGrants: true },
  ];
}

export function testTenants(hand: () => Hand): void {
  it('lets nothing lead from a space of one tenant to one of another', async () => {
    const h = hand();
    const all = await places(h);
    let refusedCount = 0;
    let doneCount = 0;
    for (const from of all) for (const to of all) {
      if (from === to) continue;
      const before = await Promise.all([from.hand.rev(), to.hand.rev()]);
      for (const change of ways(from, to)) {
        if (from.tenant === to.tenant) {
          await h.store.commit(change);
          doneCount += 1;
          continue;
        }
        await refused(h.store.commit(change), 'denied', 'other-tenant');
        refusedCount += 1;
      }
      if (from.tenant === to.tenant) {
        from.file = (await from.hand.put(from.box, `next ${to.hand.space.id}`, 7)).id;
        continue;
      }
      assert.deepEqual(await Promise.all([from.hand.rev(), to.hand.rev()]), before);
    }
    assert.ok(refusedCount > 100 && doneCount > 80, `${refusedCount} ${doneCount}`);
  });

  it('keeps a space in its tenant, and a user to one tenant', async () => {
    const { store, space } = hand();
    assert.equal(space.tenant, DEFAULT_TENANT);
    const eve = await Hand.on(store, { tenant: ACME, owner: 'eve' });
    assert.equal(eve.space.tenant, ACME);
    assert.equal((await Hand.on(store, { tenant: ACME, owner: 'eve' })).space.id, eve.space.id);
    await refused(Hand.on(store, { owner: 'eve' }), 'denied', 'other-tenant');
    const ends = await Promise.allSettled([DEFAULT_TENANT, ACME].map((tenant) => (
      Hand.on(store, { tenant, owner: 'gina' }))));
    const failed = ends.filter((end) => end.status === 'rejected');
    assert.equal(failed.length, 1, 'of two at once');
    assert.ok(isKind(failed[0]?.reason, 'denied'));
    const team = {
      op: 'make-space', tenant: ACME, name: parseName('team'), casePolicy: 'sensitive',
      quotaBytes: undefined, actor: eve.actor(),
    } as const;
    await refused(store.commit({ ...team, firstOwner: parseUserId('anna') }), 'denied',
      'other-tenant');
    const { node } = await store.commit({ ...team, firstOwner: parseUserId('zoe') });
    const made = node && await store.getSpace(node.spaceId);
    assert.equal(made?.tenant, ACME, 'whoever has no space yet may be of any tenant');
  });

  it('counts what each tenant uses by itself, and holds it to a quota of its own', async () => {
    const h = hand();
    const eve = await Hand.on(h.store, { tenant: ACME, owner: 'eve' });
    const none = { usedBytes: 0, reservedBytes: 0, quotaBytes: undefined };
    assert.deepEqual(await h.store.readTenantUsage(ACME, NOON), none);
    assert.deepEqual(await h.store.readTenantUsage(parseTenantId('none'), NOON), none);
    await h.store.commit({ op: 'set-tenant-quota', tenant: ACME, quotaBytes: 100 });
    await h.put(h.root, 'large', 1_000);
    await eve.put(eve.root, 'a', 60);
    await h.store.commit({
      op: 'reserve-quota', spaceId: eve.space.id, reservationId: 'r', bytes: 30, at: NOON,
      expiresAt: NOON + 1_000_000,
    });
    await refused(eve.put(eve.root, 'b', 11), 'quota', 'tenant-quota');
    await h.put(h.root, 'larger', 2_000);
    assert.deepEqual(await h.store.readTenantUsage(ACME, NOON),
      { usedBytes: 60, reservedBytes: 30, quotaBytes: 100 });
    assert.deepEqual(await h.store.readTenantUsage(DEFAULT_TENANT, NOON),
      { ...none, usedBytes: 3_000 });
  });
}
