import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { verifyAudit } from '../audit/index.ts';
import type { AuditEntry } from '../audit/index.ts';
import { DEFAULT_TENANT, parseUserId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import { openConnection } from '../metadata/stores/sqlite/connection.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { ManualClock, Metrics, silentLog } from '../platform/index.ts';
import { AuditTrail } from './audit-trail.ts';
import { CounterWork } from './counter-work.ts';
import { auditFolder } from './tenant-audit.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-counters-'));
after(() => rm(root, { recursive: true }));

const HALF_HOUR_MS = 30 * 60 * 1000;
const file = join(root, 'metadata.db');

async function fill(): Promise<void> {
  const store = await SqliteMetadataStore.open({ file, create: true });
  const actor = { user: parseUserId('ada'), device: '', at: 1, lockTokens: [] };
  for (const owner of ['ada', 'ben']) {
    const space = await store.ensureSpace({
      tenant: DEFAULT_TENANT, owner: parseUserId(owner), casePolicy: 'sensitive',
      quotaBytes: undefined, at: 0,
    });
    await store.commit({
      op: 'put-file', spaceId: space.id, parentId: space.rootId, name: 'f' as Name, actor,
      content: { sizeBytes: 100, manifest: Buffer.from('m'), checksums: '' },
      modifiedAt: undefined,
    });
  }
  await store.close();
}

function falsify(): void {
  const connection = openConnection(file, { readonly: false, cacheKib: 100 });
  const wrong = connection.prepare('UPDATE folder SET size_bytes = 70 WHERE space_id = 2');
  const { changes } = wrong.run();
  assert.equal(changes, 1);
  connection.close();
}

describe('CounterWork', () => {
  it('puts a wrong figure right, and says so in the audit log and in figures', async () => {
    await fill();
    falsify();
    const path = join(root, 'data');
    await mkdir(path);
    const metadata = await SqliteMetadataStore.open({ file, create: false });
    const clock = new ManualClock(5_000);
    const metrics = new Metrics();
    const log = silentLog;
    const trail = await AuditTrail.open({
      path, metadata, listTenants: async () => [{ id: DEFAULT_TENANT }], clock, log, metrics,
    });
    const healed = Promise.withResolvers<void>();
    const work = CounterWork.start({
      metadata, clock, log, metrics,
      note: (entry) => {
        trail.note(entry);
        healed.resolve();
      },
    });
    clock.advance(HALF_HOUR_MS);
    const isHealed = healed.promise.then(() => true);
    // The rest after each space ends when the clock goes on; a look at it takes one commit.
    while (await Promise.race([isHealed, metadata.readWitness().then(() => false)]) === false) {
      clock.advance(100);
      await turn();
    }
    await work.stop();
    const { usedBytes } = await metadata.readUsage((await metadata.listSpaces(2))[1]?.id
      ?? assert.fail('the space has gone'), 0);
    assert.equal(usedBytes, 100);
    await trail.close();
    await metadata.close();

    const entries: AuditEntry[] = [];
    await verifyAudit(auditFolder(path, DEFAULT_TENANT), undefined, (entry) => {
      if (entry !== undefined) entries.push(entry);
    });
    const [line, ...others] = entries.filter(({ act }) => act === 'counters-healed');
    assert.deepEqual([line?.space, line?.note, others], [2, '1 of 1 folders had a wrong size; '
      + 'the space seemed to use 70 bytes and uses 100', []]);
    assert.match(await metrics.text(), /counters_healed_total 1\b/);
  });
});
