import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { leaveEntry, verifyAudit } from '../audit/index.ts';
import type { AuditEntry } from '../audit/index.ts';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import type { SpaceRecord } from '../metadata/index.ts';
import { ManualClock, Metrics, silentLog } from '../platform/index.ts';
import { AuditTrail } from './audit-trail.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-trail-'));
after(() => rm(root, { recursive: true }));

const ACME = parseTenantId('acme');

describe('AuditTrail', () => {
  let path: string;
  let metadata: MemoryMetadataStore;
  let space: SpaceRecord;
  let count = 0;

  const actor = {
    user: parseUserId('ada'), device: 'laptop', at: 1_000, lockTokens: [],
  };
  const makeFolder = (name: string) => metadata.commit({
    op: 'make-folder', spaceId: space.id, parentId: space.rootId, name: name as Name, actor,
  });
  const openTrail = () => AuditTrail.open({
    path, metadata, listTenants: async () => [DEFAULT_TENANT, ACME].map((id) => ({ id })),
    clock: new ManualClock(9), log: silentLog, metrics: new Metrics(),
  });
  const entries = async (tenant: string = DEFAULT_TENANT): Promise<AuditEntry[]> => {
    const all: AuditEntry[] = [];
    const { breaks } = await verifyAudit(join(path, 'audit', tenant), undefined, (entry) => {
      if (entry !== undefined) all.push(entry);
    });
    assert.deepEqual(breaks, []);
    return all;
  };

  beforeEach(async () => {
    path = join(root, String(count++));
    metadata = new MemoryMetadataStore();
    space = await metadata.ensureSpace({
      tenant: DEFAULT_TENANT, owner: actor.user, casePolicy: 'insensitive',
      quotaBytes: undefined, at: 0,
    });
  });

  it('repeats every event once, also those from before it was opened', async () => {
    await makeFolder('early');
    const first = await openTrail();
    for (let at = 0; at < 1_200; at++) await makeFolder(`folder ${at}`);
    first.changed(space.id);
    await first.close();
    await makeFolder('late');
    const second = await openTrail();
    second.note({ act: 'signed-in', user: 'ada', from: '::1' });
    await second.close();
    const third = await openTrail();
    await third.close();
    const all = await entries();
    const revs = all.flatMap(({ rev }) => rev ?? []);
    assert.deepEqual(revs, Array.from({ length: 1_202 }, (_, at) => at + 1));
    assert.deepEqual(all.filter(({ act }) => act === 'signed-in').map(({ user, from, at }) =>
      [user, from, at]), [['ada', '::1', 9]]);
  });

  it('says who did what to which node', async () => {
    const { node } = await makeFolder('a');
    assert.ok(node);
    await metadata.commit({
      op: 'move', spaceId: space.id, nodeId: node.id, toParentId: space.rootId,
      toName: 'b' as Name, replace: false, actor,
    });
    await (await openTrail()).close();
    assert.deepEqual((await entries())[1], {
      seq: 2, at: 1_000, act: 'move', user: 'ada', device: 'laptop', space: space.id, rev: 2,
      node: node.id, name: 'b', nameBefore: 'a', folder: space.rootId,
    });
  });

  it('keeps what happens in each tenant in the log of that one, and goes on there', async () => {
    const eve = { ...actor, user: parseUserId('eve') };
    const theirs = await metadata.ensureSpace({
      tenant: ACME, owner: eve.user, casePolicy: 'insensitive', quotaBytes: undefined, at: 0,
    });
    const makeTheirs = (name: string) => metadata.commit({
      op: 'make-folder', spaceId: theirs.id, parentId: theirs.rootId, name: name as Name,
      actor: eve,
    });
    await makeFolder('ours');
    await makeTheirs('theirs');
    await leaveEntry(join(path, 'audit', ACME), {
      at: 5, act: 'user-added', user: '', subject: 'eve',
    });
    const first = await openTrail();
    first.note({ act: 'signed-in', user: 'eve' }, ACME);
    first.note({ act: 'lock-broken', user: 'eve', space: theirs.id });
    first.note({ act: 'sign-in-refused', user: '' });
    await first.close();
    await makeTheirs('later');
    await (await openTrail()).close();
    const shown = (all: AuditEntry[]) => all.map(({ act, user, rev }) => [act, user, rev].join(' '))
      .sort();
    assert.deepEqual(shown(await entries()), ['create ada 1', 'sign-in-refused  ']);
    assert.deepEqual(shown(await entries(ACME)), [
      'create eve 1', 'create eve 2', 'lock-broken eve ', 'signed-in eve ', 'user-added  ',
    ]);
  });

  it('takes over what commands left behind', async () => {
    const folder = join(path, 'audit', 'default');
    await leaveEntry(folder, { at: 5, act: 'user-added', user: '', subject: 'bob' });
    await (await openTrail()).close();
    assert.deepEqual((await entries()).map(({ act, subject }) => [act, subject]), [
      ['user-added', 'bob'],
    ]);
  });
});
