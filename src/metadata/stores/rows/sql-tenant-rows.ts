import type { SpaceId, TenantId, UserId } from '../../../base/ids.ts';
import type { Witness } from '../../../base/witness.ts';
import { systemRandom } from '../../../platform/index.ts';
import { rowTable } from '../../move/row-tables.ts';
import type {
  LogEntry, Part, Placement, Row, RowKey, RowRange, RowValue, TableChanges, TenantRows,
} from '../../move/tenant-rows.ts';
import { Capture } from './capture.ts';
import type { RowDatabase } from './row-database.ts';
import {
  LOG_ROWS_MAX, NAMED_ROWS_MAX, deleteStep, groupsStep, putStep, rangeStep, rowsStep,
} from './row-sql.ts';
import type { SqlStep } from './row-sql.ts';

/** Statements take so many rows, and so many bytes of values. */
const ROWS_OF_STATEMENT = 50;
const BYTES_OF_STATEMENT = 1024 * 1024;

const TOKEN_BYTES = 12;

/** Who moves a tenant stands in `move_log`, under a name that no tenant has. */
function holdOf(tenant: TenantId): string {
  return `mover:${tenant}`;
}

export class SqlTenantRows implements TenantRows {
  readonly #database: RowDatabase;
  readonly #capture: Capture;
  /** Begins each transaction; none when the rows are nobody's. */
  readonly #guards: readonly SqlStep[];

  constructor(
    database: RowDatabase, capture = new Capture(database), guards: readonly SqlStep[] = [],
  ) {
    this.#database = database;
    this.#capture = capture;
    this.#guards = guards;
  }

  async hold(tenant: TenantId): Promise<TenantRows> {
    const held = [holdOf(tenant), systemRandom.token(TOKEN_BYTES)];
    await this.#database.write([
      {
        text: "DELETE FROM move_log WHERE tenant = ? AND name = 'mover'",
        values: held.slice(0, 1),
        rowsMax: NAMED_ROWS_MAX,
      },
      { text: "INSERT INTO move_log (tenant, name, row_key) VALUES (?, 'mover', ?)", values: held },
    ], true);
    return new SqlTenantRows(this.#database, this.#capture, [{
      text: 'UPDATE move_log SET row_key = row_key WHERE tenant = ? AND row_key = ?', values: held,
      guards: 'mover',
    }]);
  }

  async endHold(tenant: TenantId): Promise<void> {
    const [held] = this.#guards;
    if (held?.values[0] !== holdOf(tenant)) return;
    const text = 'DELETE FROM move_log WHERE tenant = ? AND row_key = ?';
    await this.#database.write([{ text, values: held.values }], true);
  }

  beginCapture(tenant: TenantId): Promise<void> {
    return this.#capture.begin(tenant, (steps) => this.#writeAll(steps, true));
  }

  isCaptured(tenant: TenantId): Promise<boolean> {
    return this.#capture.has(tenant);
  }

  endCapture(tenant: TenantId): Promise<void> {
    return this.#capture.end(tenant, (steps) => this.#writeAll(steps, true));
  }

  async readLog(tenant: TenantId, limit: number): Promise<LogEntry[]> {
    const rows = await this.#read(`SELECT seq, name, row_key FROM move_log WHERE tenant = ?
      ORDER BY seq LIMIT ?`, [tenant, limit]);
    return rows.map(([seq, name, key]) => ({
      seq: Number(seq), name: String(name), key: JSON.parse(String(key)) as RowKey,
    }));
  }

  async lastOfLog(tenant: TenantId): Promise<number> {
    const [row] = await this.#read('SELECT MAX(seq) FROM move_log WHERE tenant = ?', [tenant]);
    return Number(row?.[0] ?? 0);
  }

  async trimLog(tenant: TenantId, seq: number): Promise<void> {
    await this.#writeAll([{
      text: 'DELETE FROM move_log WHERE tenant = ? AND seq <= ?', values: [tenant, seq],
      rowsMax: LOG_ROWS_MAX,
    }], true);
  }

  async listParts(tenant: TenantId, limit: number, after = 0 as SpaceId): Promise<Part[]> {
    const rows = await this.#read(`SELECT id, owner FROM space WHERE tenant = ? AND id > ?
      ORDER BY id LIMIT ?`, [tenant, after, limit]);
    return rows.map(([id, owner]) =>
      ({ kind: 'space', id: id as SpaceId, owner: owner as UserId | null }));
  }

  async readRange(name: string, part: Part, range: RowRange): Promise<Row[]> {
    const { dialect } = this.#database;
    const table = rowTable(name);
    if (table.of === 'quarantine' && !await this.#mayHold(part)) return [];
    if (table.groupedBy === undefined) {
      const step = rangeStep(dialect, table, part, range);
      return step === undefined ? [] : this.#database.read(step);
    }
    const groups = groupsStep(dialect, table, part, range);
    if (groups === undefined) return [];
    const [row] = await this.#database.read(groups);
    const last = row?.[0];
    if (typeof last !== 'number') return [];
    const upTo = table.key.map((column) => (column === table.groupedBy ? last : 0));
    const step = rangeStep(dialect, table, part, { ...range, upTo });
    return step === undefined ? [] : sorted(await this.#database.read(step), table.key.length);
  }

  /** SQLite passes over all that was ever held back, in its order, looking whose each is. For most
   *  spaces nothing was. */
  async #mayHold(part: Part): Promise<boolean> {
    if (this.#database.dialect !== 'sqlite' || part.kind !== 'space') return true;
    const rows = await this.#read('SELECT 1 FROM quarantine WHERE space_id = ? LIMIT 1', [part.id]);
    return rows.length > 0;
  }

  async readRows(name: string, keys: readonly RowKey[]): Promise<Row[]> {
    const table = rowTable(name);
    const found: Row[] = [];
    for (const some of powers(keys)) {
      found.push(...await this.#database.read(rowsStep(this.#database.dialect, table, some)));
    }
    return found;
  }

  async apply(
    tenant: TenantId, epoch: number, changes: readonly TableChanges[],
  ): Promise<void> {
    const { dialect } = this.#database;
    const steps: SqlStep[] = [{
      text: `UPDATE placement SET epoch = epoch
        WHERE tenant = ? AND epoch = ? AND state = 'moved'`,
      values: [tenant, epoch], guards: 'place',
    }];
    for (const { name, deletes } of changes) {
      for (const some of powers(deletes)) {
        steps.push(deleteStep(dialect, rowTable(name), some));
      }
    }
    for (const { name, puts } of changes) {
      for (const some of chunks(puts)) {
        for (const part of powers(some)) steps.push(putStep(dialect, rowTable(name), part));
      }
    }
    if (steps.length > 1) await this.#writeAll(steps, true);
  }

  async findPlacement(tenant: TenantId): Promise<Placement> {
    const [row] = await this.#read('SELECT epoch, state FROM placement WHERE tenant = ?', [tenant]);
    const [epoch = 0, state = 'home'] = row ?? [];
    return { epoch: Number(epoch), state: state as Placement['state'] };
  }

  async setPlacement(tenant: TenantId, from: Placement, to: Placement): Promise<boolean> {
    const steps: SqlStep[] = [];
    if (from.epoch === 0 && from.state === 'home') {
      steps.push({ text: `${this.#orIgnore} INTO placement (tenant, epoch, state)
        VALUES (?, 0, 'home')`, values: [tenant] });
    }
    steps.push({
      text: `UPDATE placement SET epoch = ?, state = ?
        WHERE tenant = ? AND epoch = ? AND state = ?`,
      values: [to.epoch, to.state, tenant, from.epoch, from.state],
    });
    return await this.#writeAll(steps, false) === 1;
  }

  async readWitness(): Promise<Witness> {
    const rows = await this.#read('SELECT volume_id, durable_bytes FROM witness', []);
    return rows as [number, number][];
  }

  async raiseWitness(witness: Witness): Promise<void> {
    const steps = witness.flatMap(([volumeId, durableBytes]): SqlStep[] => [
      { text: `${this.#orIgnore} INTO witness (volume_id, durable_bytes) VALUES (?, ?)`,
        values: [volumeId, durableBytes] },
      { text: `UPDATE witness SET durable_bytes = ?
        WHERE volume_id = ? AND durable_bytes < ?`,
      values: [durableBytes, volumeId, durableBytes] },
    ]);
    if (steps.length > 0) await this.#writeAll(steps, false);
  }

  get #orIgnore(): string {
    return this.#database.dialect === 'sqlite' ? 'INSERT OR IGNORE' : 'INSERT IGNORE';
  }

  #read(text: string, values: RowValue[]): Promise<RowValue[][]> {
    return this.#database.read({ text, values });
  }

  #writeAll(steps: readonly SqlStep[], isAside: boolean): Promise<number> {
    return this.#database.write([...this.#guards, ...steps], isAside);
  }
}

/** By the columns of the key, which come first. */
function sorted(rows: Row[], keyLength: number): Row[] {
  return rows.toSorted((a, b) => {
    for (let at = 0; at < keyLength; at += 1) {
      const [x, y] = [a[at] ?? 0, b[at] ?? 0];
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  });
}

function sizeOf(row: Row): number {
  let size = 0;
  for (const value of row) {
    size += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
  }
  return size;
}

/** In parts of so many that there are few different statements: each is prepared and judged once.
 */
function* powers<T>(all: readonly T[]): Iterable<T[]> {
  for (let at = 0; at < all.length;) {
    const fitting = Math.min(all.length - at, ROWS_OF_STATEMENT);
    const count = 2 ** Math.floor(Math.log2(fitting));
    yield all.slice(at, at + count);
    at += count;
  }
}

function* chunks(rows: readonly Row[]): Iterable<Row[]> {
  let chunk: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = sizeOf(row);
    if (chunk.length >= ROWS_OF_STATEMENT || (chunk.length > 0
      && bytes + size > BYTES_OF_STATEMENT)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(row);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
