/** What can happen between a store and its server: it breaks off, comes back, and serves others. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { isKind } from '../../../base/errors.ts';
import { systemClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import type { Answer } from '../../../platform/mariadb/index.ts';
import { CuttingProxy, ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { Hand } from '../../conformance/hand.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { MetadataWriter } from '../sqlite/writer/metadata-writer.ts';
import { LineClient } from './line/line-client.ts';
import type { Step } from './line/line-messages.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';
import { MariadbWriterDatabase } from './writer/mariadb-writer-database.ts';

let server: ScratchServer;
let database: string;
const open: MariadbMetadataStore[] = [];
before(async () => {
  server = await ScratchServer.start();
  ({ database } = await server.makeDatabase());
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
});
after(() => server.stop());

async function openStore(port = server.port): Promise<MariadbMetadataStore> {
  const address = server.addressOf(database, port);
  const store = await MariadbMetadataStore.open({ address, create: true });
  open.push(store);
  return store;
}

/** Lets others act before its writer is entered, where that has been noticed to be missing. */
class EnteringLine extends LineClient {
  onEnter: () => void = () => undefined;

  override run(steps: readonly Step[], isFirst?: boolean): Answer[] {
    if (steps.some(({ text }) => text.includes('INTO writer '))) this.onEnter();
    return super.run(steps, isFirst);
  }
}

function writerOn(line: LineClient, id: string): MetadataWriter {
  const made = new MariadbWriterDatabase(line, id);
  const writer = new MetadataWriter(made);
  made.tidyUp();
  return writer;
}

async function assertGapless(h: Hand): Promise<void> {
  const revs = (await h.store.listEvents(h.space.id, 0, 2_000)).map(({ rev }) => rev);
  assert.deepEqual(revs, revs.map((_, at) => at + 1));
  await assertConsistent(h.store, h.space.id);
}

describe('A commit on MariaDB whose connection breaks', () => {
  for (const cut of ['before-commit', 'after-commit'] as const) {
    it(`is made once, and acknowledged, when it breaks ${cut}`, async () => {
      const proxy = await CuttingProxy.start(server.port);
      try {
        const h = await Hand.on(await openStore(proxy.port), { owner: cut });
        await h.put(h.root, 'first');
        proxy.cutNext(cut);
        const made = await Promise.all(['a', 'b', 'c'].map((name) => h.put(h.root, name)));
        assert.equal(proxy.cutCount, 1);
        assert.deepEqual(made.map(({ name }) => name), ['a', 'b', 'c']);
        await h.put(h.root, 'last');
        assert.deepEqual(await h.names(h.root), ['a', 'b', 'c', 'first', 'last']);
        assert.equal((await h.store.getSpace(h.space.id)).rev, 5);
        await assertGapless(h);
      } finally {
        await Promise.all(open.splice(0).map((store) => store.close()));
        await proxy.stop();
      }
    });
  }

  it('is refused when the database was left since it was opened', async () => {
    const { database: left } = await server.makeDatabase();
    const store = await MariadbMetadataStore.open({
      address: server.addressOf(left), create: true,
    });
    open.push(store);
    const h = await Hand.on(store, { owner: 'left' });
    await h.put(h.root, 'first');
    await server.query('DELETE FROM writer_turn', left);
    await assert.rejects(h.put(h.root, 'late'), { code: 'database-left' });
    assert.deepEqual(await h.names(h.root), ['first']);
    assert.deepEqual(await server.query('SELECT * FROM writer_turn', left), []);
  });

  it('is not made again when the question how it went is refused', async () => {
    const proxy = await CuttingProxy.start(server.port);
    // As on a server that may only be read for a while: nobody else passes a turn.
    const refuse = `CREATE TRIGGER no_passing BEFORE UPDATE ON writer_turn FOR EACH ROW
      IF NEW.writer = '' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF`;
    try {
      const h = await Hand.on(await openStore(proxy.port), { owner: 'refused' });
      await h.put(h.root, 'first');
      await server.query(refuse, database);
      proxy.cutNext('after-commit');
      const work = ['a', 'b', 'c'].map((name) => h.put(h.root, name));
      const refusals = (await Promise.allSettled(work)).flatMap((each) =>
        (each.status === 'rejected' ? [each.reason as unknown] : []));
      assert.ok(refusals.length > 0);
      for (const refusal of refusals) {
        assert.ok(isKind(refusal, 'unavailable'));
        assert.equal(refusal.code, 'outcome-unknown');
      }
      assert.equal((await h.store.getSpace(h.space.id)).rev, 4);
    } finally {
      await server.query('DROP TRIGGER IF EXISTS no_passing', database);
      await Promise.all(open.splice(0).map((store) => store.close()));
      await proxy.stop();
    }
  });

  it('has what it acknowledged after the server was killed, and goes on once it is back',
    async () => {
      const h = await Hand.on(await openStore(), { owner: 'killed' });
      const acknowledged: string[] = [];
      const work = Array.from({ length: 400 }, async (_, n) => {
        const { name } = await h.put(h.root, `f${n}`);
        acknowledged.push(name);
      });
      const settled = Promise.allSettled(work);
      await Promise.race(work);
      await server.kill();
      await server.startAgain();
      const refusals: unknown[] = (await settled).flatMap((each) =>
        (each.status === 'rejected' ? [each.reason as unknown] : []));
      assert.ok(refusals.every((reason) => isKind(reason, 'unavailable')));
      const again = await Hand.on(await openStore(), { owner: 'killed' });
      const names = new Set(await again.names(again.root));
      for (const name of acknowledged) assert.ok(names.has(name));
      await h.put(h.root, 'after');
      await assertGapless(again);
    });
});

describe('A listing on MariaDB whose connection breaks', () => {
  it('is made anew before its first page, and refused as unavailable after it', async () => {
    const proxy = await CuttingProxy.start(server.port);
    try {
      const h = await Hand.on(await openStore(proxy.port), { owner: 'listing' });
      for (const name of ['early', 'late']) await h.put(h.root, name);
      proxy.cutNext('before-commit', 'before that');
      const all = h.store.listFolder(h.space.id, h.root, { after: 'before that' });
      assert.deepEqual((await Array.fromAsync(all)).flat().map(({ name }) => name),
        ['early', 'late']);
      assert.equal(proxy.cutCount, 1);
      proxy.cutNext('before-commit', 'early');
      const pages = h.store.listFolder(h.space.id, h.root, { pageMax: 1 });
      await assert.rejects(Array.fromAsync(pages), (error) => isKind(error, 'unavailable'));
      assert.equal(proxy.cutCount, 2);
      assert.deepEqual(await h.names(h.root), ['early', 'late']);
    } finally {
      await Promise.all(open.splice(0).map((store) => store.close()));
      await proxy.stop();
    }
  });
});

describe('Two stores on one MariaDB database', () => {
  it('write one space in turns: no revision is missing or twice, and each sees the other',
    async () => {
      const ours = await Hand.on(await openStore(), { owner: 'shared' });
      const theirs = new Hand(await openStore(), ours.space);
      const box = await ours.folder(ours.root, 'box');
      const puts = [ours, theirs].flatMap((h, side) =>
        Array.from({ length: 60 }, (_, n) => h.put(box.id, `${side}-${n}`, 3)));
      const marks = (await Promise.all(puts)).map(({ mark }) => mark);
      assert.equal(new Set(marks).size, 120);
      await theirs.move(box.id, theirs.root, 'moved');
      await ours.put(box.id, 'afterwards', 3);
      for (const h of [ours, theirs]) {
        assert.equal((await h.names(box.id)).length, 121);
        assert.equal(await h.used(), 363);
        await assertGapless(h);
      }
    });

  it('lets one enter while another writes, and its first turn sees what that one wrote',
    async () => {
      const h = await Hand.on(await openStore(), { owner: 'entering' });
      const file = await h.put(h.root, 'first');
      const theirs = new EnteringLine(server.addressOf(database));
      const ours = new EnteringLine(server.addressOf(database));
      const others = writerOn(theirs, 'others');
      const entering = writerOn(ours, 'entering');
      try {
        assert.ok('result' in (others.commitBatch([h.putChange(h.root, 'entered')])[0] ?? {}));
        const outcomes: unknown[] = [];
        ours.onEnter = () => {
          outcomes.push(...others.commitBatch([h.putChange(h.root, 'theirs')]));
        };
        // What is asked of the file that it moves goes along with the turn that it cannot take.
        outcomes.push(...entering.commitBatch([
          h.moveChange(file.id, h.root, 'moved'), h.putChange(h.root, 'ours'),
        ]));
        assert.equal(outcomes.length, 3);
        for (const one of outcomes) assert.ok('result' in (one as object), inspect(one));
      } finally {
        others.close();
        entering.close();
      }
      assert.deepEqual(await h.names(h.root), ['entered', 'moved', 'ours', 'theirs']);
      await assertGapless(h);
    });

  it('lets one wait for a turn that another holds', async () => {
    const h = await Hand.on(await openStore(), { owner: 'waiting' });
    const holder = await Session.open(server.addressOf(database), 'schema');
    await holder.run('SELECT turn FROM writer_turn WHERE id = 1 FOR UPDATE');
    const put = h.put(h.root, 'f');
    assert.deepEqual(await h.names(h.root), []); // Readers wait for nobody.
    await holder.end();
    assert.equal((await put).mark, 1);
  });
});

describe('What a copy has left that came to nothing', () => {
  it('is swept by the next store, unless its writer was heard of lately', async () => {
    const h = await Hand.on(await openStore(), { owner: 'sweeper' });
    const jobs = (): Promise<unknown[][]> =>
      server.query('SELECT first_id FROM copy_job ORDER BY first_id', database);
    const { id } = h.space;
    await server.query(`INSERT INTO folder (space_id, id, mark, size_bytes, changed_at)
      VALUES (${id}, 900000, 1, 0, 0), (${id}, 910000, 1, 0, 0)`, database);
    await server.query('INSERT INTO writer (id, batch, seen_s) '
      + 'VALUES (\'alive\', 0, UNIX_TIMESTAMP())', database);
    await server.query(`INSERT INTO copy_job (first_id, space_id, node_count, writer)
      VALUES (900000, ${id}, 1, 'dead'), (910000, ${id}, 1, 'alive')`, database);
    await openStore();
    const endsAt = systemClock.now() + 60_000;
    while ((await jobs()).length > 1 && systemClock.now() < endsAt) await h.names(h.root);
    assert.deepEqual(await jobs(), [[910_000]]);
    const left = await server.query('SELECT id FROM folder WHERE id >= 900000', database);
    assert.deepEqual(left, [[910_000]]);
  });
});

describe('MariadbMetadataStore, on opening', () => {
  const refusedFor = async (setting: string, value: string, back: string): Promise<void> => {
    await server.query(`SET GLOBAL ${setting} = ${value}`);
    try {
      await assert.rejects(openStore(), (error) =>
        isKind(error, 'invalid') && error.code === 'metadata-unsafe-server'
          && error.message.includes(setting));
    } finally {
      await server.query(`SET GLOBAL ${setting} = ${back}`);
    }
  };

  it('refuses a server that does not flush at commit, or takes small packets', async () => {
    await refusedFor('innodb_flush_log_at_trx_commit', '2', '1');
    await refusedFor('max_allowed_packet', '1048576', '16777216');
  });

  it('refuses an empty database unless it may make tables, and one of another program',
    async () => {
      const address = await server.makeDatabase();
      const opened = MariadbMetadataStore.open({ address, create: false });
      await assert.rejects(opened, (error) => isKind(error, 'not-found'));
      await server.query('CREATE TABLE theirs (id INT PRIMARY KEY)', address.database);
      const strange = MariadbMetadataStore.open({ address, create: true });
      await assert.rejects(strange, (error) =>
        isKind(error, 'invalid') && error.code === 'database-not-ours');
    });

  it('refuses a newer format, and says so when nobody answers', async () => {
    const address = await server.makeDatabase();
    await (await MariadbMetadataStore.open({ address, create: true })).close();
    await server.query('UPDATE meta SET value = 99 WHERE name = \'schema_version\'',
      address.database);
    await assert.rejects(MariadbMetadataStore.open({ address, create: true }), (error) =>
      isKind(error, 'invalid') && error.code === 'metadata-version');
    const nowhere = { ...address, port: 1 };
    await assert.rejects(MariadbMetadataStore.open({ address: nowhere, create: true }),
      (error) => isKind(error, 'unavailable'));
  });
});

describe('Names on MariaDB', () => {
  it('differ where one byte does: case, accents, blanks at the end, and beyond the first plane',
    async () => {
      const h = await Hand.on(await openStore(), { owner: 'names' });
      const names = ['a', 'a ', 'a b', 'A', 'ä', 'æ', 'ß', 'ss', '😀', '😁', 'ｚ', '\u{10ffff}'];
      for (const name of names) await h.put(h.root, name);
      const wanted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await h.names(h.root), wanted);
      await h.put(h.root, 'x'.repeat(255));
      await h.put(h.root, '😀'.repeat(63));
    });
});
