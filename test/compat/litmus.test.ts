/** The protocol suite of the neon library, against each address under which files appear. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { RunningCommand } from '../support/command.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

/** basic 16, copymove 13, props 30, locks 41, http 4. */
const TESTS = 104;

describe('litmus', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let server: TestServer;
  before(async () => {
    needPrograms('litmus');
    server = await servers.start();
    await server.addUser();
  });

  for (const root of ['/remote.php/dav/files/ada/', '/remote.php/webdav/', '/dav/']) {
    it(`passes without a failure or a warning on ${root}`, async () => {
      const { name, password } = server.client('ada', 'correct-horse-battery');
      const args = ['-k', server.url + root, name, password];
      const command = new RunningCommand('litmus', args, { cwd: scratchFolder('litmus') });
      const { stdout } = await command.end(90_000);
      const complaints = stdout.split('\n').filter((line) => /FAIL|WARNING/.test(line));
      assert.deepEqual(complaints, [], command.tail(150));
      assert.equal(passedIn(stdout), TESTS, command.tail(150));
    });
  }
});

function passedIn(output: string): number {
  const summaries = output.matchAll(/(\d+) passed, 0 failed/g);
  return [...summaries].reduce((sum, [, passed]) => sum + Number(passed), 0);
}
