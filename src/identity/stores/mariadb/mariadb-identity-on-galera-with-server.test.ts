/** Two servers whose users are on two nodes of one Galera cluster. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parseUserId } from '../../../base/ids.ts';
import { GaleraCluster } from '../../../platform/mariadb/testing/index.ts';
import { sampleUser } from '../../identity-store.conformance.ts';
import { MariadbIdentityStore } from './mariadb-identity-store.ts';

const ALICE = parseUserId('alice');

let cluster: GaleraCluster;
before(async () => {
  cluster = await GaleraCluster.start();
});
after(() => cluster.stop());

it('a change at one node is seen at the next request at another, and none gets lost', async () => {
  const { database } = await cluster.makeDatabase('users');
  const [one, two] = cluster.nodes.map((node) => node.address(database));
  assert.ok(one !== undefined && two !== undefined);
  await cluster.nodes[1]?.query('SET SESSION wsrep_sync_wait = 15; SHOW DATABASES');
  const ours = await MariadbIdentityStore.open({ address: one, create: true });
  const theirs = await MariadbIdentityStore.open({ address: two, create: true });
  await ours.addUser(sampleUser(ALICE));
  let mark = await theirs.changeMark();
  for (let time = 0; time < 200; time += 1) {
    const user = await ours.updateUser(ALICE, { displayName: `name ${time}` });
    const now = await theirs.changeMark();
    assert.ok(now > mark, `change ${time} is seen`);
    assert.deepEqual(await theirs.findUser(ALICE), user);
    mark = now;
  }
  const changes = Array.from({ length: 40 }, (_, n) =>
    (n % 2 === 0 ? ours : theirs).updateUser(ALICE, { displayName: `both ${n}` }));
  const revs = (await Promise.all(changes)).map(({ rev }) => rev);
  assert.equal(new Set(revs).size, 40);
  assert.equal((await theirs.findUser(ALICE))?.rev, 241);
  await ours.close();
  await theirs.close();
});
