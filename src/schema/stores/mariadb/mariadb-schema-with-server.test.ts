import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { testSchemaBook } from '../../schema-book.conformance.ts';
import { SchemaRunner } from '../../schema-runner.ts';
import { testSchemaTarget } from '../../schema-target.conformance.ts';
import { MemorySchemaBook } from '../memory/memory-schema-book.ts';
import { PERSON_BEFORE, PERSON_CHANGES, PERSON_EXPAND } from '../../testing/fixture-changes.ts';
import { programAfter, programBefore } from '../../testing/fixture-program.ts';
import { mariadbFixture } from '../../testing/mariadb-fixture.ts';
import { mariadbGolden } from './mariadb-golden.ts';
import { openMariadbBook } from './mariadb-schema-book.ts';
import { MariadbSchemaTarget, OUR_COLLATION } from './mariadb-schema-target.ts';
import { ServerSession } from './server-session.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

testSchemaTarget('MariadbSchemaTarget', async () => mariadbFixture(await server.makeDatabase()));
testSchemaBook('SqlSchemaBook on MariaDB', async () => (
  openMariadbBook(await server.makeDatabase())));

describe('MariadbSchemaTarget', () => {
  it('tells what the server says of a statement, and leaves no note of it', async () => {
    const { shard } = await mariadbFixture(await server.makeDatabase());
    const target = await shard.open();
    const [step] = PERSON_EXPAND.steps;
    assert.ok(step !== undefined);
    const wrong = { ...step, mariadb: 'ALTER TABLE person ADD COLUMN given_name NO_TYPE' };
    await assert.rejects(target.runStep({ ...PERSON_EXPAND, steps: [wrong] }, 0, 1),
      (error) => isKind(error, 'invalid') && /NO_TYPE/.test(error.message));
    // What costs more than it says is refused by the server before it begins.
    const dear = { ...step, mariadb: 'ALTER TABLE person MODIFY COLUMN form BIGINT NOT NULL, '
      + 'ADD COLUMN given_name INT' };
    await assert.rejects(target.runStep({ ...PERSON_EXPAND, steps: [dear] }, 0, 1),
      (error) => isKind(error, 'invalid') && /ALGORITHM=INSTANT/.test(error.message));
    assert.deepEqual(await target.listNotes(), []);
    assert.deepEqual(await target.readCatalogue(),
      mariadbGolden({ person: PERSON_BEFORE }, OUR_COLLATION));
    assert.equal(await target.findLoad(), undefined);
    await target.close();
  });

  it('does not wait long for a table that is read, as all others wait behind it', async () => {
    const address = await server.makeDatabase();
    const { shard } = await mariadbFixture(address);
    const reader = await Session.open(address, 'schema');
    await reader.run('SELECT * FROM person'); // Until its transaction ends, no column is added.
    const clock = new class extends ManualClock {
      override after(_: number, act: () => void): () => void {
        void reader.run('COMMIT').then(act); // It ends while the runner rests.
        return () => undefined;
      }
    }(0);
    const told: string[] = [];
    const { state } = await new SchemaRunner({
      shards: [shard], book: new MemorySchemaBook(), clock, changes: [PERSON_EXPAND],
      policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 1_000 },
    }).apply({ onProgress: (news) => told.push(news.state) });
    await reader.end();
    assert.deepEqual([state, ...told], ['done', 'waiting', 'made']);
  });

  it('is unavailable when its database is not there', async () => {
    await assert.rejects(MariadbSchemaTarget.open(server.addressOf('nowhere')),
      (error) => isKind(error, 'unavailable'));
  });

  it('two versions serve the same rows at every stage', async () => {
    const address = await server.makeDatabase();
    const fixture = await mariadbFixture(address);
    const session = await ServerSession.open(address);
    let writesOld = true;
    const [old, now] = [programBefore(session), programAfter(session, () => writesOld)];
    const parts = {
      shards: [fixture.shard], book: new MemorySchemaBook(), clock: new ManualClock(0),
      policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 1_000 },
    };
    const names = (program: typeof old) => Promise.all([1, 2, 3].map((id) => program.find(id)));
    for (const id of [1, 2, 3]) await old.put(id, `Ada Love${id}`);
    await new SchemaRunner({ ...parts, changes: [PERSON_EXPAND] }).apply();
    await now.put(2, 'Grace Hop');
    await old.put(3, 'Old Hand');
    assert.deepEqual(await names(old), ['Ada Love1', 'Grace Hop', 'Old Hand']);
    assert.deepEqual(await names(now), await names(old));
    const runner = new SchemaRunner({ ...parts, changes: PERSON_CHANGES });
    await runner.apply();
    await old.put(2, 'Back Again');
    assert.deepEqual(await names(now), ['Ada Love1', 'Back Again', 'Old Hand']);
    const refused = await runner.contract('person-full-name-gone');
    assert.deepEqual(refused.objections.map(({ count }) => count), [1]);
    await runner.apply();
    assert.deepEqual((await fixture.readRows()).map((row) => row['form']), [1, 1, 1]);
    writesOld = false;
    assert.equal((await runner.contract('person-full-name-gone')).state, 'done');
    assert.deepEqual(await names(now), ['Ada Love1', 'Back Again', 'Old Hand']);
    await session.close();
  });
});
