/** A shard in memory: its catalogue is changed by what steps say they leave behind, and its rows
 *  are plain objects. For tests. */
import { HoldfastError } from '../../../base/errors.ts';
import { isDone, without } from '../../catalogue.ts';
import type { Catalogue, TableShape } from '../../catalogue.ts';
import { stepsOf } from '../../change.ts';
import type { Effect, SchemaChange } from '../../change.ts';
import { currentVersion, upgradeRow } from '../../row-upgrades.ts';
import type { Row, RowUpgrades, SqlValue } from '../../row-upgrades.ts';
import type { SchemaTarget, StepNote, StepOutcome, SweptRows } from '../../schema-target.ts';

/** What stays when a target is closed. */
export interface MemoryShard {
  catalogue: Catalogue;
  readonly rows: Map<string, Row[]>;
  readonly notes: StepNote[];
  /** How often a statement was run, for tests. */
  statementCount: number;
}

export function memoryShard(catalogue: Catalogue, rows: Readonly<Record<string, Row[]>> = {}) {
  const shard: MemoryShard = {
    catalogue, rows: new Map(Object.entries(rows)), notes: [], statementCount: 0,
  };
  return shard;
}

export class MemorySchemaTarget implements SchemaTarget {
  readonly #shard: MemoryShard;
  /** What `findLoad` answers, for tests. */
  load: string | undefined;

  constructor(shard: MemoryShard) {
    this.#shard = shard;
  }

  async runStep(change: SchemaChange, step: number, nowMs: number): Promise<StepOutcome> {
    const shard = this.#shard;
    const effect = stepsOf(change)[step]?.effect;
    if (effect === undefined) {
      throw new HoldfastError('internal', 'schema/MemorySchemaTarget', 'There is no such step.');
    }
    const isNoted = shard.notes.some((note) => note.changeId === change.id && note.step === step);
    if (isNoted) return 'known';
    const isThere = isDone(effect, { catalogue: shard.catalogue, engine: 'sqlite' });
    if (!isThere) {
      shard.catalogue = made(shard.catalogue, effect);
      shard.statementCount += 1;
    }
    return this.#note(change, { step, how: isThere ? 'found' : 'made', atMs: nowMs });
  }

  #note<H extends 'made' | 'found'>(
    change: SchemaChange, note: { step: number; how: H; atMs: number },
  ): H {
    const minCode = change.kind === 'contract' ? change.minCode : '';
    this.#shard.notes.push({ changeId: change.id, minCode, ...note });
    return note.how;
  }

  async noteSwept(change: SchemaChange, nowMs: number): Promise<void> {
    if (this.#shard.notes.some((note) => note.changeId === change.id)) return;
    this.#note(change, { step: 0, how: 'made', atMs: nowMs });
  }

  async listNotes(): Promise<StepNote[]> {
    return this.#shard.notes.toSorted((a, b) => (
      a.changeId === b.changeId ? a.step - b.step : a.changeId < b.changeId ? -1 : 1));
  }

  async readCatalogue(): Promise<Catalogue> {
    return this.#shard.catalogue;
  }

  #old({ table, versionColumn, ...rows }: RowUpgrades): Row[] {
    const current = currentVersion({ table, versionColumn, ...rows });
    return (this.#shard.rows.get(table) ?? []).filter((row) => (
      Number(row[versionColumn] ?? 0) < current));
  }

  async countOld(rows: RowUpgrades): Promise<number> {
    return this.#old(rows).length;
  }

  async sweep(
    rows: RowUpgrades, { limit, after }: { limit: number; after: readonly SqlValue[] | undefined },
  ): Promise<SweptRows> {
    const keyOf = (row: Row): SqlValue[] => rows.key.map((column) => row[column] ?? null);
    const found = this.#old(rows).sort((a, b) => compareKeys(keyOf(a), keyOf(b)))
      .filter((row) => after === undefined || compareKeys(keyOf(row), after) > 0).slice(0, limit);
    const all = this.#shard.rows.get(rows.table) ?? [];
    this.#shard.rows.set(rows.table, all.map((row) => (
      found.includes(row) ? upgradeRow(rows, row) : row)));
    const last = found.at(-1);
    const isLast = found.length < limit || last === undefined;
    return { upgradedCount: found.length, next: isLast ? undefined : keyOf(last),
      waitedMs: 0, heldMs: 0 };
  }

  async findLoad(): Promise<string | undefined> {
    return this.load;
  }

  async close(): Promise<void> {
    this.load = undefined;
  }
}

function compareKeys(a: readonly SqlValue[], b: readonly SqlValue[]): number {
  const at = a.findIndex((value, place) => value !== b[place]);
  const [ours, theirs] = [a[at] ?? 0, b[at] ?? 0];
  return at < 0 ? 0 : ours < theirs ? -1 : 1;
}

function made(catalogue: Catalogue, effect: Effect): Catalogue {
  const { table, column, index, type, isGone } = effect;
  if (isGone === true) return without(catalogue, [effect]);
  if (column === undefined && index === undefined) {
    return [...catalogue, { name: table, traits: 'with rowid', columns: [], indexes: [] }];
  }
  return catalogue.map((shape): TableShape => {
    if (shape.name !== table) return shape;
    const indexes = index === undefined ? shape.indexes
      : [...shape.indexes, { name: index, columns: [], isUnique: false }];
    if (column === undefined) return { ...shape, indexes };
    const given = {
      name: column, type: type?.sqlite ?? 'integer', isNullable: true, default: null, collation: '',
    };
    const others = shape.columns.filter(({ name }) => name !== column);
    return { ...shape, indexes, columns: [...others, given] };
  });
}
