/** Promises about room that uploads were promised, about quotas of tenants, and about counting. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { ReserveQuota } from '../access-changes.ts';
import { Hand, NOON, refused } from './hand.ts';

const QUOTA_BYTES = 1_000;

export function testReservations(hand: () => Hand): void {
  const limited = async (): Promise<Hand> => {
    const h = hand();
    await h.store.commit({ op: 'set-quota', spaceId: h.space.id, quotaBytes: QUOTA_BYTES });
    return h;
  };
  const reserve = (
    h: Hand, reservationId: string, bytes: number, options: Partial<ReserveQuota> = {},
  ): ReserveQuota => ({
    op: 'reserve-quota', spaceId: h.space.id, reservationId, bytes, at: h.at,
    expiresAt: NOON + 3_600_000, ...options,
  });

  it('never takes more than the quota, with 50 uploads at once', async () => {
    const h = await limited();
    let largestBytes = 0;
    const watch = async (): Promise<void> => {
      const { usedBytes, reservedBytes } = await h.store.readUsage(h.space.id, h.at);
      largestBytes = Math.max(largestBytes, usedBytes + reservedBytes);
    };
    const upload = async (n: number): Promise<number> => {
      const bytes = 10 + n;
      const reservationId = `upload ${n}`;
      await h.store.commit(reserve(h, reservationId, bytes));
      await watch();
      const { sizeBytes } = await h.put(h.root, `f${n}`, bytes, { reservationId });
      await watch();
      return sizeBytes;
    };
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const outcomes = await Promise.allSettled(numbers.map(upload));
    const takenBytes = outcomes.reduce((sum, each) =>
      sum + (each.status === 'fulfilled' ? each.value : 0), 0);
    assert.ok(outcomes.some(({ status }) => status === 'rejected'), 'not all of them fit');
    assert.ok(takenBytes > QUOTA_BYTES - 60, 'what fits is taken');
    assert.ok(largestBytes <= QUOTA_BYTES);
    const usage = await h.store.readUsage(h.space.id, h.at);
    assert.deepEqual([usage.usedBytes, usage.reservedBytes, usage.quotaBytes],
      [takenBytes, 0, QUOTA_BYTES]);
    const listed = await h.list(h.root);
    assert.equal(listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), takenBytes);
  });

  it('keeps reserved room for the upload that names it, and says what is missing', async () => {
    const h = await limited();
    await h.put(h.root, 'base', 300);
    await h.store.commit(reserve(h, 'r', 600));
    const fault = await refused(h.put(h.root, 'other', 101), 'quota', 'quota');
    assert.deepEqual(fault.facts,
      { neededBytes: 101, quotaBytes: 1_000, usedBytes: 300, reservedBytes: 600 });
    await refused(h.store.commit(reserve(h, 's', 101)), 'quota');
    await refused(h.copy((await h.find('base'))?.id ?? h.root, h.root, 'twin'), 'quota');
    await h.put(h.root, 'mine', 700, { reservationId: 'r' });
    assert.equal((await h.store.listReservations(h.space.id, h.at)).length, 0);
    await refused(h.put(h.root, 'late', 1, { reservationId: 'r' }), 'quota');
  });

  it('gives room back when a reservation is dropped, replaced or has expired', async () => {
    const h = await limited();
    const { id: spaceId } = h.space;
    assert.equal((await h.store.commit(reserve(h, 'b', 1_000))).created, true);
    assert.equal((await h.store.commit(reserve(h, 'b', 900))).created, false);
    await h.store.commit(reserve(h, 'a', 100, { expiresAt: NOON + 10_000 }));
    const all = await h.store.listReservations(spaceId, h.at);
    assert.deepEqual(all.map(({ reservationId, bytes }) => [reservationId, bytes]),
      [['a', 100], ['b', 900]]);
    await refused(h.put(h.root, 'f', 1), 'quota');
    await h.store.commit({ op: 'drop-reservation', spaceId, reservationId: 'b' });
    await h.store.commit({ op: 'drop-reservation', spaceId, reservationId: 'b' });
    await h.put(h.root, 'f', 900);
    await refused(h.put(h.root, 'g', 1), 'quota');
    h.at = NOON + 9_000; // The next actor comes a second later: that is when it expires.
    await h.put(h.root, 'g', 100);
    assert.deepEqual(await h.store.listReservations(spaceId, h.at), []);
    assert.equal((await h.store.readUsage(spaceId, h.at)).reservedBytes, 0);
    await refused(h.store.commit(reserve(h, '', 0)), 'invalid');
    await refused(h.store.commit(reserve(h, 'c', -1)), 'invalid');
  });

  it('holds all spaces of a tenant to its quota together', async () => {
    const h = hand();
    const other = await Hand.on(h.store, { owner: 'carl' });
    await h.put(h.root, 'early', 100);
    const limit = { op: 'set-tenant-quota', tenant: DEFAULT_TENANT } as const;
    assert.equal((await h.store.readUsage(h.space.id, NOON)).ofTenant, undefined);
    await h.store.commit({ ...limit, quotaBytes: 500 });
    await h.put(h.root, 'a', 200);
    await other.store.commit(reserve(other, 'r', 150, { at: h.at }));
    assert.deepEqual((await h.store.readUsage(other.space.id, h.at)).ofTenant,
      { usedBytes: 300, reservedBytes: 150, quotaBytes: 500 });
    const fault = await refused(other.put(other.root, 'b', 51), 'quota', 'tenant-quota');
    assert.equal(fault.facts['reservedBytes'], 150);
    await other.put(other.root, 'b', 50);
    await refused(h.put(h.root, 'c', 1), 'quota', 'tenant-quota');
    const early = await h.find('early');
    await h.delete(early?.id ?? h.root);
    await h.put(h.root, 'c', 100);
    await h.store.commit({ ...limit, quotaBytes: undefined });
    await h.put(h.root, 'd', 10_000);
    assert.equal((await h.store.readUsage(h.space.id, h.at)).ofTenant, undefined);
  });

  it('counts anew, and finds nothing wrong', async () => {
    const h = hand();
    const box = await h.folder(h.root, 'box');
    await h.put(box.id, 'f', 7);
    const old = await h.folder(h.root, 'old');
    await h.put(old.id, 'g', 5);
    await h.delete(old.id);
    const rev = await h.rev();
    const { recount } = await h.store.commit({
      op: 'recount', spaceId: h.space.id, actor: h.actor(),
    });
    assert.deepEqual(recount,
      { folderCount: 2, healedCount: 0, storedBytes: 7, countedBytes: 7 });
    assert.equal(await h.rev(), rev);
  });
}
