/**
 * How long a change waits for those that it needs. What an expand has added is to be in use for a
 * while before rows are written anew, and rows are to be in use in their new form before the old
 * one is taken away: a fault then shows while the version before can still be started.
 */
import type { SchemaChange } from './change.ts';
import type { SchemaBook } from './schema-book.ts';

/** A change that would come too soon. */
export interface EarlyChange {
  readonly changeId: string;
  /** The earliest moment at which it may begin. */
  readonly fromMs: number;
}

interface Parts {
  readonly changes: readonly SchemaChange[];
  readonly book: Pick<SchemaBook, 'listChanges'>;
  readonly policy: { readonly stepAfterMs: number };
}

/** The changes that it needs, the nearest first. */
export function endedBy(change: SchemaChange, changes: readonly SchemaChange[]): SchemaChange[] {
  const before = changes.find(({ id }) => id === change.after);
  return before === undefined ? [] : [before, ...endedBy(before, changes)];
}

/** When an expand or a backfill may begin; 0 when nothing speaks against it. Whatever needs one of
 *  `early` waits with it. */
export async function earliestMs(
  change: SchemaChange, { changes, book, policy: { stepAfterMs } }: Parts,
  early: readonly EarlyChange[],
): Promise<number> {
  const needed = endedBy(change, changes);
  const waits = early.filter(({ changeId }) => needed.some(({ id }) => id === changeId));
  const expands = new Set(needed.filter(({ kind }) => kind === 'expand').map(({ id }) => id));
  const doneAt = change.kind !== 'backfill' ? [] : (await book.listChanges()).flatMap((note) => (
    note.doneAtMs !== undefined && expands.has(note.changeId) ? [note.doneAtMs] : []));
  return Math.max(
    0, ...waits.map(({ fromMs }) => fromMs), ...doneAt.map((ms) => ms + stepAfterMs));
}
