/** A shard leaves: it is closed, emptied while the server dies in between, and removed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run, runWell } from '../support/command.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';

const WAIT_MS = 90_000;

describe('a shard that is to leave', { timeout: 480_000 }, () => {
  const servers = serverForTests();

  it('is emptied also when the server dies in between, and removed for good', async () => {
    const server = await servers.start();
    const ask = (...words: string[]) => run(PROGRAM, [...words, '--data', server.data]);
    const tell = async (...words: string[]): Promise<string> =>
      (await runWell(PROGRAM, [...words, '--data', server.data])).stdout;
    const refuses = async (why: RegExp, ...words: string[]): Promise<void> => {
      const { code, stdout, stderr } = await ask(...words);
      assert.equal(code, 3, stdout);
      assert.match(stderr, why);
    };
    await tell('shard', 'add', 'old', 'sqlite:shards/old.db');
    await tell('shard', 'close', 'main'); // So that all are on the one that is to leave.
    const users = await Promise.all(['acme', 'byte'].map(async (tenant) => {
      await tell('tenant', 'add', tenant);
      const user = await server.addUser({ name: `of-${tenant}`, args: ['--tenant', tenant] });
      assert.equal((await user.put('kept.txt', tenant)).status, 201);
      return user;
    }));
    await refuses(/can go nowhere/, 'shard', 'drain', 'old');
    assert.match(await tell('shard', 'list'), /^1\told\topen\t2\t2\t/m, 'refused, nothing closes');
    await tell('shard', 'open', 'main');

    await server.stop();
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: 'metadata.move-flipped' } });
    await ask('shard', 'drain', 'old'); // It may die before it has answered.
    await eventually(WAIT_MS, 'the server dies', () => !server.isRunning);
    await server.startAgain();
    await eventually(WAIT_MS, 'it goes on by itself', async () =>
      /^shard 1\tdone\t2 of 2 tenants moved/m.test(await tell('shard', 'drain', 'status')));
    assert.match(await tell('shard', 'list'), /^1\told\tclosed\t0\t0\t.*\t2 may come back$/m);
    for (const [at, user] of users.entries()) {
      assert.equal((await user.get('kept.txt')).text, ['acme', 'byte'][at]);
      assert.equal((await user.put('after.txt', 'x')).status, 201);
    }

    await refuses(/not over: acme, byte/, 'shard', 'remove', 'old');
    for (const tenant of ['acme', 'byte']) await tell('tenant', 'move', 'finish', tenant);
    await eventually(WAIT_MS, 'it may be removed', async () =>
      (await ask('shard', 'remove', 'old')).code === 0);
    await refuses(/was removed/, 'shard', 'open', 'old');
    await refuses(/Neither is used twice/, 'shard', 'add', 'old', 'sqlite:shards/third.db');
    assert.match(await tell('shard', 'add', 'third', 'sqlite:shards/third.db'), /added shard 2:/);
    await server.restart();
    assert.match(await tell('shard', 'list'), /^1\told\tremoved\t0\t/m);
    assert.equal((await users[0]?.get('after.txt'))?.text, 'x');
  });
});
