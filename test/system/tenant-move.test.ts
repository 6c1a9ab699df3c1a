/** A tenant of a real server moves to another shard while a client writes; and back. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { run, runWell } from '../support/command.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { DavClient } from '../support/dav-client.ts';

describe('a tenant that is moved by command', { timeout: 300_000 }, () => {
  const servers = serverForTests();

  it('keeps all files, also when the server is killed in between, and comes back', async (t) => {
    const server = await servers.start();
    const tell = async (...words: string[]): Promise<string> =>
      (await runWell(PROGRAM, [...words, '--data', server.data])).stdout;
    await tell('tenant', 'add', 'acme');
    await tell('shard', 'add', 'two', 'sqlite:shards/two.db');
    const eve = await server.addUser({ name: 'eve', args: ['--tenant', 'acme'] });
    const stay = await server.addUser({ name: 'stay' });
    assert.equal((await stay.put('neighbour.txt', 'stays')).status, 201);
    assert.equal((await eve.put('first.txt', 'first')).status, 201);

    const acknowledged: string[] = ['first.txt'];
    let isEnding = false;
    let refusals = 0;
    let longestMs = 0;
    const write = async (): Promise<void> => {
      for (let at = 0; !isEnding; at += 1) {
        const begun = performance.now();
        const name = `file-${at}.txt`;
        for (;;) {
          const answer = await eve.put(name, name).catch(() => undefined);
          if (answer?.status === 201 || answer?.status === 204) break;
          if (answer === undefined || answer.status === 502) return; // The server was killed.
          assert.equal(answer.status, 503, answer.text);
          assert.equal(answer.headers['retry-after'], '1');
          refusals += 1;
        }
        longestMs = Math.max(longestMs, performance.now() - begun);
        acknowledged.push(name);
      }
    };
    const writing = write();
    // A new tenant goes to the least loaded shard: from there it goes to the other one.
    const place = await tell('tenant', 'move', 'acme', '--to', '1').then(() => 0, () => 1);
    if (place === 1) await tell('tenant', 'move', 'acme', '--to', '0');
    await stateIs(tell, `shard ${place} to ${1 - place}\treverse`);
    isEnding = true;
    await writing;
    await check(eve, acknowledged);
    const status = await tell('tenant', 'move', 'status');
    const [, freezeMs] = /writers waited (\d+) ms/.exec(status) ?? [];
    t.diagnostic(`${acknowledged.length} files, frozen ${freezeMs} ms, ${refusals} refusals, `
      + `longest write ${Math.round(longestMs)} ms`);
    assert.ok(Number(freezeMs) <= 2_000, status);

    await server.stop();
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: 'metadata.move-flipped' } });
    const back = await run(PROGRAM, ['tenant', 'move', 'back', 'acme', '--data', server.data], {
      timeoutMs: 60_000,
    });
    assert.ok([0, 1].includes(back.code ?? 1));
    await eventually(60_000, 'the server dies', () => !server.isRunning);
    await server.startAgain();
    await stateIs(tell, `shard ${1 - place} to ${place}\treverse`);
    await check(eve, acknowledged);
    assert.equal((await eve.put('last.txt', 'home')).status, 201);
    await tell('tenant', 'move', 'finish', 'acme');
    await stateIs(tell, `shard ${1 - place} to ${place}\tdone`);
    const refused = await run(PROGRAM,
      ['tenant', 'move', 'acme', '--to', '7', '--data', server.data]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /no shard 7/);
  });

  type Tell = (...words: string[]) => Promise<string>;

  async function stateIs(tell: Tell, state: string): Promise<void> {
    await eventually(60_000, state, async () => {
      const status = await tell('tenant', 'move', 'status');
      assert.doesNotMatch(status, /TROUBLE/);
      return status.includes(`\t${state}\t`);
    });
  }

  async function check(eve: DavClient, names: readonly string[]): Promise<void> {
    for (const name of names.slice(0, 50)) {
      const { status, text } = await eve.get(name);
      assert.equal(status, 200, name);
      assert.equal(text, name === 'first.txt' ? 'first' : name);
    }
  }
});
