/** A shard is emptied by one of two servers, which dies in the middle. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import { TwoNodes } from '../support/two-nodes.ts';

const WAIT_MS = 120_000;
const TENANTS = ['acme', 'byte', 'cube'];

describe('a shard that one of two servers empties', { timeout: 480_000 }, () => {
  const servers = serverForTests();
  let nodes: TwoNodes;
  before(async () => {
    // It moves the second tenant, and dies before anybody but the directory knows.
    nodes = await TwoNodes.start(servers, {}, { HOLDFAST_FAILPOINT: 'metadata.move-flipped:2' });
  });
  after(() => nodes.stop());

  const tell = async (node: 'one' | 'two', ...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nodes.command(node, ...words);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('is emptied by the other one when that one dies in the middle', async () => {
    const { one, two } = nodes;
    await tell('one', 'shard', 'add', 'old', ...await nodes.anotherDatabase());
    await tell('one', 'shard', 'close', 'main'); // So that all are on the one that is to leave.
    const users = [];
    for (const tenant of TENANTS) {
      await tell('one', 'tenant', 'add', tenant);
      const user = await two.addUser({ name: `of-${tenant}`, args: ['--tenant', tenant] });
      await eventually(WAIT_MS, `${tenant} may write`, async () =>
        (await user.put('kept.txt', tenant)).status === 201);
      users.push(user);
    }
    assert.match(await tell('one', 'shard', 'list'), /^1\told\topen\t3\t/m);
    await tell('one', 'shard', 'open', 'main');

    // Asked of the one that moves no tenants.
    await tell('two', 'shard', 'drain', 'old');
    const status = () => tell('two', 'shard', 'drain', 'status');
    await eventually(WAIT_MS, 'the first one has died', () => !one.isRunning);
    assert.match(await status(), /^shard 1\tdraining\t[12] of 3 tenants moved/m);

    await eventually(WAIT_MS, 'the other one has done the rest', async () =>
      /^shard 1\tdone\t3 of 3 tenants moved/m.test(await status()));
    assert.match(await tell('two', 'shard', 'list'), /^1\told\tclosed\t0\t/m);
    for (const [at, user] of users.entries()) {
      assert.equal((await user.get('kept.txt')).text, TENANTS[at]);
      await eventually(WAIT_MS, 'it may be written', async () =>
        (await user.put('after.txt', 'x')).status === 201);
    }
  });
});
