/** What the file managers of GNOME and others do, through the same service that they use. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { RunningCommand } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { fingerprint } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { readTree, seededBytes, write } from '../support/trees.ts';

describe('gvfs', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const home = scratchFolder('gvfs');
  let server: TestServer;
  let user: DavClient;

  before(async () => {
    needPrograms('gio', 'dbus-run-session', '/usr/libexec/gvfsd', '/usr/libexec/gvfsd-dav');
    server = await servers.start();
    user = await server.addUser();
    write(home, 'local é.bin', seededBytes(2_000_000, 'gvfs'));
  });

  /** All in one session bus: a mount lives as long as its session. */
  async function inSession(script: readonly string[]): Promise<{ stdout: string; tail: string }> {
    const mount = `printf '%s\\n%s\\n' '${user.name}' '${user.password}' | gio mount "$B"`;
    const command = new RunningCommand('dbus-run-session', [
      '--', 'sh', '-c', ['set -e', mount, ...script].join('\n'),
    ], {
      cwd: home,
      env: {
        HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: home, GVFS_DISABLE_FUSE: '1',
        GIO_USE_VFS: 'gvfs', B: `dav://127.0.0.1:${server.port}/remote.php/dav/files/ada`,
      },
    });
    const outcome = await command.end(90_000);
    assert.equal(outcome.code, 0, command.tail());
    return { stdout: outcome.stdout, tail: command.tail() };
  }

  it('mounts, makes folders, copies up and down, renames, lists and removes', async () => {
    const { stdout, tail } = await inSession([
      'gio mkdir "$B/t"',
      'gio copy "local é.bin" "$B/t/up ü.bin"',
      'gio copy "local é.bin" "$B/t/doomed.bin"',
      'gio rename "$B/t/up ü.bin" "renamed 😀.bin"',
      'gio remove "$B/t/doomed.bin"',
      'gio mkdir "$B/empty"',
      'gio remove "$B/empty"',
      'gio copy "$B/t/renamed 😀.bin" back.bin',
      'gio list "$B/t"',
      'gio cat "$B/t/renamed 😀.bin" | wc -c',
    ]);
    const wanted = fingerprint(seededBytes(2_000_000, 'gvfs'));
    assert.deepEqual(await user.tree(), new Map([
      ['t', 'folder'], ['t/renamed 😀.bin', wanted],
    ]), tail);
    assert.equal(readTree(home).get('back.bin'), wanted);
    assert.match(stdout, /renamed 😀\.bin\n2000000/);
  });

  it('refuses a wrong password', async () => {
    const right = user;
    user = server.client('ada', 'wrong password at all');
    await assert.rejects(inSession(['true']));
    user = right;
  });
});
