/**
 * What those who are served notice of a sweep over old rows and of a table that is altered, on
 * MariaDB: p50 and p99 of PUT 1 KiB and GET, phases in turn, so that a machine that is busy with
 * other work is so in all of them. It prints and judges nothing.
 *
 *     npm run bench:schema -- [seconds of each phase] [rows]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/platform/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { SchemaRunner } from '../../src/schema/index.ts';
import type { Backfill, Expand, SchemaChange } from '../../src/schema/index.ts';
import {
  MariadbSchemaTarget,
} from '../../src/schema/stores/mariadb/mariadb-schema-target.ts';
import { MemorySchemaBook } from '../../src/schema/stores/memory/memory-schema-book.ts';
import { REPOSITORY, startHoldfast } from './servers/holdfast.ts';
import type { BenchServer } from './servers/bench-server.ts';

const CALLERS = 4;
const [seconds = 5, rowCount = 50_000] = process.argv.slice(2).map(Number);
/** Of a space that nobody has. */
const STRANGE_SPACE = 900_000_000;

const step = (column: string, text: string) => ({
  effect: { table: 'node', column }, sqlite: text, mariadb: text,
});
const FORM: Expand = {
  id: 'cost-form', kind: 'expand', family: 'metadata', minCode: '0.1.0', algorithm: 'instant',
  title: 'What is swept', isNeeded: false, steps: [
    step('form', 'ALTER TABLE node ADD COLUMN form SMALLINT NOT NULL DEFAULT 0'),
    step('size_kib', 'ALTER TABLE node ADD COLUMN size_kib BIGINT NULL'),
  ],
};
const ROWS: Backfill = {
  id: 'cost-rows', kind: 'backfill', family: 'metadata', minCode: '0.1.0', title: 'The sweep',
  rows: {
    table: 'node', key: ['space_id', 'parent_id', 'canon'], versionColumn: 'form',
    columns: ['size_bytes', 'size_kib'],
    upgrades: [(row) => ({ ...row, size_kib: Math.ceil(Number(row['size_bytes']) / 1024) })],
  },
};
const index = (number: number): Expand => {
  const text = `CREATE INDEX cost_${number} ON node (modified_at)`;
  return {
    id: `cost-index-${number}`, kind: 'expand', family: 'metadata', minCode: '0.1.0',
    title: 'An index', algorithm: 'inplace', isNeeded: false,
    steps: [{ effect: { table: 'node', index: `cost_${number}` }, sqlite: text, mariadb: text }],
  };
};

class Requests {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #body = 'x'.repeat(1024);
  #count = 0;

  constructor({ target: { port, root, headers } }: BenchServer) {
    this.#base = `http://127.0.0.1:${port}${root}`;
    this.#headers = { authorization: headers.replace(/^Authorization: /, '').trim() };
  }

  async one(method: 'PUT' | 'GET', name: string): Promise<number> {
    const begun = performance.now();
    const answer = await fetch(this.#base + name, {
      method, headers: this.#headers, ...(method === 'PUT' && { body: this.#body }),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${method}: ${answer.status}`);
    return performance.now() - begun;
  }

  /** Until `isOver`, half of the callers write and half read. */
  async measure(isOver: () => boolean): Promise<string> {
    const times: Record<'PUT' | 'GET', number[]> = { PUT: [], GET: [] };
    await Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
      const method = caller % 2 === 0 ? 'PUT' : 'GET';
      while (!isOver()) {
        this.#count += 1;
        const name = method === 'PUT' ? `f${this.#count % 500}.txt` : 'f0.txt';
        times[method].push(await this.one(method, name));
      }
    }));
    return Object.entries(times).map(([method, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
      return `${method} ${all.length}: p50 ${at(0.5)}, p99 ${at(0.99)} ms`;
    }).join('; ');
  }
}

async function phases(address: ServerAddress, requests: Requests): Promise<void> {
  const book = new MemorySchemaBook();
  const shards = [{ name: 'main', family: 'metadata' as const, engine: 'mariadb' as const,
    open: () => MariadbSchemaTarget.open(address) }];
  const runner = (changes: readonly SchemaChange[], rowsPerSecond = 200) => new SchemaRunner({
    changes, shards, book, clock: systemClock,
    policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond },
  });
  const timed = (work?: () => Promise<unknown>) => async (): Promise<string> => {
    const endsAt = performance.now() + seconds * 1000;
    let isWorking = work !== undefined;
    const working = work?.().finally(() => {
      isWorking = false;
    });
    const found = await requests.measure(() => performance.now() > endsAt && !isWorking);
    await working;
    return found;
  };
  const sweep = (rowsPerSecond: number) => timed(async () => {
    const stop = new AbortController();
    systemClock.after(seconds * 1000, () => stop.abort());
    await runner([ROWS], rowsPerSecond).apply({ signal: stop.signal });
  });
  const round = async (number: number): Promise<void> => {
    for (const [name, run] of [
      ['alone', timed()], ['sweep, 200 rows/s', sweep(200)], ['alone', timed()],
      ['sweep, no budget', sweep(1_000_000)], ['alone', timed()],
      [`CREATE INDEX, ${rowCount} rows`, timed(() => runner([index(number)]).apply())],
    ] as const) console.log(`${name.padEnd(28)} ${await run()}`);
  };
  await runner([FORM]).apply();
  console.log(`load ${loadavg()[0]?.toFixed(1)}, ${seconds} s each, ${CALLERS} callers`);
  for (const number of [1, 2]) await round(number);
  const target = await MariadbSchemaTarget.open(address);
  console.log(`${await target.countOld(ROWS.rows)} old rows are left`);
  await target.close();
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-schema-cost-'));
const database = await ScratchServer.startIn(folder);
try {
  const address = await database.makeDatabase();
  const server = await startHoldfast({
    folder, repository: REPOSITORY,
    env: { HOLDFAST_DATABASE_URL: `mariadb://root@127.0.0.1:${database.port}/${address.database}` },
  });
  try {
    await database.query(`INSERT INTO node (space_id, parent_id, canon, id, name, kind, size_bytes,
      modified_at, created_at, mark, content_rev, checksums, rev_from) SELECT ${STRANGE_SPACE}, 1,
      CONCAT('n', seq), seq, CONCAT('n', seq), 1, seq, seq, 0, 1, 1, '', 1
      FROM seq_1_to_${rowCount}`, address.database);
    const requests = new Requests(server);
    for (let n = 0; n < 20; n += 1) await requests.one('PUT', `f${n}.txt`);
    await phases(address, requests);
  } finally {
    await server.stop();
  }
} finally {
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
