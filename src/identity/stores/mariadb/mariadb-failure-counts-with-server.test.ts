import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import type { CountsNow, KeptCount } from '../../failure-counts.ts';
import { nameOf, testFailureCounts } from '../../failure-counts.conformance.ts';
import { MariadbFailureCounts, ensureFailureTables } from './mariadb-failure-counts.ts';

const COUNT_MAX = 20;

let server: ScratchServer;
const opened: MariadbFailureCounts[] = [];
before(async () => {
  server = await ScratchServer.start();
});
after(async () => {
  for (const counts of opened) await counts.close();
  await server.stop();
});

async function openPlace() {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureFailureTables(session);
  await session.end();
  const open = (more: { sweepEveryMs?: number } = {}): MariadbFailureCounts => {
    const counts = new MariadbFailureCounts({
      address, clock: systemClock, countMax: COUNT_MAX, ...more,
    });
    opened.push(counts);
    return counts;
  };
  return { open, address };
}

testFailureCounts('MariadbFailureCounts', async () => {
  const { open } = await openPlace();
  const sweeper = open({ sweepEveryMs: 0 });
  return {
    counts: open(), other: open(), countMax: COUNT_MAX,
    // Nothing is changed by it but what goes.
    sweep: () => sweeper.update([nameOf('24-')], () => new Map()),
  };
});

function once(name: string): (now: CountsNow) => ReadonlyMap<string, KeptCount> {
  return ({ counts, nowMs }) => new Map([[name, {
    count: (counts.get(name)?.count ?? 0) + 1, countedAtMs: nowMs, openAtMs: nowMs, tags: [],
    keepMs: 60_000,
  }]]);
}

describe('MariadbFailureCounts', () => {
  it('has whoever counts the same wait until the one before has counted', async () => {
    const { open, address } = await openPlace();
    const counts = open();
    await counts.update([nameOf('a')], once(nameOf('a')));
    const before = await Session.open(address, 'schema');
    try {
      await before.run(`UPDATE sign_in_failure SET failures = 7 WHERE name = '${nameOf('a')}'`);
      let isAsked = false;
      const counted = counts.update([nameOf('a'), nameOf('b')], (now) => {
        isAsked = true;
        return once(nameOf('a'))(now);
      });
      const isWaiting = async (): Promise<boolean> => (await server.query(
        'SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = \'LOCK WAIT\''))
        [0]?.[0] !== 0;
      const endsAt = performance.now() + 4_000;
      while (!isAsked && !await isWaiting() && performance.now() < endsAt);
      assert.equal(isAsked, false, 'it has read what another is about to change');
      await before.run('COMMIT');
      await counted;
    } finally {
      await before.end();
    }
    assert.equal((await counts.read([nameOf('a')])).counts.get(nameOf('a'))?.count, 8);
  });

  it('never deadlocks with another server, in whichever order names are given', async () => {
    const { open } = await openPlace();
    const [one, two, three] = [open(), open(), open()];
    const names = ['a', 'b', 'c'].map(nameOf);
    const deadlocks = async (): Promise<unknown> => (await server.query(
      'SELECT count FROM information_schema.innodb_metrics WHERE name = \'lock_deadlocks\''))
      [0]?.[0];
    const atFirst = await deadlocks();
    assert.equal(typeof atFirst, 'number');
    const counting = Array.from({ length: 20 }, (_, at) => [one, two, three].map((counts, server) =>
      counts.update((at + server) % 2 === 0 ? names : names.toReversed(), once(nameOf('a')))));
    await Promise.all(counting.flat());
    assert.equal((await one.read(names)).counts.get(nameOf('a'))?.count, 60);
    assert.equal(await deadlocks(), atFirst);
  });
});
