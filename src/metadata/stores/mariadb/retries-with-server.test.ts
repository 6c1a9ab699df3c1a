/** A writer's share of the budget of retries, which its thread has in common with all others. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { HoldfastError } from '../../../base/errors.ts';
import { RetryBudget, systemClock } from '../../../platform/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { Hand } from '../../conformance/hand.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

const THEFT_EVERY_MS = 5;
const GIVEN_UP_MAX_MS = 15_000;
const TROUBLE_MS = 1_500;
const NAMES = ['a', 'b', 'c', 'd'];

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

describe('A writer on a server in trouble', { timeout: 120_000 }, () => {
  let address: ServerAddress;
  let budget: RetryBudget;
  let store: MariadbMetadataStore;
  let h: Hand;
  let isStolen = false;

  beforeEach(async () => {
    budget = RetryBudget.make();
    address = { ...await server.makeDatabase(), retries: budget.shared };
    store = await MariadbMetadataStore.open({ address, create: true });
    h = await Hand.on(store);
    await tell('CREATE TABLE trouble (is_there INT NOT NULL)');
    await tell('INSERT INTO trouble VALUES (0)');
    await tell(`CREATE TRIGGER in_trouble BEFORE INSERT ON node FOR EACH ROW
      IF (SELECT is_there FROM trouble) = 1 THEN
        SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'in trouble';
      END IF`);
  });
  afterEach(async () => {
    isStolen = false;
    await store.close();
  });

  const tell = (text: string): Promise<unknown[][]> => server.query(text, address.database);
  const trouble = (is: 0 | 1): Promise<unknown> => tell(`UPDATE trouble SET is_there = ${is}`);
  /** Others of the process use up whatever there is. */
  const steal = (): void => {
    while (budget.take('many'));
    if (isStolen) systemClock.after(THEFT_EVERY_MS, steal);
  };

  it('refuses all of a batch once, with a code of its own, when nothing was left for it',
    async () => {
      await trouble(1);
      isStolen = true;
      steal();
      const begunMs = systemClock.monotonic();
      const ends = await Promise.allSettled(NAMES.map((name) => h.put(h.root, name)));
      const tookMs = systemClock.monotonic() - begunMs;
      const codes = ends.map((end) =>
        (end.status === 'rejected' ? (end.reason as HoldfastError).code : 'done'));
      assert.deepEqual(codes, Array(NAMES.length).fill('database-retries-spent'));
      assert.ok(ends.every((end) =>
        end.status === 'rejected' && (end.reason as HoldfastError).retryable));
      // Each by itself would have waited as long again.
      assert.ok(tookMs < 2 * GIVEN_UP_MAX_MS, `${tookMs} ms`);
      assert.ok(budget.figures.givenUp >= 1, 'the thread has the same budget');
      isStolen = false;
      await trouble(0);
      assert.deepEqual(await h.names(h.root), []);
      await h.put(h.root, 'last');
      assert.deepEqual(await h.names(h.root), ['last']);
    });

  it('writes once, and refuses nobody, when the trouble ends', async () => {
    await trouble(1);
    steal();
    const { firstTries } = budget.figures;
    const works = Promise.all(NAMES.map((name) => h.put(h.root, name)));
    await new Promise<void>((resolve) => {
      systemClock.after(TROUBLE_MS, resolve);
    });
    await trouble(0);
    await works;
    assert.deepEqual(await h.names(h.root), NAMES);
    assert.ok(budget.figures.slowed > 0 && budget.figures.givenUp === 0);
    assert.ok(budget.figures.firstTries > firstTries);
    const revs = (await store.listEvents(h.space.id, 0, 100)).map(({ rev }) => rev);
    assert.deepEqual(revs, [1, 2, 3, 4]);
  });
});
