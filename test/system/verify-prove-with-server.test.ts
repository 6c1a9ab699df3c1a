/** `holdfast verify prove` where a shard is on MariaDB: what it needs, and what is left of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { run, runWell, RunningCommand } from '../support/command.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

/** Each canary is a database with all tables: seconds on a busy server. */
const WAIT_MS = 150_000;

describe('verify prove with a shard on MariaDB', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let databases: ScratchServer;
  let server: TestServer;
  let statement = '';

  before(async () => {
    databases = await ScratchServer.start();
    await databases.query('CREATE DATABASE far');
    await databases.query('CREATE USER holdfast@\'127.0.0.1\' IDENTIFIED BY \'open sesame\'');
    await databases.query('GRANT ALL ON far.* TO holdfast@\'127.0.0.1\'');
    server = await servers.start();
    const passwordPath = join(server.data, 'far-password');
    writeFileSync(passwordPath, 'open sesame\n', { mode: 0o600 });
    await runWell(PROGRAM, ['shard', 'add', 'far',
      `mariadb://holdfast@127.0.0.1:${databases.port}/far`, '--password-path', passwordPath,
      '--data', server.data]);
  });
  after(() => databases.stop());

  const words = (): string[] => ['verify', 'prove', '--data', server.data];

  async function canaryCount(): Promise<number> {
    const rows = await databases.query(`SELECT 1 FROM information_schema.schemata
      WHERE schema_name LIKE 'holdfast\\_canary\\_%'`);
    return rows.length;
  }

  it('is refused at once, with what to say, when the database\'s user may not make a canary',
    async () => {
      const { code, stdout, stderr } = await run(PROGRAM, words());
      assert.equal(code, 3, stdout + stderr);
      assert.match(stderr, /MariaDB \(far\)[^]*Nothing was planted/);
      statement = /GRANT .*;/.exec(stderr)?.[0] ?? '';
      assert.equal(await canaryCount(), 0);
      const { stdout: status } = await run(PROGRAM, ['verify', 'status', '--data', server.data]);
      assert.doesNotMatch(status, /were last proved/);
    });

  it('plants there when that was said, and removes all of it when it is told to stop',
    async () => {
      await databases.query(statement.replace('HOST', '127.0.0.1'));
      const proof = new RunningCommand(PROGRAM, words());
      await eventually(WAIT_MS, 'faults are planted', async () => await canaryCount() > 3);
      proof.kill('SIGTERM');
      const { code, stdout, stderr } = await proof.end(WAIT_MS);
      assert.equal(code, 1, stdout + stderr);
      assert.match(stderr, /Nothing that was planted is left/);
      assert.equal(await canaryCount(), 0);
    });
});
