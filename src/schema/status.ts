/** How far each change has come, as the shards themselves say it. */
import { HoldfastError } from '../base/errors.ts';
import { noteCountOf } from './change.ts';
import type { SchemaChange } from './change.ts';
import type { SchemaBook } from './schema-book.ts';
import type { SchemaShard } from './schema-target.ts';

export interface ChangeStatus {
  readonly change: SchemaChange;
  readonly shardCount: number;
  readonly doneCount: number;
  /** Shards where it has begun and not ended. */
  readonly begunCount: number;
  /** Of a backfill: on shards that answer and have the table in its new form. */
  readonly oldRowCount: number | undefined;
  /** When the last shard was done. */
  readonly doneAtMs: number | undefined;
  readonly failures: readonly { shard: string; problem: string }[];
}

export interface StatusParts {
  readonly changes: readonly SchemaChange[];
  readonly shards: readonly SchemaShard[];
  readonly book: Pick<SchemaBook, 'listChanges' | 'listRuns'>;
}

/** In the order of the changes, and which shards did not answer. */
export async function readStatus(parts: StatusParts): Promise<{
  changes: ChangeStatus[]; unreachable: readonly { shard: string; problem: string }[];
}> {
  const { changes, shards, book } = parts;
  const seen = new Map<string, { done: number; begun: number; oldRows: number | undefined }>();
  const unreachable: { shard: string; problem: string }[] = [];
  for (const shard of shards) {
    try {
      for (const [id, look] of await lookAt(shard, changes)) {
        const sum = seen.get(id) ?? { done: 0, begun: 0, oldRows: undefined };
        const oldRows = look.oldRows === undefined ? sum.oldRows
          : look.oldRows + (sum.oldRows ?? 0);
        seen.set(id, { done: sum.done + look.done, begun: sum.begun + look.begun, oldRows });
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      unreachable.push({ shard: shard.name, problem: error.message });
    }
  }
  const notes = new Map((await book.listChanges()).map((note) => [note.changeId, note.doneAtMs]));
  const statuses: ChangeStatus[] = [];
  for (const change of changes) {
    const { done = 0, begun = 0, oldRows } = seen.get(change.id) ?? {};
    const failed = (await book.listRuns(change.id)).filter(({ state }) => state === 'failed');
    statuses.push({
      change, doneCount: done, begunCount: begun, oldRowCount: oldRows,
      shardCount: shards.filter(({ family }) => family === change.family).length,
      doneAtMs: notes.get(change.id),
      failures: failed.map(({ shard, problem }) => ({ shard, problem })),
    });
  }
  return { changes: statuses, unreachable };
}

async function lookAt(shard: SchemaShard, changes: readonly SchemaChange[]) {
  const looks = new Map<string, { done: number; begun: number; oldRows: number | undefined }>();
  const concerned = changes.filter(({ family }) => family === shard.family);
  const target = await shard.open();
  try {
    const notes = await target.listNotes();
    const countOf = ({ id }: SchemaChange): number => (
      notes.filter(({ changeId }) => changeId === id).length);
    for (const change of concerned) {
      const count = countOf(change);
      const isDone = count >= noteCountOf(change);
      const before = concerned.find(({ id }) => id === change.after);
      const isGone = concerned.some((one) => (
        one.kind === 'contract' && one.after === change.id && countOf(one) > 0));
      const canCount = change.kind === 'backfill' && !isGone
        && (before === undefined || countOf(before) >= noteCountOf(before));
      looks.set(change.id, {
        done: Number(isDone), begun: Number(!isDone && count > 0),
        oldRows: canCount ? await target.countOld(change.rows) : undefined,
      });
    }
  } finally {
    await target.close();
  }
  return looks;
}
