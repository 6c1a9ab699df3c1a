/** Work that goes on in slices between batches: big moves to another space, and counting anew. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../../../base/ids.ts';
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { parseName } from '../../../../base/names.ts';
import type { Actor, Change, ChangeResult, Move } from '../../../changes.ts';
import { openConnection } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { createDatabaseFile } from '../database-file.ts';
import type { Outcome } from '../messages.ts';
import { MetadataWriter } from './metadata-writer.ts';
import { SqliteWriterDatabase } from './sqlite-writer-database.ts';

const NOON = 1_700_000_000_000;
const OWNER = parseUserId('anna');
const SPACE = 1 as SpaceId;
const TEAM = 2 as SpaceId;
const ACTOR: Actor = { user: OWNER, device: '', at: NOON, lockTokens: [] };
const FILES = 2_500;
const TABLES = ['node', 'folder', 'version', 'event', 'property', 'copy_job', 'trash'] as const;

function resultOf(outcome: Outcome | undefined): ChangeResult {
  assert.ok(outcome !== undefined && 'result' in outcome, JSON.stringify(outcome));
  return outcome.result;
}

describe('The writer, working in slices', () => {
  const folders = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  let made = 0;
  let file: string;
  let connection: Connection;
  let writer: MetadataWriter;
  let root: NodeId;
  let teamRoot: NodeId;
  let box: NodeId;

  function open(): void {
    connection = openConnection(file, { readonly: false, cacheKib: 4_096 });
    writer = new MetadataWriter(new SqliteWriterDatabase(connection));
  }

  const one = (change: Change): ChangeResult => resultOf(writer.commitBatch([change])[0]);
  const nodeOf = (change: Change): NodeId => one(change).node?.id as NodeId;
  const folder = (parentId: NodeId, name: string): Change =>
    ({ op: 'make-folder', spaceId: SPACE, parentId, name: parseName(name), actor: ACTOR });
  const put = (parentId: NodeId, name: string, sizeBytes = 1): Change => ({
    op: 'put-file', spaceId: SPACE, parentId, name: parseName(name), modifiedAt: undefined,
    content: { sizeBytes, manifest: Buffer.from(name), checksums: '' }, actor: ACTOR,
  });
  const moving = (): Move => ({
    op: 'move', spaceId: SPACE, nodeId: box, toSpaceId: TEAM, toParentId: teamRoot,
    toName: parseName('moved'), replace: false, actor: ACTOR,
  });
  const rows = (): Record<string, unknown> => Object.fromEntries(TABLES.map((table) =>
    [table, connection.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get()]));
  const sizeOf = (id: NodeId): unknown =>
    connection.prepare('SELECT size_bytes FROM folder WHERE id = ?').pluck().get(id);

  /** The outcome of the job under way; `between` is told before each slice, from 1. */
  function bySlices(between: (slice: number) => void = () => undefined): Outcome {
    for (let slice = 1; slice < 100; slice += 1) {
      between(slice);
      const finished = writer.workOn();
      if (finished !== undefined) return finished.outcome;
    }
    assert.fail('the job comes to an end');
  }

  function codeOf(outcome: Outcome): string | undefined {
    return 'fault' in outcome ? outcome.fault.code : undefined;
  }

  beforeEach(() => {
    made += 1;
    file = join(folders, `${made}.db`);
    createDatabaseFile(file);
    open();
    const wanted = {
      tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined,
      at: NOON,
    } as const;
    writer.commitBatch([{ op: 'ensure-space', wanted }]);
    root = 1 as NodeId;
    teamRoot = nodeOf({
      op: 'make-space', tenant: DEFAULT_TENANT, name: parseName('team'), firstOwner: OWNER,
      casePolicy: 'sensitive', quotaBytes: undefined, actor: ACTOR,
    });
    box = nodeOf(folder(root, 'box'));
    const names = Array.from({ length: FILES }, (_, n) => `f${n}`);
    writer.commitBatch(names.map((name) => put(box, name)));
  });
  afterEach(() => writer.close());
  after(() => rmSync(folders, { recursive: true, force: true }));

  it('moves a big folder to another space at one moment', () => {
    writer.commitBatch([moving()]);
    const outcome = bySlices(() => {
      const shown = connection.prepare("SELECT 1 FROM node WHERE canon = 'moved'").get();
      const left = connection.prepare("SELECT 1 FROM node WHERE canon = 'box'").get();
      assert.deepEqual([shown, left !== undefined], [undefined, true]);
      one(put(root, 'meanwhile')); // Others go on with their work.
    });
    const { node } = resultOf(outcome);
    assert.deepEqual([node?.spaceId, node?.sizeBytes], [TEAM, FILES]);
    assert.deepEqual([sizeOf(root), sizeOf(teamRoot)], [1, FILES]);
    const { trash, copy_job: jobs } = rows();
    assert.deepEqual([trash, jobs, writer.hasWork], [1, 0, false]);
  });

  const MEANWHILE: readonly [what: string, change: () => Change, code: string][] = [
    ['new content', () => put(box, 'f7', 9), 'source-changed'],
    ['a dead property', () => ({
      op: 'set-properties', spaceId: SPACE, nodeId: box, remove: [], actor: ACTOR,
      set: [{ namespace: 'n', name: 'n', xml: '' }],
    }), 'source-changed'],
    ['the end of the source', () => ({ op: 'delete', spaceId: SPACE, nodeId: box, actor: ACTOR }),
      'node-missing'],
    ['something at the target', () => ({
      op: 'make-folder', spaceId: TEAM, parentId: teamRoot, name: parseName('moved'), actor: ACTOR,
    }), 'target-exists'],
  ];
  for (const [what, change, code] of MEANWHILE) {
    it(`gives up a big move for ${what} that came meanwhile, and leaves nothing of it`, () => {
      writer.commitBatch([moving()]);
      let before: Record<string, unknown> = {};
      const outcome = bySlices((slice) => {
        if (slice !== 2) return;
        one(change());
        before = rows();
      });
      assert.equal(codeOf(outcome), code);
      while (writer.hasWork) writer.workOn();
      assert.deepEqual(rows(), before);
      // Asked again it succeeds, where it can.
      if (code !== 'source-changed') return;
      writer.commitBatch([moving()]);
      resultOf(bySlices());
      assert.equal(sizeOf(root), 0);
    });
  }

  it('has either moved a big folder or not, whenever it is stopped', () => {
    const before = rows();
    for (let stop = 1; ; stop += 1) {
      writer.commitBatch([moving()]);
      let isDone = false;
      for (let slice = 0; slice < stop && !isDone; slice += 1) {
        isDone = writer.workOn() !== undefined;
      }
      writer.close();
      open();
      while (writer.hasWork) writer.workOn();
      if (isDone) break;
      assert.deepEqual(rows(), before, `stopped after ${stop} slices`);
    }
    assert.deepEqual([sizeOf(root), sizeOf(teamRoot)], [0, FILES]);
  });

  const recount: Change = { op: 'recount', spaceId: SPACE, actor: ACTOR };
  const falsify = (id: NodeId, bytes: number): void => {
    const other = openConnection(file, { readonly: false, cacheKib: 100 });
    other.prepare('UPDATE folder SET size_bytes = size_bytes + ? WHERE id = ?').run(bytes, id);
    other.close();
  };

  it('counts a big space anew and puts its figures right, with an event', () => {
    const wrong = nodeOf(folder(box, 'wrong'));
    falsify(wrong, 40);
    falsify(root, 40);
    writer.commitBatch([recount]);
    const { recount: found, rev } = resultOf(bySlices());
    assert.deepEqual(found, {
      folderCount: 3, healedCount: 2, storedBytes: FILES + 40, countedBytes: FILES,
    });
    assert.deepEqual([sizeOf(root), sizeOf(box), sizeOf(wrong)], [FILES, FILES, 0]);
    const marks = connection.prepare('SELECT mark FROM folder WHERE space_id = 1').pluck().all();
    assert.deepEqual(marks, [rev, rev, rev]);
    assert.deepEqual(connection.prepare('SELECT kind, node_id FROM event WHERE rev = ?').raw(true)
      .get(rev), [1, root]);
  });

  it('counts a space that never keeps still, in the end in one go', () => {
    falsify(root, 40);
    writer.commitBatch([recount]);
    let puts = 0;
    const { recount: found } = resultOf(bySlices(() => {
      puts += 1;
      one(put(root, `busy${puts}`));
    }));
    assert.ok(puts > 3);
    assert.deepEqual([found?.healedCount, found?.countedBytes, sizeOf(root)],
      [1, FILES + puts, FILES + puts]);
  });

  it('counts a small space at once, and the figure of a tenant follows', () => {
    one({ op: 'delete', spaceId: SPACE, nodeId: box, actor: ACTOR });
    const tenant = 'default' as never;
    one({ op: 'set-tenant-quota', tenant, quotaBytes: 100 });
    falsify(root, 95);
    one({ op: 'set-tenant-quota', tenant, quotaBytes: 101 });
    const [tooMuch] = writer.commitBatch([put(root, 'x', 7)]);
    assert.equal(codeOf(tooMuch as Outcome), 'tenant-quota');
    assert.equal(one(recount).recount?.healedCount, 1);
    one(put(root, 'x', 7));
  });
});
