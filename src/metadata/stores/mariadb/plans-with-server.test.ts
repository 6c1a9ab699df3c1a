/** How the server would run each statement, and how often it is asked. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NodeId } from '../../../base/ids.ts';
import { parsePath } from '../../../base/names.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress, SqlValue } from '../../../platform/mariadb/index.ts';
import { CuttingProxy, ScratchServer, planOf } from '../../../platform/mariadb/testing/index.ts';
import { grantChange } from '../../conformance/access-promises.ts';
import { Hand } from '../../conformance/hand.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';
import {
  GRANT_STATEMENTS, PAST_STATEMENTS, READ_STATEMENTS, SPACE_STATEMENTS, WALK_STATEMENTS,
} from './reader/reader-statements.ts';
import { gatheredTexts } from './writer/bulk-statements.ts';
import { aheadTexts } from './writer/fetch-ahead.ts';
import { WRITER_STATEMENTS } from './writer/writer-statements.ts';

/** Tables that grow with what people keep, and what is never to be passed over from end to end. */
const LARGE: ReadonlySet<string> = new Set([
  'node', 'node_past', 'folder', 'version', 'event', 'trash', 'property', 'dav_lock', 'upload',
  'upload_part', 'space', 'access_grant', 'access_grant_past', 'grant_count', 'mount',
  'declined_mount', 'batch', 'held_change',
]);

/** Asked seldom, and page by page through all there is. */
const WALKS: ReadonlySet<string> = new Set([
  'listSpaces', 'listPartManifests', 'listVersionManifests', 'listHeldManifests',
]);

const TEXTS: ReadonlySet<string> = new Set([
  'canon', 'name', 'owner', 'upload_id', 'token', 'subject', 'tenant', 'state', 'scope', 'by_user',
  'deleted_by', 'device_key', 'namespace',
]);
const TEXT_IDS: ReadonlySet<string> = new Set(['tenant', 'retention', 'reservation', 'writer']);

let server: ScratchServer;
let address: ServerAddress;
let store: MariadbMetadataStore;
let h: Hand;
let deep: NodeId;
let above: NodeId;
let looker: Session;
before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
  store = await MariadbMetadataStore.open({ address, create: true });
  h = await Hand.on(store);
  deep = h.root;
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    above = deep;
    deep = (await h.folder(deep, name)).id;
  }
  const files = Array.from({ length: 800 }, (_, n) => h.put(deep, `f${n}`));
  const nodes = await Promise.all(files);
  await Promise.all(nodes.map(({ name }) => h.put(deep, name, 11)));
  const { id: spaceId } = h.space;
  await Promise.all(nodes.slice(0, 300).map(({ id: nodeId }) =>
    store.commit({ op: 'delete', spaceId, nodeId, actor: h.actor() })));
  await Promise.all(Array.from({ length: 300 }, (_, n) => h.folder(h.root, `g${n}`)));
  const set = [{ namespace: 'n', name: 'p', xml: 'x' }];
  await Promise.all(nodes.slice(400, 600).map(({ id: nodeId }) =>
    store.commit({ op: 'set-properties', spaceId, nodeId, set, remove: [], actor: h.actor() })));
  for (let space = 0; space < 60; space += 1) {
    const other = await Hand.on(store, { owner: `user${space}` });
    await Promise.all(Array.from({ length: 5 }, (_, n) => store.commit(
      grantChange(other, other.root, { subject: { kind: 'user', id: `user${n}` } }))));
  }
  looker = await Session.open(address, 'schema');
  await server.query('INSERT INTO grant_count (grant_id, downloads) SELECT id, 1 FROM access_grant',
    address.database);
  for (const table of LARGE) await server.query(`ANALYZE TABLE ${table}`, address.database);
});
after(async () => {
  await looker.end();
  await store.close();
  await server.stop();
});

/** A value of the kind that stands at a place: a text where it is compared with one. */
function sampleFor(before: string, tables: readonly string[]): SqlValue {
  const [, column = ''] = /([a-z_]+)\s*(?:=|<>|<=?|>=?|IN \()\s*(?:\?, )*$/.exec(before) ?? [];
  const isTextId = column === 'id' && tables.some((table) => TEXT_IDS.has(table));
  if (/JSON_TABLE\($/.test(before)) return '["a","b"]';
  return TEXTS.has(column) || isTextId ? 'f1' : 1;
}

function samplesFor(text: string, tables: readonly string[]): SqlValue[] {
  return [...text.matchAll(/\?/g)].map(({ index }) => sampleFor(text.slice(0, index), tables));
}

function tableOf(text: string, alias: string): string {
  const named = new RegExp(`\\b(?:FROM|JOIN|STRAIGHT_JOIN)\\s+(\\w+) ${alias}\\b`).exec(text);
  return named?.[1] ?? alias;
}

async function scansIn(
  session: Session, text: string, tables: readonly string[],
): Promise<string[]> {
  const plan = await planOf(session, text, samplesFor(text, tables));
  return plan.flatMap(({ table: alias, type }) => {
    const table = tableOf(text, alias);
    const isScan = type === 'ALL' || type === 'index';
    return isScan && LARGE.has(table) ? [`${type} of ${table}`] : [];
  });
}

describe('The statements on MariaDB', () => {
  const isAsked = ({ text }: NamedSql): boolean =>
    !/\*\/ (INSERT INTO \w+ \([^)]*\) VALUES|BEGIN|COMMIT|ROLLBACK)/.test(text);
  const all = [WRITER_STATEMENTS, READ_STATEMENTS, PAST_STATEMENTS, WALK_STATEMENTS,
    GRANT_STATEMENTS, SPACE_STATEMENTS]
    .flatMap((table) => Object.values<NamedSql>(table)).filter(isAsked);

  it('never pass over a large table from end to end', async () => {
    const session = await Session.open(address, 'schema');
    const found: string[] = [];
    for (const { name, text, tables } of all) {
      if (WALKS.has(name)) continue;
      const scans = await scansIn(session, text, tables);
      if (scans.length > 0) found.push(`${name}: ${scans.join(', ')}`);
    }
    for (const text of [...gatheredTexts(8), ...aheadTexts()]) {
      const scans = await scansIn(session, text, []);
      if (scans.length > 0) found.push(`${text.slice(0, 40)}: ${scans.join(', ')}`);
    }
    await session.end();
    assert.deepEqual(found, []);
    assert.ok(all.length > 100, 'the tables of statements were found');
  });
});

/** What the server was asked while `work` was done. */
async function questionsOf(work: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const [[, value] = []] = await looker.run('SHOW GLOBAL STATUS LIKE \'Questions\'')
      .then(({ rows }) => rows);
    return Number(value);
  };
  const first = await count();
  await work();
  return await count() - first - 1;
}

describe('A read on MariaDB', () => {
  const reads: Readonly<Record<string, () => Promise<unknown>>> = {
    resolve: () => store.resolve(h.space.id, parsePath(['a', 'b', 'c', 'd', 'e', 'f', 'f700'])),
    'resolve from a folder': () => store.resolve(h.space.id, parsePath(['f700']), deep),
    findChain: () => store.findChain(h.space.id, deep),
    getSpace: () => store.getSpace(h.space.id),
    accessRev: () => store.accessRev(h.space.id),
    listGrants: () => store.listGrants(h.space.id),
    listProperties: () => store.listProperties(h.space.id, deep),
    listEvents: () => store.listEvents(h.space.id, 10, 100),
    listTrash: () => store.listTrash(h.space.id, 100),
    getVersion: async () => store.getVersion(h.space.id, fileId, fileRev),
    listStandings: () => store.listStandings([h.space.id]),
    'listFolder, one page': () => h.names(above),
  };
  let fileId: NodeId;
  let fileRev: number;
  before(async () => {
    const file = await h.resolve('a/b/c/d/e/f/f700');
    ({ id: fileId, contentRev: fileRev } = file.at(-1) ?? assert.fail('the file is there'));
  });

  for (const [name, read] of Object.entries(reads)) {
    it(`asks the server twice at most: ${name}`, async () => {
      await read(); // What is prepared and remembered once.
      const before = store.readQuestionCount;
      await read();
      const asked = store.readQuestionCount - before;
      assert.ok(asked <= 2, `${asked} times`);
    });
  }

  it('follows the paths of many with one statement, once somebody has followed their folders',
    async () => {
      const follow = (count: number) => (): Promise<unknown> =>
        Promise.all(Array.from({ length: count }, (_, n) => h.resolve(`a/b/c/d/e/f/f${400 + n}`)));
      await follow(1)();
      await follow(30)();
      assert.equal(await questionsOf(follow(30)), 1);
    });
});

describe('A batch on MariaDB', () => {
  it('asks the server as often for sixty new files, or new contents, as for eight', async () => {
    const put = (count: number, bytes: number) => (): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, (_, n) => h.put(deep, `n${n}`, bytes)));
    await put(64, 1)();
    const few = await questionsOf(put(8, 2));
    const many = await questionsOf(put(64, 3));
    assert.ok(few <= 12, `${few} questions for eight new contents`);
    assert.ok(many <= few + 2, `${many} for sixty-four, ${few} for eight`);
  });

  it('makes three round trips for a new file, or new contents: the turn with what will be asked, '
    + 'the rows, the commit', async () => {
    const proxy = await CuttingProxy.start(server.port);
    const near = await MariadbMetadataStore.open({
      address: { ...address, port: proxy.port }, create: false,
    });
    try {
      const there = new Hand(near, h.space);
      const put = (count: number, name: string, bytes: number) => (): Promise<unknown> =>
        Promise.all(Array.from({ length: count }, (_, n) => there.put(deep, `${name}${n}`, bytes)));
      const tripsOf = async (work: () => Promise<unknown>): Promise<number> => {
        const first = proxy.roundTripCount;
        await work();
        return proxy.roundTripCount - first;
      };
      // The rows of sixty may pass in several pieces, which look like more.
      for (const [count, tripsMax] of [[1, 3], [60, 6]] as const) {
        for (const bytes of [1, 2]) await put(count, 'prepared', bytes)();
        await put(count, 'others', 1)();
        assert.ok(await tripsOf(put(count, `new${count}-`, 1)) <= tripsMax);
        assert.ok(await tripsOf(put(count, `new${count}-`, 2)) <= tripsMax);
      }
      // Another store writes in between: what it may have changed is read anew with the turn.
      const inTurns = async (name: string): Promise<number> => {
        await h.put(deep, `${name}-of-another`);
        return tripsOf(put(1, name, 1));
      };
      await inTurns('first');
      await inTurns('second');
      assert.ok(await inTurns('third') <= 3);
    } finally {
      await near.close();
      await proxy.stop();
    }
  });
});
