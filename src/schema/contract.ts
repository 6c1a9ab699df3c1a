/** Whether what a change has left behind may be taken away: counted, not assumed. */
import { HoldfastError } from '../base/errors.ts';
import { NODE_AWAITED_MS } from '../platform/index.ts';
import type { NodeRecord } from '../platform/index.ts';
import { compareVersions, noteCountOf } from './change.ts';
import type { Contract, SchemaChange } from './change.ts';
import { endedBy } from './minimum-times.ts';
import type { SchemaBook } from './schema-book.ts';
import type { SchemaShard } from './schema-target.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Objection {
  readonly reason: 'before' | 'time' | 'rows' | 'programs' | 'unreachable';
  /** Old rows, old programs, shards that cannot be asked, or days to wait. */
  readonly count: number;
  /** For people, with the counts. */
  readonly message: string;
}

/** Of a NodeRegistry, as much as is needed. */
export interface Nodes {
  list(): Promise<readonly NodeRecord[]>;
}

export interface ContractParts {
  readonly changes: readonly SchemaChange[];
  readonly shards: readonly SchemaShard[];
  readonly book: SchemaBook;
  /** All programs at work; left out where there can be none beside this one. */
  readonly nodes?: Nodes;
  readonly clock: { now(): number };
  readonly policy: { readonly stepAfterMs: number; readonly contractAfterMs: number };
}

/** All reasons at once; empty when it may be done. */
export async function contractObjections(
  change: Contract, parts: ContractParts,
): Promise<Objection[]> {
  return [
    ...await timeObjections(change, parts), ...await programObjections(change, parts),
    ...await shardObjections(change, parts),
  ];
}

async function timeObjections(
  change: Contract, { changes, book, clock, policy }: ContractParts,
): Promise<Objection[]> {
  const notes = new Map((await book.listChanges()).map((note) => [note.changeId, note.doneAtMs]));
  return endedBy(change, changes).flatMap((before): Objection[] => {
    const doneAtMs = notes.get(before.id);
    if (doneAtMs === undefined) {
      return [{
        reason: 'before', count: 1,
        message: `${before.id} is not done everywhere: holdfast schema apply`,
      }];
    }
    const { stepAfterMs, contractAfterMs } = policy;
    const earliestMs = doneAtMs + (before.kind === 'expand' ? contractAfterMs : stepAfterMs);
    if (clock.now() >= earliestMs) return [];
    const days = Math.ceil((earliestMs - clock.now()) / DAY_MS);
    const date = new Date(earliestMs).toISOString();
    return [{
      reason: 'time', count: days,
      message: `${before.id} was done everywhere on ${new Date(doneAtMs).toISOString()}; `
        + `${change.id} may follow from ${date} on, in ${days} day${days === 1 ? '' : 's'}`,
    }];
  });
}

async function programObjections(
  { minCode }: Contract, { nodes }: ContractParts,
): Promise<Objection[]> {
  // One that fell silent without a farewell may go on where it was: it counts for a day.
  const old = (await nodes?.list() ?? []).filter(({ version, silentMs }) => (
    silentMs < NODE_AWAITED_MS && compareVersions(version, minCode) < 0));
  if (old.length === 0) return [];
  const shown = old.slice(0, 10).map(({ name, version }) => `${name} (${version})`).join(', ');
  return [{
    reason: 'programs', count: old.length,
    message: `${old.length} running program${old.length === 1 ? ' is' : 's are'} older than `
      + `${minCode}: ${shown}`,
  }];
}

async function shardObjections(change: Contract, parts: ContractParts): Promise<Objection[]> {
  const needed = endedBy(change, parts.changes);
  const old = new Map<string, number>();
  const away: string[] = [];
  const behind: string[] = [];
  for (const shard of parts.shards.filter(({ family }) => family === change.family)) {
    try {
      const { rowCount, isBehind } = await look(shard, change, needed);
      if (rowCount > 0) old.set(shard.name, rowCount);
      if (isBehind) behind.push(shard.name);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      away.push(shard.name);
    }
  }
  const rowCount = [...old.values()].reduce((sum, count) => sum + count, 0);
  return [
    ...(rowCount === 0 ? [] : [{
      reason: 'rows' as const, count: rowCount,
      message: `${rowCount} old row${rowCount === 1 ? '' : 's'} of ${change.rows?.table ?? ''} on `
        + `${old.size} shard${old.size === 1 ? '' : 's'}: `
        + namesOf([...old].map(([name, count]) => `${name} (${count})`)),
    }]),
    ...(behind.length === 0 ? [] : [{
      reason: 'before' as const, count: behind.length,
      message: `${behind.length} shards lack what comes before: ${namesOf(behind)}`,
    }]),
    ...(away.length === 0 ? [] : [{
      reason: 'unreachable' as const, count: away.length,
      message: `${away.length} shards cannot be asked: ${namesOf(away)}`,
    }]),
  ];
}

function namesOf(names: readonly string[]): string {
  const more = names.length - 10;
  return names.slice(0, 10).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

async function look(
  shard: SchemaShard, change: Contract, needed: readonly SchemaChange[],
): Promise<{ rowCount: number; isBehind: boolean }> {
  const target = await shard.open();
  try {
    const notes = await target.listNotes();
    const countOf = (id: string): number => (
      notes.filter(({ changeId }) => changeId === id).length);
    // What is taken away already cannot be counted, and need not be.
    if (countOf(change.id) >= noteCountOf(change)) return { rowCount: 0, isBehind: false };
    const isBehind = needed.some((before) => countOf(before.id) < noteCountOf(before));
    const canCount = change.rows !== undefined && !isBehind;
    return { isBehind, rowCount: canCount ? await target.countOld(change.rows) : 0 };
  } finally {
    await target.close();
  }
}
