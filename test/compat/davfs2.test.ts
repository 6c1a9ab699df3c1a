/**
 * A mounted folder, through the kernel. Runs where /dev/fuse exists, and says so in its name.
 * Listing and removing are left out: on some kernels this client fails at them with any server.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, runWell } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { fingerprint } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { seededBytes, write } from '../support/trees.ts';

const CAN_MOUNT = existsSync('/dev/fuse') && process.getuid?.() === 0;

if (CAN_MOUNT) {
  describe('davfs2, where /dev/fuse and root are there', { timeout: 600_000 }, () => {
    const servers = serverForTests();
    const home = scratchFolder('davfs');
    let server: TestServer;
    let user: DavClient;

    before(async () => {
      needPrograms('mount.davfs');
      server = await servers.start();
      user = await server.addUser();
    });

    it('writes, appends, renames and reads through a mounted folder', async () => {
      const url = `${server.url}/remote.php/dav/files/ada/`;
      const mount = join(home, 'mount');
      mkdirSync(mount);
      mkdirSync(join(home, 'cache'));
      write(home, 'local.bin', seededBytes(700_000, 'davfs'));
      write(home, 'secrets', `${url} ${user.name} ${user.password}\n`);
      write(home, 'davfs2.conf', [
        `cache_dir ${home}/cache`, 'use_locks 1', 'ask_auth 0', 'delay_upload 0',
        `secrets ${home}/secrets`, '',
      ].join('\n'));
      await runWell('chmod', ['600', join(home, 'secrets')]);
      // It goes on as a user of its own.
      await runWell('chmod', ['755', home]);
      await runWell('chmod', ['777', join(home, 'cache')]);
      const options = `conf=${home}/davfs2.conf,uid=root`;
      await runWell('/usr/sbin/mount.davfs', ['-o', options, url, mount]);
      try {
        await runWell('sh', ['-c', [
          'set -e', `cp '${home}/local.bin' 'ü copied.bin'`, 'mkdir inside',
          'echo one > inside/text', 'echo two >> inside/text',
          'mv inside/text "inside/moved text"', 'cat "inside/moved text"',
        ].join('\n')], { cwd: mount });
      } finally {
        await run('umount', [mount], { timeoutMs: 60_000 });
      }
      assert.deepEqual(await user.tree(), new Map([
        ['inside', 'folder'],
        ['inside/moved text', fingerprint(Buffer.from('one\ntwo\n'))],
        ['ü copied.bin', fingerprint(seededBytes(700_000, 'davfs'))],
      ]));
    });
  });
}
