/** Two servers whose users are on two nodes of one Galera cluster, which is whole. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import {
  MariadbIdentityStore,
} from '../../src/identity/stores/mariadb/mariadb-identity-store.ts';
import type { GaleraCluster } from '../../src/platform/mariadb/testing/index.ts';

const ALICE = parseUserId('alice');

export function testIdentityOnGalera(of: () => GaleraCluster): void {
  it('a change of a user at one node is seen at the next request at another, and none gets lost',
    async () => {
      const cluster = of();
      const { database } = await cluster.makeDatabase('users');
      const [one, two] = cluster.nodes.map((node) => node.address(database));
      assert.ok(one !== undefined && two !== undefined);
      await cluster.nodes[1]?.query('SET SESSION wsrep_sync_wait = 15; SHOW DATABASES');
      const ours = await MariadbIdentityStore.open({ address: one, create: true });
      const theirs = await MariadbIdentityStore.open({ address: two, create: true });
      await ours.addUser({
        id: ALICE, tenant: DEFAULT_TENANT, displayName: 'Alice', admin: false, disabled: false,
        passwordHash: undefined, email: undefined, createdAt: 1_000,
      });
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
}
