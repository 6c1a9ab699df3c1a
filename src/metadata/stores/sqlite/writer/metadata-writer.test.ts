import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { InvariantError } from '../../../../base/assert.ts';
import { DEFAULT_TENANT, parseUserId } from '../../../../base/ids.ts';
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { parseName } from '../../../../base/names.ts';
import { SqlRefusal } from '../../../../platform/index.ts';
import type { Actor, Change, ChangeResult } from '../../../changes.ts';
import { openConnection } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { createDatabaseFile } from '../database-file.ts';
import type { Outcome, SqlStep, WriterChange } from '../messages.ts';
import { MetadataWriter } from './metadata-writer.ts';
import { SqliteWriterDatabase } from './sqlite-writer-database.ts';

const NOON = 1_700_000_000_000;
const OWNER = parseUserId('anna');
const SPACE = 1 as SpaceId;
const ROOT = 1 as NodeId;
const ACTOR: Actor = { user: OWNER, device: '', at: NOON, lockTokens: [] };
const ENSURE: WriterChange = {
  op: 'ensure-space',
  wanted: {
    tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined, at: NOON,
  },
};
const TABLES = ['node', 'folder', 'version', 'event', 'property', 'copy_job'] as const;

function put(parentId: NodeId, name: string, sizeBytes = 1): Change {
  const content = { sizeBytes, manifest: Buffer.from(name), checksums: '' };
  return {
    op: 'put-file', spaceId: SPACE, parentId, name: parseName(name), content,
    modifiedAt: undefined, actor: ACTOR,
  };
}

function folder(parentId: NodeId, name: string): Change {
  return { op: 'make-folder', spaceId: SPACE, parentId, name: parseName(name), actor: ACTOR };
}

function copy(nodeId: NodeId, name: string): Change {
  const place = { spaceId: SPACE, nodeId, toParentId: ROOT, toName: parseName(name) };
  return { op: 'copy', ...place, depth: 'infinity', replace: false, actor: ACTOR };
}

function remove(nodeId: NodeId): Change {
  return { op: 'delete', spaceId: SPACE, nodeId, actor: ACTOR };
}

function resultOf(outcome: Outcome | undefined): ChangeResult {
  assert.ok(outcome !== undefined && 'result' in outcome, JSON.stringify(outcome));
  return outcome.result;
}

describe('MetadataWriter', () => {
  const folders = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  let made = 0;
  let file: string;
  let connection: Connection;
  let writer: MetadataWriter;

  function reopen(): void {
    connection = openConnection(file, { readonly: false, cacheKib: 4_096 });
    writer = new MetadataWriter(new SqliteWriterDatabase(connection));
  }

  beforeEach(() => {
    made += 1;
    file = join(folders, `${made}.db`);
    createDatabaseFile(file);
    reopen();
    writer.commitBatch([ENSURE]);
  });
  afterEach(() => writer.close());
  after(() => rmSync(folders, { recursive: true, force: true }));

  const one = (change: Change): ChangeResult => resultOf(writer.commitBatch([change])[0]);
  const nodeOf = (change: Change): NodeId => one(change).node?.id ?? ROOT;
  const rows = (): Record<string, unknown> => Object.fromEntries(TABLES.map((table) =>
    [table, connection.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get()]));
  const rowChanges = (): number =>
    connection.prepare('SELECT total_changes()').pluck().get() as number;
  const fill = (parentId: NodeId, count: number): void => {
    const names = Array.from({ length: count }, (_, n) => `f${n}`);
    writer.commitBatch(names.map((name) => put(parentId, name)));
  };
  const bySlices = (atSlice?: (slice: number) => void): Outcome | undefined => {
    for (let slice = 0; slice < 1_000; slice += 1) {
      const finished = writer.workOn();
      if (finished !== undefined) return finished.outcome;
      atSlice?.(slice);
    }
    return undefined;
  };

  it('refuses a connection that does not flush its commits', () => {
    const careless = openConnection(file, { readonly: false, cacheKib: 100 });
    careless.pragma('synchronous = NORMAL');
    assert.throws(() => new SqliteWriterDatabase(careless), InvariantError);
    careless.close();
  });

  it('lets a refused change of a batch leave nothing, and its neighbours pass', () => {
    const outcomes = writer.commitBatch([
      put(ROOT, 'a'), put(999 as NodeId, 'b'), put(ROOT, 'caf\u00e9'), put(ROOT, 'cafe\u0301'),
      put(ROOT, 'c'),
    ]);
    assert.deepEqual(outcomes.map((outcome) => ('fault' in outcome ? outcome.fault.code : 'done')),
      ['done', 'parent-missing', 'done', 'name-clash', 'done']);
    assert.deepEqual(outcomes.flatMap((each) => ('result' in each ? each.result.rev : [])),
      [1, 2, 3]);
    const expected = { node: 4, folder: 1, version: 3, event: 3, property: 0, copy_job: 0 };
    assert.deepEqual(rows(), expected);
  });

  it('fails only the culprit when a change of a batch breaks in mid-write', () => {
    // Past the seal of the schema.
    Reflect.deleteProperty(connection, 'exec');
    connection.exec(`CREATE TEMP TRIGGER trap BEFORE INSERT ON version
      WHEN NEW.size_bytes = 13 BEGIN SELECT RAISE(ABORT, 'trapped'); END`);
    const batch = [put(ROOT, 'a', 5), put(ROOT, 'b', 13), put(ROOT, 'c', 7), folder(ROOT, 'd')];
    const outcomes = writer.commitBatch(batch);
    assert.deepEqual(outcomes.map((outcome) => ('fault' in outcome ? outcome.fault.kind : 'done')),
      ['done', 'internal', 'done', 'done']);
    const expected = { node: 4, folder: 2, version: 2, event: 3, property: 0, copy_job: 0 };
    assert.deepEqual(rows(), expected);
    const { node, rev } = one(folder(ROOT, 'e'));
    assert.equal(rev, 4);
    const ids = connection.prepare('SELECT COUNT(DISTINCT id) FROM node').pluck().get();
    assert.equal(ids, 5);
    assert.equal(node?.mark, 4);
    const sizes = connection.prepare('SELECT size_bytes FROM folder WHERE id = ?').pluck();
    assert.equal(sizes.get(ROOT), 12);
  });

  it('stops for good after an error of the disk', () => {
    connection.pragma('query_only = ON'); // SQLite answers SQLITE_READONLY from now on.
    const [first] = writer.commitBatch([put(ROOT, 'a')]);
    connection.pragma('query_only = OFF');
    const [second] = writer.commitBatch([put(ROOT, 'b')]);
    for (const outcome of [first, second]) {
      assert.ok(outcome !== undefined && 'fault' in outcome);
      assert.equal(outcome.fault.kind, 'unavailable');
    }
  });

  it('moves and deletes a folder in as many rows with 10,000 members as with 10', () => {
    const counts = [10, 10_000].map((size) => {
      const box = nodeOf(folder(ROOT, `box${size}`));
      fill(nodeOf(folder(box, 'inner')), size);
      const start = rowChanges();
      const place = { spaceId: SPACE, nodeId: box, toParentId: ROOT, toName: parseName('moved') };
      one({ op: 'move', ...place, replace: false, actor: ACTOR });
      const moved = rowChanges();
      const { rev } = one(remove(box));
      const deleted = rowChanges();
      one({ op: 'restore', ...place, deletedRev: rev, actor: ACTOR });
      const restored = rowChanges();
      one(remove(box));
      return [moved - start, deleted - moved, restored - deleted];
    });
    assert.deepEqual(counts[0], counts[1]);
    assert.ok(counts.flat().every((count) => count > 0 && count <= 8), JSON.stringify(counts));
  });

  it('writes the figures of a folder once per batch', () => {
    const start = rowChanges();
    fill(ROOT, 100);
    assert.equal(rowChanges() - start, 302); // Node, version, event; one folder, one space.
  });

  it('copies a big folder in slices, as it was when the copying began', () => {
    const box = nodeOf(folder(ROOT, 'box'));
    const inner = nodeOf(folder(box, 'inner'));
    fill(inner, 3_000);
    const late = nodeOf(put(inner, 'late', 50));
    const before = rows();
    const [outcome] = writer.commitBatch([copy(box, 'twin')]);
    assert.ok(outcome !== undefined && 'ticket' in outcome);
    const slices: number[] = [];
    const finished = bySlices((slice) => {
      slices.push(slice);
      if (slice === 1) one(remove(late));
      if (slice === 2) {
        one(put(inner, 'f7', 1_000));
        one(put(inner, 'new', 1_000));
      }
      if (slice === 3) one(remove(box));
      const visible = connection.prepare("SELECT 1 FROM node WHERE canon = 'twin'").get();
      assert.equal(visible, undefined, 'a copy shows only when it is whole');
    });
    assert.ok(slices.length > 3);
    const { node, created } = resultOf(finished);
    assert.deepEqual([created, node?.sizeBytes, node?.name], [true, 3_050, 'twin']);
    const after_ = rows();
    assert.equal(Number(after_['node']) - Number(before['node']), 3_003 - 1); // Two gone, one new.
    assert.equal(after_['copy_job'], 0);
    assert.equal(writer.hasWork, false);
  });

  it('sweeps what it has built when a copy cannot be attached in the end', () => {
    const box = nodeOf(folder(ROOT, 'box'));
    fill(box, 2_500);
    writer.commitBatch([copy(box, 'twin')]);
    const finished = bySlices((slice) => {
      if (slice === 2) one(folder(ROOT, 'twin'));
    });
    assert.ok(finished !== undefined && 'fault' in finished);
    assert.equal(finished.fault.code, 'target-exists');
    assert.equal(bySlices(), undefined);
    assert.deepEqual(rows(),
      { node: 2_503, folder: 3, version: 2_500, event: 2_502, property: 0, copy_job: 0 });
  });

  it('sweeps at its start what a crash has left of a copy', () => {
    const box = nodeOf(folder(ROOT, 'box'));
    fill(box, 2_500);
    const before = rows();
    writer.commitBatch([copy(box, 'twin')]);
    for (let slice = 0; slice < 4; slice += 1) writer.workOn();
    assert.notDeepEqual(rows(), before);
    writer.close();
    reopen();
    assert.equal(writer.hasWork, true);
    const half = one(put(ROOT, 'meanwhile')).node?.id ?? ROOT;
    assert.equal(bySlices(), undefined);
    one(remove(half));
    const { node, folder: folderRows, copy_job: jobs } = rows();
    assert.deepEqual({ node, folderRows, jobs },
      { node: before['node'], folderRows: before['folder'], jobs: 0 });
  });

  it('forgets reservations that have expired when uploads are swept', () => {
    const reserve = (reservationId: string, expiresAt: number): Change => ({
      op: 'reserve-quota', spaceId: SPACE, reservationId, bytes: 5, at: NOON, expiresAt,
    });
    one(reserve('gone', NOON + 10));
    one(reserve('kept', NOON + 20));
    writer.close();
    reopen();
    one({ op: 'expire-uploads', at: NOON + 10 });
    const left = connection.prepare('SELECT * FROM reservation').raw(true).all();
    assert.equal(left.length, 1);
    assert.ok(JSON.stringify(left).includes('kept'));
  });

  it('believes nothing that it remembers once somebody else has written', () => {
    const box = nodeOf(folder(ROOT, 'box'));
    const other = openConnection(file, { readonly: false, cacheKib: 100 });
    other.exec(`UPDATE space SET rev = 100; UPDATE folder SET size_bytes = 70 WHERE id = ${ROOT}`);
    other.close();
    assert.equal(one(put(box, 'f', 5)).rev, 101);
    const size = connection.prepare('SELECT size_bytes FROM folder WHERE id = ?').pluck().get(ROOT);
    assert.equal(size, 75);
  });

  it('undoes a statement that writes more rows than it may, and fails that change alone', () => {
    const id = nodeOf(put(ROOT, 'f'));
    const { rev } = one(put(ROOT, 'f', 2));
    // As a mistake in a condition would find them: a second closed row for one event.
    connection.prepare(`INSERT INTO node_past SELECT space_id, parent_id, canon || '2', rev_to, id,
      name, kind, size_bytes, modified_at, created_at, mark, content_rev, checksums, rev_from
      FROM node_past WHERE id = ?`).run(id);
    const closed = connection.prepare('SELECT COUNT(*) FROM node_past').pluck();
    assert.equal(closed.get(), 2);
    const outcomes = writer.commitBatch([put(ROOT, 'before'), {
      op: 'purge-slice', spaceId: SPACE, floorRev: rev, trashToRev: 0, rowsMax: 100,
    }, put(ROOT, 'after')]);
    assert.deepEqual(outcomes.map((outcome) => ('fault' in outcome ? outcome.fault.code : 'done')),
      ['done', 'statement-refused', 'done']);
    assert.equal(closed.get(), 2);
    assert.equal(connection.prepare('SELECT COUNT(*) FROM space_past').pluck().get(), 0);
    assert.equal(one(put(ROOT, 'later')).rev, rev + 3);
  });

  it('undoes what moves a tenant when a step of it writes more rows than it may', () => {
    const count = connection.prepare('SELECT COUNT(*) FROM move_log').pluck();
    const note = (name: string): SqlStep => (
      { text: 'INSERT INTO move_log (tenant, name, row_key) VALUES (?, ?, ?)',
        values: ['acme', name, '[1]'] });
    const forget = { text: 'DELETE FROM move_log WHERE tenant = ?', values: ['acme'] };
    const codesOf = (steps: SqlStep[]): unknown[] => (
      writer.commitBatch([put(ROOT, `f${count.get()}`), { op: 'write-rows', steps, isAside: true }])
        .map((outcome) => ('fault' in outcome ? outcome.fault.code : 'done')));
    assert.deepEqual(codesOf([note('a'), note('b')]), ['done', 'done']);
    assert.deepEqual(codesOf([note('c'), forget]), ['done', 'statement-refused']);
    assert.equal(count.get(), 2);
    assert.deepEqual(codesOf([note('c'), { ...forget, rowsMax: 3 }]), ['done', 'done']);
    assert.equal(count.get(), 0);
  });

  it('lets nobody change the tables through its connection', () => {
    for (const text of ['DROP TABLE node', ' -- why\n/* not */ ALTER TABLE node ADD COLUMN x',
      'create table strangers (id)', 'VACUUM', 'CREATE TRIGGER strangers AFTER INSERT ON node '
      + 'FOR EACH ROW BEGIN SELECT 1; END']) {
      assert.throws(() => connection.prepare(text), SqlRefusal, text);
    }
    assert.throws(() => connection.exec('SELECT 1'), SqlRefusal);
    connection.prepare('DELETE FROM node WHERE space_id = 1 AND id = 99').run();
  });
});
