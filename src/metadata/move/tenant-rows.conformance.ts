/** The promises of TenantRows, for the rows of every store that can lend them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { parseTenantId, parseUserId } from '../../base/ids.ts';
import type { SpaceId, TenantId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import { Hand, NOON, refused } from '../conformance/hand.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { ROW_TABLES, WHOLE_SPACE, rowTable } from './row-tables.ts';
import { HOME } from './tenant-rows.ts';
import type { Part, Row, RowKey, TenantRows } from './tenant-rows.ts';

export type RowsStore = MetadataStore & { readonly tenantRows: TenantRows };

export function keyOf(name: string, row: Row): RowKey {
  return row.slice(0, rowTable(name).key.length) as RowKey;
}

export async function partsOf(rows: TenantRows, tenant: TenantId): Promise<Part[]> {
  return [{ kind: 'tenant', tenant }, ...await rows.listParts(tenant, 1_000)];
}

/** All rows of a tenant, by table, in pages of `limit`. */
export async function rowsOf(
  rows: TenantRows, tenant: TenantId, limit = 1_000,
): Promise<Map<string, Row[]>> {
  const found = new Map<string, Row[]>();
  const parts = await partsOf(rows, tenant);
  for (const { name } of ROW_TABLES) {
    const all: Row[] = [];
    for (const part of parts) {
      let page = await rows.readRange(name, part, { limit });
      while (page.length > 0) {
        all.push(...page);
        const last = keyOf(name, page.at(-1) ?? []);
        page = await rows.readRange(name, part, { limit, after: last });
      }
    }
    found.set(name, all.map((row) =>
      row.map((each) => (each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each))));
  }
  return found;
}

/** Something in every table. */
export async function fillTenant(store: MetadataStore, tenant: TenantId): Promise<Hand> {
  const h = await Hand.on(store, { tenant, owner: `${tenant}-ann` });
  const other = await Hand.on(store, { tenant, owner: `${tenant}-bob` });
  const owner = parseUserId(`${tenant}-ann`);
  const actor = { ...h.actor(), user: owner };
  const { id: spaceId } = h.space;
  const docs = await h.folder(h.root, 'docs');
  const file = await h.put(docs.id, 'Ωmega \u0001"\\', 10);
  await h.put(docs.id, 'Ωmega \u0001"\\', 20);
  for (let at = 0; at < 5; at += 1) await h.put(docs.id, `file ${at}`, at);
  const held = await h.put(docs.id, 'held');
  const moved = await h.put(docs.id, 'moved');
  await h.move(moved.id, h.root, 'moved away');
  await h.delete((await h.put(docs.id, 'gone')).id);
  for (const name of ['colour', 'Shape', 'a b']) await h.setProperty(file.id, name, `<${name}/>`);
  await h.setProperty(docs.id, 'colour', 'blue');
  await h.lock(file.id, `opaquelocktoken:${tenant}`);
  await store.commit({
    op: 'begin-upload', owner, uploadId: 'u1', totalBytes: 5, at: NOON, expiresAt: NOON + 1_000,
  });
  await store.commit({
    op: 'put-part', owner, uploadId: 'u1', number: 1, name: '1', sizeBytes: 5,
    manifest: Buffer.from([0, 255, 1]), expiresAt: NOON + 1_000,
  });
  await store.commit({
    op: 'reserve-quota', spaceId, reservationId: 'r1', bytes: 5, at: NOON,
    expiresAt: NOON + 1_000_000,
  });
  const grant = { op: 'put-grant', spaceId, nodeId: docs.id, isShown: true, terms: '{}',
    expiresAt: undefined, role: 'viewer' } as const;
  const subject = { kind: 'user', id: parseUserId(`${tenant}-bob`) } as const;
  await store.commit({ ...grant, subject, actor });
  await store.commit({ ...grant, subject, role: 'editor', actor });
  const link = await store.commit({
    ...grant, subject: { kind: 'link', tokenHash: `hash of ${tenant}` }, actor,
  });
  assert.ok(link.grant !== undefined);
  await store.commit({ op: 'count-download', spaceId, grantId: link.grant.id });
  await other.made({
    op: 'mount', spaceId: other.space.id, parentId: other.root, name: parseName('docs'),
    target: { spaceId, nodeId: docs.id }, actor,
  });
  const unwanted = await other.made({
    op: 'mount', spaceId: other.space.id, parentId: other.root, name: parseName('file'),
    target: { spaceId, nodeId: file.id }, actor,
  });
  await store.commit({
    op: 'unmount', spaceId: other.space.id, nodeId: unwanted.id, isDeclined: true, actor,
  });
  await store.commit({ op: 'set-tenant-quota', tenant, quotaBytes: 1_000_000 });
  await store.commit({
    op: 'set-retention', scope: { kind: 'tenant', tenant }, rule: { trashKeepDays: 3 },
  });
  await store.commit({
    op: 'set-retention', scope: { kind: 'space', spaceId }, rule: { keepAllDays: 3 },
  });
  const { count: quarantineId } = await store.commit({
    op: 'open-quarantine', spaceId, deviceKey: 'k', actor,
  });
  await store.commit({
    op: 'hold', spaceId, quarantineId, deleted: [held.id], released: [], actor,
  });
  await store.commit({
    op: 'make-space', tenant, name: parseName('team'), firstOwner: owner, casePolicy: 'sensitive',
    quotaBytes: undefined, actor,
  });
  return h;
}

/** Tables in which `fillTenant` leaves nothing: they are in use only for a while. */
const PASSING: ReadonlySet<string> = new Set(['copy_job', 'batch', 'space_past']);

let made = 0;

export function testTenantRows(name: string, open: () => Promise<RowsStore>): void {
  describe(`${name} keeps the promises of TenantRows`, () => {
    let store: RowsStore;
    let rows: TenantRows;
    let tenant: TenantId;
    let h: Hand;
    before(async () => {
      store = await open();
      rows = store.tenantRows;
    });
    after(() => store.close());
    beforeEach(async () => {
      made += 1;
      tenant = parseTenantId(`t${made}`);
      h = await fillTenant(store, tenant);
    });

    const away = async (): Promise<void> => {
      assert.ok(await rows.setPlacement(tenant, HOME, { epoch: 1, state: 'moved' }));
    };

    it('reads the same rows in pages of any size, and each by its key', async () => {
      const whole = await rowsOf(rows, tenant);
      assert.deepEqual(await rowsOf(rows, tenant, 2), whole);
      for (const [table, all] of whole) {
        if (PASSING.has(table)) continue;
        assert.ok(all.length > 0, `${table} has rows`);
        const found = await rows.readRows(table, all.map((row) => keyOf(table, row)));
        assert.equal(found.length, all.length, table);
      }
    });

    it('ends a range where it is told to', async () => {
      const [, part] = await partsOf(rows, tenant);
      assert.ok(part !== undefined);
      for (const table of ['node', 'event', 'property', 'node_past']) {
        const all = await rows.readRange(table, part, { limit: 1_000 });
        const at = table === 'property' ? 0 : all.length >> 1;
        const upTo = keyOf(table, all[at] ?? []);
        const some = await rows.readRange(table, part, { limit: 1_000, upTo });
        const rest = await rows.readRange(table, part, { limit: 1_000, after: upTo });
        assert.deepEqual([...some, ...rest], all, table);
        assert.ok(some.length > 0 && rest.length > 0, table);
      }
    });

    it('removes rows and puts them back as they were, also twice', async () => {
      const before = await rowsOf(rows, tenant);
      const raw = new Map<string, Row[]>();
      for (const { name: table } of ROW_TABLES) {
        const keys = (before.get(table) ?? []).map((row) => keyOf(table, row));
        raw.set(table, await rows.readRows(table, keys));
      }
      await away();
      const deletes = [...raw].map(([table, all]) =>
        ({ name: table, puts: [], deletes: all.map((row) => keyOf(table, row)) }));
      const puts = [...raw].map(([table, all]) => ({ name: table, puts: all, deletes: [] }));
      for (const changes of [deletes, deletes]) await rows.apply(tenant, 1, changes);
      for (const all of (await rowsOf(rows, tenant)).values()) assert.deepEqual(all, []);
      for (const changes of [puts, puts]) await rows.apply(tenant, 1, changes);
      assert.deepEqual(await rowsOf(rows, tenant), before);
      const back = { epoch: 2, state: 'home' } as const;
      assert.ok(await rows.setPlacement(tenant, { epoch: 1, state: 'moved' }, back));
      await h.put(h.root, 'written after it came back');
      assert.equal((await store.listGrants(h.space.id)).length, 2);
    });

    it('takes the place of rows that stand in the way of one', async () => {
      const node = await h.put(h.root, 'here');
      const [row] = await rows.readRows('node', [[h.space.id, h.root, 'here']]);
      assert.ok(row !== undefined);
      await away();
      const elsewhere = [row[0] ?? 0, row[1] ?? 0, 'there', ...row.slice(3)];
      await rows.apply(tenant, 1, [{ name: 'node', puts: [elsewhere], deletes: [] }]);
      assert.equal((await h.find('there'))?.id, node.id);
      assert.equal(await h.find('here'), undefined);
    });

    it('changes nothing where the tenant is not moved away with the epoch that is expected',
      async () => {
        const node = await h.put(h.root, 'live');
        const key = [h.space.id, h.root, 'live'];
        const deletes = [{ name: 'node', puts: [], deletes: [key] }];
        const frozen = { epoch: 1, state: 'frozen' } as const;
        const moved = { epoch: 1, state: 'moved' } as const;
        const home = { epoch: 2, state: 'home' } as const;
        for (const [from, to] of [[HOME, HOME], [HOME, frozen], [frozen, home]] as const) {
          if (from !== to) assert.ok(await rows.setPlacement(tenant, from, to));
          for (const epoch of [0, 1, 2]) {
            await refused(rows.apply(tenant, epoch, deletes), 'conflict', 'place-changed');
          }
        }
        assert.ok(await rows.setPlacement(tenant, home, moved));
        for (const epoch of [0, 2]) {
          await refused(rows.apply(tenant, epoch, deletes), 'conflict', 'place-changed');
        }
        assert.equal((await h.find('live'))?.id, node.id);
        await rows.apply(tenant, 1, deletes);
        assert.equal(await h.find('live'), undefined);
      });

    it('lets nobody write who held the rows before another, or has let them go', async () => {
      await away();
      const other = parseTenantId(`${tenant}x`);
      const [earlier, neighbour] = [await rows.hold(tenant), await rows.hold(other)];
      const later = await rows.hold(tenant);
      await later.beginCapture(tenant);
      const [row] = await rows.readRows('node', [[h.space.id, h.root, 'docs']]);
      assert.ok(row !== undefined);
      const puts = [{ name: 'node', puts: [row], deletes: [] }];
      await later.apply(tenant, 1, puts);
      const log = await rows.readLog(tenant, 10);
      assert.ok(log.length > 0);
      const moved = { epoch: 1, state: 'moved' } as const;
      const home = { epoch: 1, state: 'home' } as const;
      const allRefused = async (held: TenantRows): Promise<void> => {
        for (const act of [
          () => held.apply(tenant, 1, puts), () => held.trimLog(tenant, 1e9),
          () => held.beginCapture(tenant), () => held.endCapture(tenant),
          () => held.setPlacement(tenant, moved, home), () => held.raiseWitness([[4_003, 1]]),
        ]) {
          const { retryable } = await refused(act(), 'unavailable', 'moved-by-another');
          assert.ok(retryable);
        }
        assert.deepEqual(await held.readLog(tenant, 10), log, 'nothing was changed');
        assert.deepEqual(await held.findPlacement(tenant), moved);
        assert.ok(await held.isCaptured(tenant));
      };
      await allRefused(earlier);
      await earlier.endHold(tenant);
      await later.raiseWitness([[4_004, 1]]);
      await neighbour.raiseWitness([[4_004, 2]]);
      await later.endHold(tenant);
      await allRefused(later);
      await (await rows.hold(tenant)).endCapture(tenant);
    });

    it('notes what changes from the beginning of a capture to its end, and nobody else\'s',
      async () => {
        const stranger = await Hand.on(store, {
          tenant: parseTenantId(`${tenant}x`), owner: `${tenant}x`,
        });
        assert.equal(await rows.isCaptured(tenant), false);
        await rows.beginCapture(tenant);
        await rows.beginCapture(tenant);
        assert.equal(await rows.isCaptured(tenant), true);
        await stranger.put(stranger.root, 'not ours');
        assert.deepEqual(await rows.readLog(tenant, 10), []);
        const { id } = await h.put(h.root, 'noted');
        await h.move(id, h.root, 'renamed');
        const log = await rows.readLog(tenant, 1_000);
        assert.equal(await rows.lastOfLog(tenant), log.at(-1)?.seq);
        const keys = log.map(({ name: table, key }) => `${table} ${JSON.stringify(key)}`);
        const { id: spaceId } = h.space;
        for (const wanted of [
          `node [${spaceId},${h.root},"noted"]`, `node [${spaceId},${h.root},"renamed"]`,
          `folder [${spaceId},${h.root}]`, `space [${spaceId}]`,
        ]) assert.ok(keys.includes(wanted), `${wanted} in ${keys.join('; ')}`);
        const [first] = log;
        await rows.trimLog(tenant, first?.seq ?? 0);
        assert.deepEqual(await rows.readLog(tenant, 1_000), log.slice(1));
        await rows.endCapture(tenant);
        await h.put(h.root, 'not noted');
        assert.deepEqual(await rows.readLog(tenant, 10), []);
        assert.equal(await rows.lastOfLog(tenant), 0);
      });

    it('begins to note for one while it leaves off for another', async () => {
      const other = await Hand.on(store, {
        tenant: parseTenantId(`${tenant}x`), owner: `${tenant}x`,
      });
      for (let round = 0; round < 3; round += 1) {
        await rows.beginCapture(other.space.tenant);
        await Promise.all([rows.endCapture(other.space.tenant), rows.beginCapture(tenant)]);
        await h.put(h.root, `noted ${round}`);
        assert.ok((await rows.readLog(tenant, 1)).length > 0);
        await rows.endCapture(tenant);
      }
    });

    it('notes every table\'s rows when they come, change and go', async () => {
      await away();
      await rows.beginCapture(tenant);
      for (const [table, all] of await rowsOf(rows, tenant)) {
        const keys = all.map((row) => keyOf(table, row)).slice(0, 1);
        if (keys.length === 0) continue;
        const found = await rows.readRows(table, keys);
        const noted = async (): Promise<number> => {
          const log = await rows.readLog(tenant, 1_000);
          await rows.trimLog(tenant, log.at(-1)?.seq ?? 0);
          return log.filter(({ name: of, key }) => of === table
            && JSON.stringify(key) === JSON.stringify(keys[0])).length;
        };
        if (table === 'space') continue; // Without it nothing belongs to the tenant.
        await rows.apply(tenant, 1, [{ name: table, puts: [], deletes: keys }]);
        if (!['access_grant', 'quarantine'].includes(table)) {
          assert.ok(await noted() > 0, `${table} went`);
        }
        await rows.apply(tenant, 1, [{ name: table, puts: found, deletes: [] }]);
        assert.ok(await noted() > 0, `${table} came`);
      }
      await rows.endCapture(tenant);
    });

    it('notes spaces that are made during a capture', async () => {
      await rows.beginCapture(tenant);
      const late = await Hand.on(store, { tenant, owner: `${tenant}-late` });
      const log = await rows.readLog(tenant, 100);
      assert.ok(log.some(({ name: of, key }) => of === WHOLE_SPACE && key[0] === late.space.id));
      await rows.endCapture(tenant);
    });

    it('refuses changes of a tenant that is frozen or has moved, and of no other', async () => {
      const other = await Hand.on(store, {
        tenant: parseTenantId(`${tenant}x`), owner: `${tenant}x`,
      });
      const frozen = { epoch: 0, state: 'frozen' } as const;
      assert.ok(await rows.setPlacement(tenant, HOME, frozen));
      assert.equal(await rows.setPlacement(tenant, HOME, frozen), false);
      const [refusal] = await Promise.all([
        refused(h.put(h.root, 'frozen'), 'unavailable', 'tenant-frozen'),
        other.put(other.root, 'goes on'),
      ]);
      assert.equal(refusal.facts['retryAfterMs'], 1_000);
      assert.ok(await h.find('docs/file 1') !== undefined, 'readers go on');
      const owner = parseUserId(`${tenant}-ann`);
      const drop = { op: 'drop-upload', owner, uploadId: 'u1' } as const;
      await refused(store.commit(drop), 'unavailable', 'tenant-frozen');
      const { tenant: _, ...place } = { ...h.space, at: NOON };
      await refused(store.ensureSpace({
        ...place, tenant, owner: parseUserId(`${tenant}-new`),
      }), 'unavailable', 'tenant-frozen');
      await store.commit({ op: 'expire-uploads', at: NOON + 10_000_000 });
      assert.equal((await store.listParts(owner, 'u1')).length, 1, 'kept for where it goes');
      assert.ok(await rows.setPlacement(tenant, frozen, { epoch: 1, state: 'moved' }));
      await refused(h.put(h.root, 'moved'), 'unavailable', 'tenant-moved');
      assert.deepEqual(await rows.findPlacement(tenant), { epoch: 1, state: 'moved' });
      await rows.setPlacement(tenant, { epoch: 1, state: 'moved' }, { epoch: 2, state: 'home' });
      await h.put(h.root, 'home again');
    });

    it('raises a witness, and never lowers it', async () => {
      await rows.raiseWitness([[4_001, 10], [4_002, 5]]);
      await rows.raiseWitness([[4_001, 7], [4_002, 9]]);
      const marks = new Map(await rows.readWitness());
      assert.deepEqual([marks.get(4_001), marks.get(4_002)], [10, 9]);
      assert.deepEqual(new Map(await store.readWitness()).get(4_001), 10);
    });

    it('lists the spaces of the tenant alone, page by page', async () => {
      const all = await rows.listParts(tenant, 1_000);
      assert.equal(all.length, 3);
      const [first] = await rows.listParts(tenant, 1);
      assert.ok(first?.kind === 'space');
      assert.deepEqual(await rows.listParts(tenant, 9, first.id as SpaceId), all.slice(1));
    });
  });
}
