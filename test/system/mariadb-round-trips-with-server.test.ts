/**
 * How often requests wait for a database that is far away, and how many statements they cost. Both
 * are constant: they do not grow with what is stored. A change that raises one of these numbers
 * makes every installation slower whose database is not on the same machine.
 */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { TestDatabase, envOf } from '../support/database.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { SlowLink } from '../support/slow-link.ts';

const DELAY_MS = 120;
/** The least of so many counts: what goes on beside the requests is not counted then. */
const TRIES = 6;

interface Cost {
  /** Statements that waited for the one before. */
  waits: number;
  statements: number;
}

describe('What a request asks of a database that is far away', { timeout: 300_000 }, () => {
  const servers = serverForTests();
  let database: TestDatabase;
  let link: SlowLink;
  let server: TestServer;
  let ada: DavClient;
  let serial = 0;

  before(async () => {
    database = await TestDatabase.start();
    link = await SlowLink.open(database.server.port);
    server = await servers.start({ env: envOf(database.server, database.name, link.port) });
    ada = await server.addUser();
    for (const folder of ['a', 'a/b', 'a/b/c']) await ada.makeFolder(folder);
    await ada.put('a/b/c/file.txt', 'x'.repeat(1024));
  });
  after(async () => {
    await server.kill();
    await link.close();
    await database.stop();
  });

  async function statementCount(): Promise<number> {
    const [row] = await database.server.query('SHOW GLOBAL STATUS LIKE \'Com_stmt_execute\'');
    return Number(row?.[1]);
  }

  /** Before each request `prepare` is done, which is not counted. */
  async function costOf(
    request: () => Promise<Answer>, prepare: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Cost> {
    for (let n = 0; n < 3; n += 1) assert.ok((await request()).status < 300); // Warms up.
    const least: Cost = { waits: Infinity, statements: Infinity };
    for (let n = 0; n < TRIES; n += 1) {
      await prepare();
      const before = await statementCount();
      await request();
      least.statements = Math.min(least.statements, await statementCount() - before);
    }
    link.delayMs = DELAY_MS;
    for (let n = 0; n < TRIES; n += 1) {
      await prepare();
      const begun = performance.now();
      await request();
      least.waits = Math.min(least.waits, Math.floor((performance.now() - begun) / DELAY_MS));
    }
    link.delayMs = 0;
    return least;
  }

  function assertAtMost(found: Cost, most: Cost): void {
    const shown = JSON.stringify({ found, most });
    assert.ok(found.waits >= 1 && found.waits <= most.waits, shown);
    assert.ok(found.statements >= 1 && found.statements <= most.statements, shown);
  }

  it('a read of a known path waits once while nothing changes: whether anything has', async (t) => {
    const cost = await costOf(() => ada.get('a/b/c/file.txt'));
    t.diagnostic(JSON.stringify(cost));
    assertAtMost(cost, { waits: 1, statements: 1 });
  });

  it('a deeper path costs no more', async () => {
    let path = 'deep';
    await ada.makeFolder(path);
    for (let depth = 0; depth < 12; depth += 1) {
      path += `/${depth}`;
      await ada.makeFolder(path);
    }
    await ada.put(`${path}/file.txt`, 'deep');
    assertAtMost(await costOf(() => ada.get(`${path}/file.txt`)), { waits: 1, statements: 1 });
  });

  it('a read behind a change waits twice: whether anything has, and where the path leads',
    async (t) => {
      let elsewhere = 0;
      const cost = await costOf(() => ada.get('a/b/c/file.txt'), async () => {
        elsewhere += 1;
        await ada.put(`elsewhere ${elsewhere}.txt`, 'changed');
      });
      t.diagnostic(JSON.stringify(cost));
      assertAtMost(cost, { waits: 2, statements: 3 });
      assert.ok(cost.statements > 1, 'it is read anew');
    });

  const listings: readonly { what: string; body: string; most: Cost }[] = [
    {
      what: 'what a listing shows', most: { waits: 4, statements: 5 },
      body: '<d:getetag/><d:getcontentlength/><d:resourcetype/>',
    },
    {
      what: 'all that sync clients ask for, and locks', most: { waits: 6, statements: 11 },
      body: '<d:getetag/><d:quota-available-bytes/><oc:fileid/><oc:permissions/><oc:share-types/>'
        + '<oc:favorite/><nc:note/><d:lockdiscovery/>',
    },
  ];
  for (const { what, body, most } of listings) {
    it(`a folder with ${what} costs a constant number of statements`, async (t) => {
      const names = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" '
        + 'xmlns:nc="http://nextcloud.org/ns"';
      const cost = await costOf(() => ada.file('PROPFIND', 'a/b/c/', {
        headers: { Depth: '1' }, body: `<d:propfind ${names}><d:prop>${body}</d:prop></d:propfind>`,
      }));
      t.diagnostic(JSON.stringify(cost));
      assertAtMost(cost, most);
    });
  }

  it('a new small file costs a constant number of statements', async (t) => {
    const cost = await costOf(() => {
      serial += 1;
      return ada.put(`a/b/c/new ${serial}.txt`, `new ${serial}`);
    });
    t.diagnostic(JSON.stringify(cost));
    assertAtMost(cost, { waits: 5, statements: 13 });
  });
});
