/** rclone with each of the vendors that people choose for a server like this one. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';

const MTIME_S = 1_600_000_123;
const MIB = 1024 * 1024;

interface Vendor {
  readonly vendor: 'nextcloud' | 'owncloud' | 'other';
  root(name: string): string;
  /** Does it send and read modification times and checksums? */
  readonly hasTimes: boolean;
}

const VENDORS: readonly Vendor[] = [
  { vendor: 'nextcloud', root: (name) => `/remote.php/dav/files/${name}`, hasTimes: true },
  { vendor: 'owncloud', root: () => '/remote.php/webdav', hasTimes: true },
  { vendor: 'other', root: () => '/dav', hasTimes: false },
];

class Remote {
  readonly #vendor: Vendor;
  readonly #server: TestServer;
  readonly #user: DavClient;
  readonly #home: string;

  constructor(vendor: Vendor, server: TestServer, user: DavClient) {
    this.#vendor = vendor;
    this.#server = server;
    this.#user = user;
    this.#home = scratchFolder('rclone');
  }

  async address(path: string): Promise<string> {
    const { stdout } = await runWell('rclone', ['obscure', this.#user.password]);
    const { vendor } = this.#vendor;
    const url = this.#server.url + this.#vendor.root(this.#user.name);
    const login = `user=${this.#user.name},pass=${stdout.trim()}`;
    return `:webdav,url='${url}',vendor=${vendor},${login}:${path}`;
  }

  async rclone(...args: string[]): Promise<Outcome> {
    return run('rclone', ['--config', '/dev/null', '--retries', '1', ...args], {
      env: { HOME: this.#home }, timeoutMs: 120_000,
    });
  }

  async rcloneWell(...args: string[]): Promise<Outcome> {
    const outcome = await this.rclone(...args);
    assert.equal(outcome.code, 0, `rclone ${args[0]}: ${outcome.stderr}${outcome.stdout}`);
    return outcome;
  }
}

for (const vendor of VENDORS) {
  describe(`rclone as vendor ${vendor.vendor}`, { timeout: 600_000 }, () => {
    const servers = serverForTests();
    const local = scratchFolder('rclone-local');
    let user: DavClient;
    let remote: Remote;
    let address: string;

    before(async () => {
      needPrograms('rclone');
      const server = await servers.start();
      user = await server.addUser();
      remote = new Remote(vendor, server, user);
      address = await remote.address('dir');
      write(local, 'Grüße.txt', 'hello');
      write(local, 'sub/25 MiB.bin', seededBytes(25 * MIB, 'rclone'));
      write(local, 'sub/empty', '');
      write(local, 'sub/😀 e\u0301.txt', 'emoji and decomposed');
      mkdirSync(join(local, 'sub/below'));
      write(local, 'sub/below/#1 100%.txt', 'odd');
      utimesSync(join(local, 'Grüße.txt'), MTIME_S, MTIME_S);
    });

    it('copies a tree that the server then holds byte for byte', async () => {
      await remote.rcloneWell('copy', local, address);
      const held = await user.tree('dir');
      held.delete('dir');
      const below = new Map([...held].map(([path, value]) => [path.slice('dir/'.length), value]));
      assertSameTree(below, readTree(local), 'after copy');
    });

    it('checks the tree, by hashes where it knows them and by downloading', async () => {
      await remote.rcloneWell('check', local, address);
      await remote.rcloneWell('check', '--download', local, address);
    });

    it('notices a difference', async () => {
      await user.put('dir/Grüße.txt', 'hallo');
      const { code } = await remote.rclone('check', '--download', local, address);
      assert.equal(code, 1);
      await user.put('dir/Grüße.txt', 'hello', { 'X-OC-Mtime': MTIME_S });
    });

    if (vendor.hasTimes) {
      it('sees the modification time that was uploaded, and sends nothing twice', async () => {
        const { stdout } = await remote.rcloneWell('lsjson', '--hash', address, '-R');
        const listed = JSON.parse(stdout) as { Path: string; ModTime: string; Hashes?: unknown }[];
        const greeting = listed.find(({ Path: path }) => path === 'Grüße.txt');
        assert.equal(Date.parse(greeting?.ModTime ?? '') / 1000, MTIME_S);
        const second = await remote.rcloneWell('copy', '-v', '--dry-run', local, address);
        assert.doesNotMatch(second.stderr, /Skipped copy|Copied/);
      });
    }

    it('reads from an offset', async () => {
      const file = `${address}/Grüße.txt`;
      const { stdout } = await remote.rcloneWell('cat', '--offset', '2', '--count', '2', file);
      assert.equal(stdout, 'll');
    });

    it('tells how much room there is used', async () => {
      const { stdout } = await remote.rcloneWell('about', '--json', address);
      const { used } = JSON.parse(stdout) as { used?: number };
      assert.ok((used ?? 0) >= 25 * MIB, stdout);
    });

    it('moves and deletes single files', async () => {
      await remote.rcloneWell('moveto', `${address}/sub/empty`, `${address}/moved é.txt`);
      await remote.rcloneWell('deletefile', `${address}/sub/below/#1 100%.txt`);
      const paths = [...(await user.tree('dir')).keys()];
      assert.ok(paths.includes('dir/moved é.txt'));
      assert.ok(!paths.includes('dir/sub/empty'));
      assert.ok(!paths.includes('dir/sub/below/#1 100%.txt'));
    });

    it('syncs back into a local folder', async () => {
      const back = scratchFolder('rclone-back');
      write(back, 'stale.txt', 'goes away');
      await remote.rcloneWell('sync', '--create-empty-src-dirs', address, back);
      const wanted = new Map(readTree(local));
      wanted.delete('sub/below/#1 100%.txt');
      wanted.set('moved é.txt', wanted.get('sub/empty') ?? '');
      wanted.delete('sub/empty');
      assertSameTree(readTree(back), wanted, 'after sync back');
      if (!vendor.hasTimes) return;
      assert.equal(statSync(join(back, 'Grüße.txt')).mtimeMs, MTIME_S * 1000);
    });
  });
}
