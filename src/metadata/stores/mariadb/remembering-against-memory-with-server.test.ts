/** Random work that one store writes. Behind each change another one on the same database reads
 *  with what it remembers, as far as it may: the answers must be those that are read anew. */
import { after, afterEach, before } from 'node:test';
import assert from 'node:assert/strict';
import type { SpaceId } from '../../../base/ids.ts';
import { parseName } from '../../../base/names.ts';
import { systemClock } from '../../../platform/index.ts';
import { ChangeMarks } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import type { Subject } from '../../access-records.ts';
import type { Change, ChangeResult } from '../../changes.ts';
import { testAgainstModel } from '../../conformance/against-model.ts';
import { testSharingAgainstModel } from '../../conformance/shared-against-model.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

let server: ScratchServer;
let address: ServerAddress;
let savedCount = 0;
const open: { close(): Promise<void> }[] = [];
before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
  await (await MariadbMetadataStore.open({ address, create: true })).close();
  const tell = (text: string): Promise<unknown[][]> => server.query(text, address.database);
  await tell('CREATE TABLE identity_turn (id SMALLINT PRIMARY KEY, turn BIGINT NOT NULL)');
  await tell('INSERT INTO identity_turn VALUES (1, 1)');
  await tell('CREATE TABLE directory (name VARCHAR(20) PRIMARY KEY, value BIGINT NOT NULL)');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
after(async () => {
  await server.stop();
  assert.ok(savedCount > 200, `${savedCount} questions were saved`);
});

async function openPair(): Promise<MetadataStore> {
  const words = { op: 'test', database: 'database' };
  const states = new ChangeMarks({ address, clock: systemClock, words });
  const reader = await MariadbMetadataStore.open({ address, create: false, states });
  const writer = await MariadbMetadataStore.open({ address, create: false });
  open.push(states, reader);
  let last: Promise<unknown> = Promise.resolve();
  /** One change after the other, so that what the other store reads behind each is certain. */
  const commit = (change: Change): Promise<ChangeResult> => {
    const done = last.then(async () => {
      const result = await writer.commit(change);
      const cameMs = systemClock.monotonic();
      const spaces = new Set(['spaceId', 'toSpaceId'].flatMap((field) =>
        (field in change ? [Reflect.get(change, field) as SpaceId | undefined] : [])));
      await states.ask();
      for (const space of spaces) {
        if (space !== undefined) await compare({ reader, writer }, space, cameMs);
      }
      return result;
    });
    last = done.catch(() => undefined);
    return done;
  };
  return new Proxy<MetadataStore>(writer, {
    get(store, name) {
      if (name === 'commit') return commit;
      const found: unknown = Reflect.get(store, name);
      return typeof found === 'function' ? (found.bind(store) as unknown) : found;
    },
  });
}

const PATHS = [[], ['a'], ['b'], ['a', 'b'], ['b', 'a'], ['a', 'a'], ['a', 'b', 'c']].map((path) =>
  path.map(parseName));
const SUBJECTS: readonly Subject[] = [{ kind: 'user', id: 'ben' }, { kind: 'group', id: 'anna' }];

/** The first time with what is left of before the change, if anything is, the second time with what
 *  the first has left. */
async function compare(
  { reader, writer }: { reader: MariadbMetadataStore; writer: MetadataStore },
  space: SpaceId, sinceMs: number,
): Promise<void> {
  for (const path of PATHS) {
    const wanted = await writer.resolve(space, path);
    assert.deepEqual(await reader.resolve(space, path, undefined, { sinceMs }), wanted);
    const before = reader.readQuestionCount;
    assert.deepEqual(await reader.resolve(space, path, undefined, { sinceMs }), wanted);
    savedCount += reader.readQuestionCount === before ? 1 : 0;
  }
  const wanted = await writer.listGrantsTo(SUBJECTS);
  assert.deepEqual(await reader.listGrantsTo(SUBJECTS, { sinceMs }), wanted);
  assert.deepEqual(await reader.listGrantsTo(SUBJECTS, { sinceMs }), wanted);
}

const options = {
  open: openPair, makeModel: () => new MemoryMetadataStore(), runs: 9, isWhole: false,
};
testAgainstModel('A MariadbMetadataStore that remembers what another one writes', options);
testSharingAgainstModel('A MariadbMetadataStore that remembers what another one writes', options);
