import { after, before } from 'node:test';
import { systemClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
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

testFailureCounts('MariadbFailureCounts', async () => {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureFailureTables(session);
  await session.end();
  const open = (more: { sweepEveryMs?: number }): MariadbFailureCounts => {
    const counts = new MariadbFailureCounts({
      address, clock: systemClock, countMax: COUNT_MAX, ...more,
    });
    opened.push(counts);
    return counts;
  };
  const sweeper = open({ sweepEveryMs: 0 });
  return {
    counts: open({}), other: open({}), countMax: COUNT_MAX,
    // Nothing is changed by it but what goes.
    sweep: () => sweeper.update([nameOf('24-')], () => new Map()),
  };
});
