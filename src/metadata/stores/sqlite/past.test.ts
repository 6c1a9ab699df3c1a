/** The past of an SQLite store: equal to what was there when it was the present, and found by
 *  searches alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../../base/errors.ts';
import type { NodeId } from '../../../base/ids.ts';
import { ANNA, Hand, NOON } from '../../conformance/hand.ts';
import { pastMembers } from '../../conformance/past-promises.ts';
import { TAPE, toChange } from '../../conformance/tape.ts';
import type { Scene, Step } from '../../conformance/tape.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import type { PastNode, PastSpace } from '../../past.ts';
import type { NodeRecord } from '../../records.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { openConnection } from './connection.ts';
import { createDatabaseFile } from './database-file.ts';
import { PAST_SQL, preparePast } from './reader/past-statements.ts';
import { prepareReads } from './reader/read-statements.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { prepareStatements } from './statements.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-past-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** As much of a node as the past keeps. */
function line(prefix: string, node: NodeRecord | PastNode): string {
  const { id, name, kind, sizeBytes, modifiedAt, createdAt, mark, contentRev } = node;
  const ofFile = kind === 'file' ? ` ${sizeBytes} ${modifiedAt} ${mark}` : '';
  return `${prefix}${name} ${id} ${kind} ${createdAt} ${contentRev}${ofFile}`;
}

async function linesNow(h: Hand, folderId = h.root, prefix = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const node of await h.list(folderId)) {
    lines.push(line(prefix, node));
    if (node.kind === 'folder') lines.push(...await linesNow(h, node.id, `${prefix}${node.name}/`));
  }
  return lines;
}

async function linesThen(
  past: PastSpace, folderId = past.rootId, prefix = '',
): Promise<string[]> {
  const lines: string[] = [];
  for (const node of await pastMembers(past, folderId)) {
    lines.push(line(prefix, node));
    assert.deepEqual((await past.findChain(node.id))?.at(-1), node);
    if (node.kind !== 'folder') continue;
    lines.push(...await linesThen(past, node.id, `${prefix}${node.name}/`));
  }
  return lines;
}

/** Work on one space, with a picture taken now and then. */
class Recorder {
  readonly hand: Hand;
  readonly pictures = new Map<number, string[]>();
  readonly #nodes: NodeId[];
  readonly #folders: NodeId[];
  triedCount = 0;

  constructor(hand: Hand) {
    this.hand = hand;
    this.#nodes = [hand.root];
    this.#folders = [hand.root];
  }

  async play(group: readonly Step[], now: number): Promise<void> {
    const { store, space: { id: spaceId } } = this.hand;
    const scene: Scene = {
      spaceId, nodes: this.#nodes, folders: this.#folders, markOf: () => 0, now,
      trash: await store.listTrash(spaceId, 50),
    } as Scene;
    const work = group.filter(({ op }) => op !== 'set-checksums' && op !== 'set-quota')
      .map((step) => store.commit(toChange(step, scene)));
    this.triedCount += work.length;
    for (const outcome of await Promise.allSettled(work)) {
      if (outcome.status === 'rejected') {
        assert.ok(outcome.reason instanceof HoldfastError);
        continue;
      }
      const { node } = outcome.value;
      if (node === undefined || this.#nodes.includes(node.id)) continue;
      this.#nodes.push(node.id);
      if (node.kind === 'folder') this.#folders.push(node.id);
    }
  }

  async takePicture(): Promise<void> {
    this.pictures.set(await this.hand.rev(), await linesNow(this.hand));
  }
}

async function checkTape(store: MetadataStore, owner: string, tapes: readonly (readonly
(readonly Step[])[])[]): Promise<number> {
  const recorder = new Recorder(await Hand.on(store, { owner }));
  let now = NOON;
  for (const group of tapes.flat()) {
    now += 10;
    await recorder.play(group, now);
    if (now % 110 === 0) await recorder.takePicture();
  }
  await recorder.takePicture();
  const { space: { id } } = recorder.hand;
  for (const [rev, wanted] of recorder.pictures) {
    assert.deepEqual(await linesThen(await store.past(id, rev)), wanted, `at revision ${rev}`);
  }
  return recorder.triedCount;
}

describe('The past of random work', () => {
  it('is at every revision what was there then, over 10,000 operations on each store', async () => {
    const sqlite = await SqliteMetadataStore.open({ file: join(folder, 'tape.db'), create: true });
    const counts = { sqlite: 0, memory: 0 };
    let runs = 0;
    await fc.assert(fc.asyncProperty(
      fc.array(TAPE, { minLength: 5, maxLength: 5 }),
      async (tapes) => {
        runs += 1;
        counts.sqlite += await checkTape(sqlite, `user${runs}`, tapes);
        counts.memory += await checkTape(new MemoryMetadataStore(), 'anna', tapes);
      },
    ), { numRuns: 75, endOnFailure: true });
    await sqlite.close();
    assert.ok(counts.sqlite >= 10_000, `${counts.sqlite} operations`);
    assert.ok(counts.memory >= 10_000, `${counts.memory} operations`);
  });
});

describe('The statements of the past', () => {
  it('search in an index, each of them, and sort nothing', async () => {
    const file = join(folder, 'plans.db');
    const store = await SqliteMetadataStore.open({ file, create: true });
    const connection = openConnection(file, { readonly: true, cacheKib: 1_024 });
    let plans = 0;
    for (const [name, sql] of Object.entries(PAST_SQL)) {
      if (!sql.startsWith('SELECT')) continue;
      const rows = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...Array.from({ length: sql.split('?').length - 1 }, () => 1)) as { detail: string }[];
      const details = rows.map(({ detail }) => detail);
      // Grants of a space are few, and come in the order of their ids.
      const sorts = name === 'listGrants' ? [] : ['TEMP B-TREE'];
      assert.ok(details.some((detail) => detail.includes('SEARCH')), `${name}: ${details.join()}`);
      for (const detail of details) {
        const isBad = ['SCAN', ...sorts].some((word) => detail.includes(word));
        assert.ok(!isBad, `${name}: ${details.join('; ')}`);
      }
      plans += 1;
    }
    assert.ok(plans > 10);
    connection.close();
    await store.close();
  });

  it('of all kinds never pass over a space, but for its grants, mounts and the like', async () => {
    const file = join(folder, 'all-plans.db');
    createDatabaseFile(file);
    const connection = openConnection(file, { readonly: false, cacheKib: 1_024 });
    const all: string[] = [];
    const listening = new Proxy(connection, {
      get: (target, key) => (key !== 'prepare' ? Reflect.get(target, key) as unknown
        : (sql: string) => {
          all.push(sql);
          return target.prepare(sql);
        }),
    });
    for (const prepare of [prepareStatements, prepareReads, preparePast]) prepare(listening);
    const names = 'node|node_past|version|event|trash|folder|property|[nptf]';
    const large = new RegExp(`^(?:SCAN|SEARCH) (?:${names})\\b`);
    for (const sql of all) {
      if (!/SELECT|UPDATE|DELETE/.test(sql)) continue;
      const asked = `EXPLAIN QUERY PLAN ${sql.replace(/[?]|@\w+/g, '1')}`;
      for (const { detail } of connection.prepare(asked).all() as { detail: string }[]) {
        const isWhole = detail.startsWith('SCAN') || detail.endsWith('(space_id=?)');
        assert.ok(!isWhole || !large.test(detail), `${detail}: ${sql}`);
      }
    }
    assert.ok(all.length > 150, String(all.length));
    connection.close();
  });

  it('keep to one search per page in a folder through which 20,000 names have passed', async () => {
    const file = join(folder, 'passed.db');
    const store = await SqliteMetadataStore.open({ file, create: true });
    const h = await Hand.on(store);
    const made = await Promise.all(Array.from({ length: 5_000 }, (_, n) => h.put(h.root, `f${n}`)));
    const rev = await h.rev();
    await Promise.all(made.map(({ id }) => h.delete(id)));
    const past = await store.past(h.space.id, rev);
    let pages = 0;
    for await (const page of past.listFolder(past.rootId)) {
      pages += 1;
      assert.ok(page.length <= 500);
    }
    assert.equal(pages, 10);
    assert.equal((await store.listTrash(h.space.id, 10, undefined, { by: ANNA })).length, 10);
    await store.close();
  });
});
