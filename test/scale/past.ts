/**
 * How long the first look at the past takes in a large space, and a full trash.
 *
 *   node test/scale/past.ts FOLDER [NODES]
 *
 * Builds a space of 1,000,000 nodes and 5,000,000 events by the writer's own statements (NODES for
 * fewer), without the bytes and without a flush per change, closes it, and looks at it through a
 * store that is opened anew. Prints one line per figure. What FOLDER holds already is used again.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import type { NodeId, SpaceId } from '../../src/base/ids.ts';
import type { PastSpace, SpaceRecord } from '../../src/metadata/index.ts';
import { openConnection } from '../../src/metadata/stores/sqlite/connection.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { prepareStatements } from '../../src/metadata/stores/sqlite/statements.ts';
import type { Statements } from '../../src/metadata/stores/sqlite/statements.ts';

const START_AT = Date.UTC(2026, 0, 1);
const ROUNDS = 4;
const FILES_PER_FOLDER = 1_000;
const LARGE_FOLDER = 100_000;
const PER_TRANSACTION = 20_000;
const OWNER = parseUserId('anna');

/** What a first look at the past may take at most. */
export const FIRST_LISTING_MS_MAX = 100;

const [, program, folder = '', wanted = '1000000'] = process.argv;
const NODES = Number(wanted);

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(58)} ${figure}\n`);
}

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const answer = await act();
  say(what, `${(performance.now() - from).toFixed(2)} ms`);
  return answer;
}

/** Runs many small writes as few transactions. */
class Bulk {
  readonly sql: Statements;
  #open = 0;

  constructor(sql: Statements) {
    this.sql = sql;
  }

  step(): void {
    if (this.#open === 0) this.sql.begin.run();
    this.#open += 1;
    if (this.#open >= PER_TRANSACTION) this.end();
  }

  end(): void {
    if (this.#open > 0) this.sql.commit.run();
    this.#open = 0;
  }
}

interface Place {
  parentId: number;
  name: string;
}

class Builder {
  readonly #bulk: Bulk;
  readonly #spaceId: SpaceId;
  readonly #files: (Place & { id: number })[] = [];
  #rev = 0;
  #nextId: number;

  constructor(bulk: Bulk, spaceId: SpaceId, nextId: number) {
    this.#bulk = bulk;
    this.#spaceId = spaceId;
    this.#nextId = nextId;
  }

  get rev(): number {
    return this.#rev;
  }

  #event(kind: number, id: number, nodeKind: number, { parentId, name }: Place): number {
    this.#rev += 1;
    const before = kind === 0 ? null : parentId;
    this.#bulk.sql.insertEvent.run(this.#spaceId, this.#rev, kind, id, nodeKind, before, parentId,
      kind === 0 ? null : name, name, nodeKind === 1 ? 0 : this.#rev, OWNER, 'desk',
      START_AT + this.#rev, null, null, null, null, 0, null);
    return this.#rev;
  }

  folder(place: Place): number {
    this.#bulk.step();
    this.#nextId += 1;
    const id = this.#nextId;
    const rev = this.#event(0, id, 1, place);
    this.#bulk.sql.insertNode.run(this.#spaceId, place.parentId, place.name, id, null, 1, 0, 0,
      START_AT, 0, 0, '', rev);
    this.#bulk.sql.insertFolder.run(this.#spaceId, id, rev, 0, START_AT);
    return id;
  }

  file(place: Place): void {
    this.#bulk.step();
    this.#nextId += 1;
    const id = this.#nextId;
    const rev = this.#event(0, id, 0, place);
    this.#bulk.sql.insertNode.run(this.#spaceId, place.parentId, place.name, id, null, 0, 10,
      START_AT, START_AT, rev, rev, '', rev);
    this.#files.push({ ...place, id });
  }

  overwriteAll(): void {
    const { sql } = this.#bulk;
    for (const { id, parentId, name } of this.#files) {
      this.#bulk.step();
      const rev = this.#event(1, id, 0, { parentId, name });
      sql.closeNode.run(rev, this.#spaceId, parentId, name);
      sql.updateContent.run(11, START_AT, START_AT, rev, rev, '', rev, this.#spaceId, parentId,
        name);
    }
  }

  /** Files that were made and deleted. */
  trash(count: number, rootId: number): void {
    const { sql } = this.#bulk;
    for (let n = 0; n < count; n += 1) {
      const place = { parentId: rootId, name: `gone ${n}` };
      this.file(place);
      const rev = this.#event(3, this.#nextId, 0, place);
      sql.closeNode.run(rev, this.#spaceId, rootId, place.name);
      sql.deleteNode.run(this.#spaceId, rootId, place.name);
      sql.insertTrash.run(this.#spaceId, rev, this.#nextId, rootId, place.name, 0, 10, rev - 1,
        START_AT, OWNER);
    }
  }

  finish(): void {
    this.#bulk.end();
    this.#bulk.sql.updateSpaceRev.run(this.#rev, this.#rev, this.#spaceId);
    this.#bulk.sql.setMeta.run(this.#nextId + 1, 'next_node_id');
  }
}

async function makeSpaces(file: string): Promise<[SpaceRecord, SpaceRecord]> {
  const store = await SqliteMetadataStore.open({ file, create: true });
  const spec = {
    tenant: DEFAULT_TENANT, casePolicy: 'sensitive', quotaBytes: undefined, at: START_AT,
  } as const;
  const large = await store.ensureSpace({ owner: OWNER, ...spec });
  const trash = await store.ensureSpace({ owner: parseUserId('ben'), ...spec });
  await store.close();
  return [large, trash];
}

function build(file: string, large: SpaceRecord, trash: SpaceRecord): void {
  const connection = openConnection(file, { readonly: false, cacheKib: 512 * 1024 });
  connection.pragma('wal_autocheckpoint = 20000');
  connection.pragma('synchronous = OFF');
  const bulk = new Bulk(prepareStatements(connection));
  const builder = new Builder(bulk, large.id, 1_000);
  const largeFolder = builder.folder({ parentId: large.rootId, name: 'large' });
  const largeCount = Math.min(LARGE_FOLDER, NODES / 10);
  for (let n = 0; n < largeCount; n += 1) {
    builder.file({ parentId: largeFolder, name: `file ${String(n).padStart(6, '0')}` });
  }
  for (let made = largeCount; made < NODES; made += FILES_PER_FOLDER) {
    const name = `folder ${String(made / FILES_PER_FOLDER).padStart(4, '0')}`;
    const parentId = builder.folder({ parentId: large.rootId, name });
    for (let n = 0; n < FILES_PER_FOLDER; n += 1) {
      builder.file({ parentId, name: `file ${String(n).padStart(4, '0')}` });
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) builder.overwriteAll();
  builder.finish();
  const second = new Builder(bulk, trash.id, 10 * NODES);
  second.trash(NODES, trash.rootId);
  second.finish();
  connection.close();
}

async function count(past: PastSpace, folderId: NodeId): Promise<number> {
  let sum = 0;
  for await (const page of past.listFolder(folderId)) sum += page.length;
  return sum;
}

async function lookBack(store: SqliteMetadataStore, { id }: SpaceRecord): Promise<void> {
  const { rev: newest } = await store.getSpace(id);
  say('events', String(newest));
  for (const share of [0.5, 0.25, 0.9]) {
    const at = START_AT + Math.floor(newest * share);
    const rev = await timed(`revision of an instant (${share} of all)`,
      () => store.revisionAt(id, at));
    await timed('  first listing: the root as of it', async () => {
      const past = await store.past(id, rev);
      return count(past, past.rootId);
    });
    const past = await store.past(id, rev);
    const root = [];
    for await (const page of past.listFolder(past.rootId)) root.push(...page);
    const [one, large] = [root[Math.floor(root.length * share)], root.at(-1)];
    if (one === undefined || large === undefined) throw new Error('The root is empty.');
    const found = await timed('  first listing: a folder of 1,000', () => count(past, one.id));
    const many = await timed('  a folder of 100,000, all of it', () => count(past, large.id));
    if (found !== FILES_PER_FOLDER || many < NODES / 10) throw new Error(`${found}, ${many}`);
    await timed('  one node with its chain', () => past.findChain(large.id));
    await timed('  differences of the next 1,000 events', () => store.diff(id, rev, rev + 1_000));
  }
}

async function lookAtTrash(store: SqliteMetadataStore, { id }: SpaceRecord): Promise<void> {
  let before: number | undefined;
  let entries = 0;
  const pages: number[] = [];
  for (;;) {
    const from = performance.now();
    const page = await store.listTrash(id, 1_000, before);
    pages.push(performance.now() - from);
    entries += page.length;
    before = page.at(-1)?.deletedRev;
    if (page.length < 1_000) break;
  }
  const sorted = pages.toSorted((a, b) => a - b);
  say('trash entries, in pages of 1,000', String(entries));
  say('  first page, median, slowest of all pages', [pages[0], sorted[sorted.length >> 1],
    sorted.at(-1)].map((ms) => `${ms?.toFixed(2)} ms`).join(', '));
}

async function measure(): Promise<void> {
  if (folder === '') throw new Error('Name a folder to build in.');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'metadata.db');
  const isBuilt = existsSync(file);
  const [large, trash] = await makeSpaces(file);
  if (!isBuilt) await timed('building', async () => build(file, large, trash));
  say('database', `${Math.round(statSync(file).size / 1e6)} MB`);
  const store = await SqliteMetadataStore.open({ file, create: false });
  const rssBefore = process.memoryUsage.rss();
  await lookBack(store, large);
  await lookAtTrash(store, trash);
  say('memory more than before looking',
    `${Math.round((process.memoryUsage.rss() - rssBefore) / 1e6)} MB`);
  await store.close();
}

if (program === import.meta.filename) await measure();
