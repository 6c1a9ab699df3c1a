/** Every mistake is told at once, and nothing starts with a setting that means nothing. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { write } from '../support/trees.ts';

const MISTAKEN = `
[server]
listen = "127.0.0.1:99999"
lisen = "127.0.0.1:1"
drain_seconds = "soon"

[log]
level = "chatty"

[files]
case_policy = "maybe"
quota = "-5"

[nonsense]
x = 1
`;

const WRONG_KEYS = [
  'listen', 'lisen', 'drain_seconds', 'level', 'case_policy', 'quota', 'nonsense',
];

describe('the configuration', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const folder = scratchFolder('config');

  it('lists every mistake of a file, each with its line', async () => {
    write(folder, 'bad.toml', MISTAKEN);
    const args = ['config', 'check', '--config', join(folder, 'bad.toml')];
    const { code, stderr, stdout } = await run(PROGRAM, args);
    assert.equal(code, 2);
    const said = stderr + stdout;
    for (const word of WRONG_KEYS) {
      assert.match(said, new RegExp(`line \\d+: .*${word}`), `not a word of ${word}:\n${said}`);
    }
    assert.match(said, /Did you mean server\.listen/);
  });

  it('does not start with such a file, and says the same', async () => {
    write(folder, 'bad.toml', MISTAKEN);
    const args = ['serve', '--data', join(folder, 'never'), '--config', join(folder, 'bad.toml')];
    const { code, stderr } = await run(PROGRAM, args, { timeoutMs: 60_000 });
    assert.equal(code, 2);
    assert.match(stderr, /lisen/);
    assert.match(stderr, /case_policy/);
  });

  it('refuses unknown environment variables of its own prefix', async () => {
    const { code, stderr } = await run(PROGRAM, ['config', 'check'], {
      env: { HOLDFAST_SERVER_LISSEN: 'x' },
    });
    assert.equal(code, 2);
    assert.match(stderr, /HOLDFAST_SERVER_LISSEN/);
  });

  it('refuses a file that is not there, and one that is not TOML', async () => {
    write(folder, 'not.toml', 'this is = = not toml');
    for (const name of ['absent.toml', 'not.toml']) {
      const { code } = await run(PROGRAM, ['config', 'check', '--config', join(folder, name)]);
      assert.notEqual(code, 0, name);
    }
  });

  it('shows what is in force and where it comes from', async () => {
    write(folder, 'good.toml', '[files]\nquota = "10 MiB"\n[log]\nlevel = "debug"\n');
    const { code, stdout } = await run(
      PROGRAM,
      ['config', 'show', '--config', join(folder, 'good.toml'), '--listen', '127.0.0.1:1234'],
      { env: { HOLDFAST_LOG_LEVEL: 'warn' } },
    );
    assert.equal(code, 0);
    assert.match(stdout, /level = "warn"\s+# HOLDFAST_LOG_LEVEL/);
    assert.match(stdout, /listen = "127\.0\.0\.1:1234"\s+# --listen/);
    assert.match(stdout, /quota = .*# .*good\.toml/);
  });

  it('serves by a file and by flags, the flags winning', async () => {
    write(folder, 'serve.toml', '[server]\nlisten = "127.0.0.1:1"\n');
    const server = await servers.start({ args: ['--config', join(folder, 'serve.toml')] });
    assert.notEqual(server.port, 1);
  });

  it('answers wrong usage with 2 and a hint', async () => {
    for (const args of [['serv'], ['serve', '--lisen', 'x'], ['user', 'ad'], []]) {
      const { code, stderr, stdout } = await run(PROGRAM, args);
      assert.equal(code, 2, `holdfast ${args.join(' ')}`);
      assert.ok((stderr + stdout).length > 20);
    }
  });
});
