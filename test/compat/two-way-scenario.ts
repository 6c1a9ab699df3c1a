/**
 * One person, two devices, and everything that people do to files. After each step both devices
 * and the server must hold the same trees, byte for byte: an exit code of 0 has been seen beside
 * changes that never arrived.
 */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../support/deadline.ts';
import type { DavClient } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';
import { Replica } from './sync-program.ts';
import type { SyncProgram } from './sync-program.ts';

const MIB = 1024 * 1024;
/** A client leaves an item that failed alone for about 25 seconds. */
const BLACKLIST_MS = 26_000;

const PLAIN_TREE: Readonly<Record<string, string>> = {
  'plain.txt': 'plain',
  'Grüße aus Köln.txt': 'composed',
  'Cafe\u0301 decomposed.txt': 'decomposed: e and an accent of its own',
  '日本語/ファイル.txt': 'Japanese',
  'عربى/ملف.txt': 'Arabic',
  '😀 emoji 👩‍👩‍👧.txt': 'beyond the first plane, with joiners',
  'empty.bin': '',
  'a+b & c=d; e,f @ g [h] \'i\' #j %41 ~k!.txt': 'characters that addresses make trouble of',
  'deep/er/est/leaf.txt': 'three folders down',
  'folder/one.txt': 'one',
  'folder/sub/two.txt': 'two',
  'doomed/x.txt': 'x',
  'doomed/below/y.txt': 'y',
};

export function testTwoWaySync(program: SyncProgram): void {
  describe(`two devices with ${program.program}`, { timeout: 900_000 }, () => {
    new TwoWayScenario(program).declare();
  });
}

class TwoWayScenario {
  readonly #program: SyncProgram;
  readonly #servers = serverForTests();
  #server!: TestServer;
  #relay!: TcpRelay;
  #user!: DavClient;
  #a!: Replica;
  #b!: Replica;

  constructor(program: SyncProgram) {
    this.#program = program;
  }

  declare(): void {
    before(async () => {
      needPrograms(this.#program.program);
      this.#server = await this.#servers.start();
      this.#user = await this.#server.addUser();
      this.#relay = await TcpRelay.open(() => this.#server.port);
      const make = (label: string): Replica => new Replica(
        label, this.#program, this.#user.credentials, () => this.#relay.url,
      );
      [this.#a, this.#b] = [make('a'), make('b')];
    });
    after(async () => {
      await this.#relay?.close();
    });
    this.#declareTransfers();
    this.#declareChanges();
    this.#declareConflict();
    this.#declareLargeFiles();
    this.#declareInterruptions();
    this.#declareQuietRuns();
  }

  #declareTransfers(): void {
    it('uploads names of many scripts, an empty file and an empty folder', async () => {
      for (const [path, text] of Object.entries(PLAIN_TREE)) write(this.#a.folder, path, text);
      for (const path of this.#program.oddNames) write(this.#a.folder, path, 'odd');
      mkdirSync(join(this.#a.folder, 'empty folder'));
      await this.#syncWell(this.#a, 'upload');
      assertSameTree(await this.#user.tree(), readTree(this.#a.folder), 'server after upload');
    });

    it('downloads all of it on the other device', async () => {
      await this.#carry(this.#a, this.#b, 'download');
      assert.equal(readFileSync(join(this.#b.folder, 'empty.bin')).length, 0);
    });

    it('carries 1,000 small files', async () => {
      for (let n = 0; n < 1_000; n += 1) {
        write(this.#a.folder, `many/${n % 10}/file ${n}.txt`, `the content of file ${n}\n`);
      }
      await this.#carry(this.#a, this.#b, '1,000 files');
    });
  }

  #declareChanges(): void {
    it('carries an edit back', async () => {
      appendFileSync(join(this.#b.folder, 'plain.txt'), ', and edited on B');
      await this.#carry(this.#b, this.#a, 'edit');
    });

    it('carries a change three folders down', async () => {
      appendFileSync(join(this.#a.folder, 'deep/er/est/leaf.txt'), ', changed');
      write(this.#a.folder, 'deep/er/est/new leaf.txt', 'new');
      await this.#carry(this.#a, this.#b, 'deep change');
    });

    it('carries a renamed file and a moved folder, without sending their bytes again', async () => {
      const big = seededBytes(4 * MIB, 'moved');
      write(this.#a.folder, 'folder/sub/big.bin', big);
      await this.#carry(this.#a, this.#b, 'before the move');
      renameSync(join(this.#a.folder, 'plain.txt'), join(this.#a.folder, 'renamed é.txt'));
      renameSync(join(this.#a.folder, 'folder/sub'), join(this.#a.folder, 'deep/moved'));
      this.#relay.forget();
      await this.#carry(this.#a, this.#b, 'move');
      const dav = this.#relay.requests.filter(({ target }) => target.startsWith('/remote.php'));
      const bytes = dav.filter(({ method }) => method === 'GET' || method === 'PUT');
      assert.deepEqual(bytes, [], 'a move sent bytes');
      assert.equal(this.#relay.count('MOVE'), 2);
    });

    it('carries a deleted file and a deleted tree', async () => {
      rmSync(join(this.#b.folder, 'empty.bin'));
      rmSync(join(this.#b.folder, 'doomed'), { recursive: true });
      rmSync(join(this.#b.folder, 'empty folder'), { recursive: true });
      await this.#carry(this.#b, this.#a, 'deletion');
    });
  }

  #declareConflict(): void {
    it('keeps both versions of a file that both devices have changed', async () => {
      write(this.#a.folder, 'folder/one.txt', 'from device A');
      write(this.#b.folder, 'folder/one.txt', 'from device B, and longer');
      await this.#syncWell(this.#a, 'conflict, A');
      await this.#sync(this.#b);
      assertSameTree(readTree(this.#b.folder), readTree(this.#a.folder), 'after the conflict');
      const names = readdirSync(join(this.#b.folder, 'folder'));
      const copies = names.filter((name) => /conflict/.test(name));
      assert.equal(copies.length, 1, 'B keeps its own version as a conflict copy');
      const kept = readFileSync(join(this.#b.folder, 'folder', copies[0] ?? ''), 'utf8');
      assert.equal(kept, 'from device B, and longer');
      rmSync(join(this.#b.folder, 'folder', copies[0] ?? ''));
    });
  }

  #declareLargeFiles(): void {
    it('carries 50 MiB in pieces', async () => {
      write(this.#a.folder, 'large/fifty.bin', seededBytes(50 * MIB, 'fifty'));
      this.#relay.forget();
      await this.#carry(this.#a, this.#b, '50 MiB');
      assert.ok(this.#relay.count('MOVE') >= 1, 'it went in pieces');
    });

    it('overwrites with 30 MiB in pieces', async () => {
      write(this.#b.folder, 'large/fifty.bin', seededBytes(30 * MIB, 'thirty'));
      await this.#carry(this.#b, this.#a, '30 MiB overwrite');
    });
  }

  #declareInterruptions(): void {
    it('goes on with a large upload after the server was killed in the middle', async () => {
      write(this.#a.folder, 'large/cut by server.bin', seededBytes(50 * MIB, 'server kill'));
      this.#relay.forget();
      const half = this.#relay.passed(25 * MIB);
      const syncing = this.#a.startSync();
      await Promise.race([half, syncing.ended]);
      await this.#server.kill();
      await this.#server.startAgain();
      await syncing.end(120_000);
      await this.#carryInTime(this.#a, this.#b, 'server killed');
      const { sentBytes } = this.#relay;
      assert.ok(sentBytes < 90 * MIB, `${sentBytes} bytes were sent: no piece was kept`);
    });

    it('goes on with a large upload after the client was killed in the middle', async () => {
      write(this.#a.folder, 'large/cut by client.bin', seededBytes(50 * MIB, 'client kill'));
      const half = this.#relay.passed(25 * MIB);
      const syncing = this.#a.startSync();
      await Promise.race([half, syncing.ended]);
      syncing.kill('SIGKILL');
      await syncing.end(10_000);
      await this.#carryInTime(this.#a, this.#b, 'client killed');
    });

    it('survives a restart of the server while many files are going up', async () => {
      for (let n = 0; n < 150; n += 1) {
        write(this.#a.folder, `restart/file ${n}.bin`, seededBytes(20_000 + n, `restart ${n}`));
      }
      const some = this.#relay.passed(1 * MIB);
      const syncing = this.#a.startSync();
      await Promise.race([some, syncing.ended]);
      await this.#server.restart();
      // owncloudcmd 2.11 asks for each sent file's permissions and waits for ever when a restart
      // cuts that answer off, with no request under way. Whoever uses it starts it again; what
      // counts is that the next run carries everything.
      await Promise.race([syncing.ended, sleep(30_000)]);
      syncing.kill('SIGKILL');
      await syncing.end(10_000);
      await this.#carryInTime(this.#a, this.#b, 'restart');
    });
  }

  #declareQuietRuns(): void {
    it('asks once and moves nothing when nothing has changed', async () => {
      await this.#carry(this.#a, this.#b, 'settling');
      this.#relay.forget();
      await this.#syncWell(this.#b, 'no-op');
      const dav = this.#relay.requests.filter(({ target }) => target.startsWith('/remote.php'));
      const shown = dav.map(({ method, target }) => `${method} ${target}`).join('\n');
      assert.equal(dav.length, 1, `one PROPFIND of the root is enough:\n${shown}`);
      assert.equal(dav[0]?.method, 'PROPFIND');
    });

    it('starts anew on an empty folder and receives the whole tree', async () => {
      const fresh = new Replica(
        'fresh', this.#program, this.#user.credentials, () => this.#relay.url,
      );
      await this.#syncWell(fresh, 'fresh device');
      assertSameTree(readTree(fresh.folder), readTree(this.#a.folder), 'fresh device');
    });
  }

  async #sync(replica: Replica): Promise<{ code: number | undefined; tail: string }> {
    return replica.sync();
  }

  async #syncWell(replica: Replica, what: string): Promise<void> {
    const { code, tail } = await this.#sync(replica);
    assert.equal(code, 0, `${what}: the client ended with ${code}\n${tail}`);
  }

  /** Syncs `from`, then `to`, and compares both with the server. */
  async #carry(from: Replica, to: Replica, what: string): Promise<void> {
    const wanted = readTree(from.folder);
    await this.#syncWell(from, `${what}, first device`);
    await this.#syncWell(to, `${what}, second device`);
    assertSameTree(readTree(from.folder), wanted, `${what}, first device`);
    assertSameTree(readTree(to.folder), wanted, `${what}, second device`);
    assertSameTree(await this.#user.tree(), wanted, `${what}, server`);
  }

  /** As above, but a client that was disturbed may leave items alone for a while first. */
  async #carryInTime(from: Replica, to: Replica, what: string): Promise<void> {
    const { code } = await this.#sync(from);
    if (code !== 0) await sleep(BLACKLIST_MS);
    await this.#carry(from, to, what);
  }
}
