/** A tenant of a real server moves from its file to a MariaDB server while a client writes; and
 *  back. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { ScratchServer, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { run, runWell } from '../support/command.ts';
import { envOf, passwordFiles, urlOf } from '../support/database.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { DavClient } from '../support/dav-client.ts';

describe('a tenant that is moved by command', { timeout: 300_000 }, () => {
  const servers = serverForTests();
  let databases: ScratchServer;
  before(async () => {
    databases = await ScratchServer.start();
  });
  after(() => databases.stop());

  it('keeps all files, also when the server is killed in between, and comes back', async (t) => {
    // Triggers are made by the second user: the first one may only change rows.
    const { HOLDFAST_DATABASE_URL: _, HOLDFAST_DATABASE_PASSWORD_PATH: __, ...env } =
      envOf(databases, 'far');
    const server = await servers.start({ env });
    const tell = async (...words: string[]): Promise<string> =>
      (await runWell(PROGRAM, [...words, '--data', server.data])).stdout;
    await tell('tenant', 'add', 'acme');
    const eve = await server.addUser({ name: 'eve', args: ['--tenant', 'acme'] });
    const stay = await server.addUser({ name: 'stay' });
    assert.equal((await stay.put('neighbour.txt', 'stays')).status, 201);
    assert.equal((await eve.put('first.txt', 'first')).status, 201);
    await addFarShard(tell);
    const tables = 'SELECT (SELECT COUNT(*) FROM node), (SELECT COUNT(*) FROM space)';
    assert.deepEqual(await databases.query(tables, 'far'), [[0, 0]]);

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
    await tell('tenant', 'move', 'acme', '--to', '1');
    await stateIs(tell, 'shard 0 to 1\treverse');
    isEnding = true;
    await writing;
    await check(eve, acknowledged);
    const [[nodes, spaces] = []] = await databases.query(tables, 'far');
    assert.equal(spaces, 1);
    assert.ok(Number(nodes) > acknowledged.length, 'files and the root');
    const status = await tell('tenant', 'move', 'status');
    const [, freezeMs] = /writers waited (\d+) ms/.exec(status) ?? [];
    t.diagnostic(`${acknowledged.length} files, frozen ${freezeMs} ms, ${refusals} refusals, `
      + `longest write ${Math.round(longestMs)} ms`);
    assert.ok(freezeMs !== undefined, status);

    await server.stop();
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: 'metadata.move-flipped' } });
    const back = await run(PROGRAM, ['tenant', 'move', 'back', 'acme', '--data', server.data], {
      timeoutMs: 60_000,
    });
    assert.ok([0, 1].includes(back.code ?? 1));
    await eventually(60_000, 'the server dies', () => !server.isRunning);
    await server.startAgain();
    await stateIs(tell, 'shard 1 to 0\treverse');
    await check(eve, acknowledged);
    assert.equal((await eve.put('last.txt', 'home')).status, 201);
    await tell('tenant', 'move', 'finish', 'acme');
    await stateIs(tell, 'shard 1 to 0\tdone');
    assert.deepEqual(await databases.query(tables, 'far'), [[0, 0]]);
    const refused = await run(PROGRAM,
      ['tenant', 'move', 'acme', '--to', '7', '--data', server.data]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /no shard 7/);
  });

  type Tell = (...words: string[]) => Promise<string>;

  async function addFarShard(tell: Tell): Promise<void> {
    await databases.query('CREATE DATABASE far');
    await letLeastUsersIn(databases, 'far');
    const { serving } = passwordFiles(databases);
    await tell('shard', 'add', 'far', urlOf(databases.port, 'far'), '--password-path', serving);
  }

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
