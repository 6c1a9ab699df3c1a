/**
 * Carries the rows of a tenant from one database to another, and compares both.
 *
 * First ranges of every table, then whatever changed since the capture began: the log has keys, the
 * rows are read as they are now. A row that was read too early is in the log by then, so in the end
 * both sides agree. Memory holds one page of rows, whatever the size of the tenant.
 */
import { createHash } from 'node:crypto';
import type { HoldfastError } from '../../base/errors.ts';
import type { SpaceId, TenantId } from '../../base/ids.ts';
import type { CopyCursor } from './move-record.ts';
import { COPY_START } from './move-record.ts';
import { copyDiffers } from './move-refusals.ts';
import { ROW_TABLES, rowTable } from './row-tables.ts';
import type { Part, Row, RowKey, RowRange, TableChanges, TenantRows } from './tenant-rows.ts';
import { TouchedRows } from './touched-rows.ts';

/** Rows of one read and one transaction. */
export const PAGE_ROWS = 500;
const PARTS_PAGE = 200;
/** Ranges that are compared between two looks at the log. */
const RANGES_PER_LOOK = 20;
/** Keys that are remembered for another look. */
const TOUCHED_MAX = 50_000;

export interface CarrierParts {
  readonly tenant: TenantId;
  readonly from: TenantRows;
  readonly to: TenantRows;
  /** With which the tenant is `moved` where it is carried to: else nothing is written there. */
  readonly epoch: number;
  /** Called behind every page: waits where the pace is to be held, and throws to stop. */
  readonly onRows: (count: number) => Promise<void>;
}

export function keyOf(name: string, row: Row): RowKey {
  return row.slice(0, rowTable(name).key.length) as RowKey;
}

/** Rows on their way: many small tables and spaces go in one transaction. */
class Page {
  readonly #parts: CarrierParts;
  readonly #onPage: (cursor: CopyCursor, rows: number) => Promise<void>;
  #changes: TableChanges[] = [];
  #rows = 0;
  #reached: CopyCursor | undefined;

  constructor(
    parts: CarrierParts,
    onPage: (cursor: CopyCursor, rows: number) => Promise<void> = async () => undefined,
  ) {
    this.#parts = parts;
    this.#onPage = onPage;
  }

  async add(name: string, puts: readonly Row[], reached: CopyCursor): Promise<void> {
    this.#changes.push({ name, puts, deletes: [] });
    this.#rows += puts.length;
    this.#reached = reached;
    if (this.#rows >= PAGE_ROWS) await this.flush();
  }

  reach(cursor: CopyCursor): void {
    this.#reached = cursor;
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    const { to, tenant, epoch } = this.#parts;
    await to.apply(tenant, epoch, this.#changes);
    this.#changes = [];
    this.#rows = 0;
    if (this.#reached !== undefined) await this.#onPage(this.#reached, rows);
    await this.#parts.onRows(rows);
  }
}

export class RowCarrier {
  readonly #parts: CarrierParts;

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  /** All rows from `cursor` on. Tells after each page how far it has come. */
  async copy(
    cursor: CopyCursor, onPage: (cursor: CopyCursor, rows: number) => Promise<void>,
  ): Promise<void> {
    const { tenant, from } = this.#parts;
    const page = new Page(this.#parts, onPage);
    // The tenant's own rows are few: they are copied again rather than remembered.
    await this.#copyPart({ kind: 'tenant', tenant }, COPY_START, new Page(this.#parts));
    let at = cursor;
    for (;;) {
      const parts = await from.listParts(tenant, PARTS_PAGE, at.space);
      if (parts.length === 0) break;
      for (const part of parts) {
        if (part.kind !== 'space') continue;
        await this.#readPart(part, at, page);
        at = { ...COPY_START, space: part.id };
        page.reach(at);
      }
    }
    await page.flush();
  }

  async #copyPart(part: Part, start: CopyCursor, page: Page): Promise<void> {
    await this.#readPart(part, start, page);
    await page.flush();
  }

  async #readPart(part: Part, start: CopyCursor, page: Page): Promise<void> {
    for (let table = start.table; table < ROW_TABLES.length; table += 1) {
      const { name } = ROW_TABLES[table] ?? rowTable('');
      let after = table === start.table ? start.key : undefined;
      for (;;) {
        const range: RowRange = { ...(after && { after }), limit: PAGE_ROWS };
        const puts = await this.#parts.from.readRange(name, part, range);
        const last = puts.at(-1);
        if (last === undefined) break;
        after = keyOf(name, last);
        await page.add(name, puts, { space: start.space, table, key: after });
      }
    }
  }

  /** Carries one page of the log over; answers how many entries it had, and the last one. */
  async followPage(touched: TouchedRows): Promise<{ count: number; seq: number }> {
    const { tenant, from, to, epoch, onRows } = this.#parts;
    const log = await from.readLog(tenant, PAGE_ROWS);
    const last = log.at(-1);
    if (last === undefined) return { count: 0, seq: 0 };
    const page = new TouchedRows();
    for (const { name, key } of log) page.add(name, key);
    for (const id of page.spaces()) await this.#copySpace(id as SpaceId);
    const changes = [];
    for (const [name, keys] of page.tables()) {
      const puts = await from.readRows(name, keys);
      const there = new Set(puts.map((row) => JSON.stringify(keyOf(name, row))));
      const deletes = keys.filter((key) => !there.has(JSON.stringify(key)));
      changes.push({ name, puts, deletes });
    }
    await to.apply(tenant, epoch, changes);
    touched.addAll(page);
    await from.trimLog(tenant, last.seq);
    await onRows(page.count);
    return { count: log.length, seq: last.seq };
  }

  /** Carries over whatever the log has now. More may have come by the time it is done, unless
   *  writers are stopped. */
  async follow(touched: TouchedRows): Promise<number> {
    const { tenant, from } = this.#parts;
    const newest = await from.lastOfLog(tenant);
    for (let sum = 0; ;) {
      const { count, seq } = await this.followPage(touched);
      sum += count;
      if (count === 0 || seq >= newest) return sum;
    }
  }

  async #copySpace(id: SpaceId): Promise<void> {
    const part = await this.#findSpace(id);
    if (part === undefined) return;
    await this.#copyPart(part, COPY_START, new Page(this.#parts));
  }

  async #findSpace(id: SpaceId): Promise<Part | undefined> {
    const { tenant, from } = this.#parts;
    const [part] = await from.listParts(tenant, 1, (id - 1) as SpaceId);
    return part?.kind === 'space' && part.id === id ? part : undefined;
  }

  /** Compares everything, while changes go on. Answers the keys of rows that differed when they
   *  were read: those that changed just then, and those that are wrong. What changes meanwhile is
   *  carried over, and added to `touched`. */
  async compareAll(
    touched: TouchedRows, onRange: (rows: number) => Promise<void>,
  ): Promise<TouchedRows> {
    const { tenant, from, to } = this.#parts;
    const suspects = new TouchedRows();
    let ranges = 0;
    const compare = async (part: Part): Promise<void> => {
      for (const { name } of ROW_TABLES) {
        await this.#compareTable(name, part, suspects, async (rows) => {
          ranges += 1;
          if (ranges % RANGES_PER_LOOK === 0) await this.followPage(touched);
          if (touched.count > TOUCHED_MAX) {
            suspects.addAll(await this.compareRows(touched));
            touched.clear();
          }
          if (suspects.count > TOUCHED_MAX) throw differs(suspects);
          await onRange(rows);
        });
      }
    };
    await compare({ kind: 'tenant', tenant });
    // Spaces that only the copy has count too.
    for (const side of [from, to]) {
      let after: SpaceId | undefined;
      for (;;) {
        const parts = await side.listParts(tenant, PARTS_PAGE, after);
        if (parts.length === 0) break;
        for (const part of parts) {
          if (part.kind !== 'space') continue;
          after = part.id;
          const isDone = side === to && await this.#findSpace(part.id) !== undefined;
          if (!isDone) await compare(part);
        }
      }
    }
    return suspects;
  }

  async #compareTable(
    name: string, part: Part, suspects: TouchedRows, onRange: (rows: number) => Promise<void>,
  ): Promise<void> {
    const { from, to, onRows } = this.#parts;
    let after: RowKey | undefined;
    for (;;) {
      const range: RowRange = { ...(after && { after }), limit: PAGE_ROWS };
      const ours = await from.readRange(name, part, range);
      const last = ours.at(-1);
      const upTo = last && keyOf(name, last);
      const theirs = await to.readRange(name, part,
        { ...range, ...(upTo ? { upTo, limit: 2 * PAGE_ROWS } : {}) });
      if (digestOf(ours) !== digestOf(theirs)) noteDifferences(name, [ours, theirs], suspects);
      const end = upTo ?? (theirs.length > 0 ? keyOf(name, theirs.at(-1) ?? []) : undefined);
      if (end === undefined) return;
      after = end;
      await onRange(ours.length);
      await onRows(ours.length);
    }
  }

  /** Compares rows by their keys, and whole spaces; answers those that differ. */
  async compareRows(rows: TouchedRows): Promise<TouchedRows> {
    const { from, to } = this.#parts;
    const suspects = new TouchedRows();
    for (const id of rows.spaces()) {
      const part = await this.#findSpace(id as SpaceId);
      if (part === undefined) continue;
      for (const { name } of ROW_TABLES) {
        await this.#compareTable(name, part, suspects, async () => undefined);
      }
    }
    for (const [name, keys] of rows.tables()) {
      for (let at = 0; at < keys.length; at += PAGE_ROWS) {
        const some = keys.slice(at, at + PAGE_ROWS);
        const [ours, theirs] = await Promise.all([
          from.readRows(name, some), to.readRows(name, some),
        ]);
        noteDifferences(name, [ours, theirs], suspects);
      }
    }
    return suspects;
  }
}

/** One text for a row, whatever database it came from. */
function textOf(row: Row): string {
  return JSON.stringify(row.map((value) => (value instanceof Uint8Array
    ? { bytes: Buffer.from(value).toString('base64') } : value)));
}

export function digestOf(rows: readonly Row[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(textOf(row)).update('\n');
  return hash.digest('hex');
}

function noteDifferences(
  name: string, sides: readonly [readonly Row[], readonly Row[]], suspects: TouchedRows,
): void {
  const [ours, theirs] = sides.map((rows) =>
    new Map(rows.map((row) => [JSON.stringify(keyOf(name, row)), textOf(row)])));
  for (const row of sides.flat()) {
    const key = keyOf(name, row);
    const text = JSON.stringify(key);
    if (ours?.get(text) !== theirs?.get(text)) suspects.add(name, key);
  }
}

export function differs(suspects: TouchedRows): HoldfastError {
  const [[name, [key = []]] = ['', []]] = suspects.tables();
  return copyDiffers(name, JSON.stringify(key.slice(0, 2)), suspects.count);
}

/** Removes all rows of a tenant, in slices, as long as it is `moved` there with this epoch. Those
 *  that others belong by go last. */
export async function dropTenant(
  rows: TenantRows, { tenant, epoch }: { tenant: TenantId; epoch: number },
  onRows: (count: number) => Promise<void>,
): Promise<void> {
  let changes: TableChanges[] = [];
  let count = 0;
  const flush = async (): Promise<void> => {
    await rows.apply(tenant, epoch, changes);
    await onRows(count);
    [changes, count] = [[], 0];
  };
  const drop = async (part: Part): Promise<void> => {
    for (const { name } of ROW_TABLES.toReversed()) {
      let after: RowKey | undefined;
      for (;;) {
        const range: RowRange = { ...(after && { after }), limit: PAGE_ROWS };
        const page = await rows.readRange(name, part, range);
        const deletes = page.map((row) => keyOf(name, row));
        after = deletes.at(-1);
        if (after === undefined) break;
        changes.push({ name, puts: [], deletes });
        count += deletes.length;
        if (count >= PAGE_ROWS) await flush();
      }
    }
  };
  await drop({ kind: 'tenant', tenant });
  for (;;) {
    const parts = await rows.listParts(tenant, PARTS_PAGE);
    for (const part of parts) await drop(part);
    await flush();
    if (parts.length === 0) return;
  }
}
