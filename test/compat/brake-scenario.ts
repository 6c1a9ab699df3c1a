/**
 * One device of two goes mad: it deletes a folder full of files and writes over others. The other
 * one must lose nothing before somebody has decided, and the first one must neither loop nor take
 * anything for deleted that is only held.
 */
import { before, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { sleep } from '../support/deadline.ts';
import type { DavClient } from '../support/dav-client.ts';
import { PROGRAM } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import type { TcpRelay } from '../support/tcp-relay.ts';
import { assertSameTree, readTree, write } from '../support/trees.ts';
import { nextcloudcmd, Replica } from './sync-program.ts';

const LIMIT = 20;
const WINDOW_MS = 1_000;
/** A folder goes in one request, so no clock decides whether the limit is passed. */
const PHOTOS = 30;

/** For the server that the scenario runs on. */
export const BRAKE_SETTINGS = {
  HOLDFAST_FILES_MASS_CHANGE_LIMIT: String(LIMIT),
  HOLDFAST_FILES_MASS_CHANGE_WINDOW: String(WINDOW_MS / 1000),
};

export function testBrake(parts: () => { server: TestServer; relay: TcpRelay }): void {
  let cleo: DavClient;
  let laptop: Replica;
  let phone: Replica;

  before(async () => {
    const { server, relay } = parts();
    cleo = await server.addUser({ name: 'cleo' });
    const made = await cleo.ask('GET', '/ocs/v2.php/core/getapppassword?format=json', {
      headers: { 'OCS-APIRequest': 'true', 'User-Agent': 'laptop' },
    });
    const { ocs } = JSON.parse(made.text) as { ocs: { data: { apppassword: string } } };
    const app = { name: 'cleo', password: ocs.data.apppassword };
    laptop = new Replica('laptop', nextcloudcmd, app, () => relay.url);
    phone = new Replica('phone', nextcloudcmd, cleo.credentials, () => server.url);
    for (let n = 0; n < PHOTOS; n += 1) write(laptop.folder, `photos/${n}.jpg`, `photo ${n}`);
    for (const name of ['a', 'b', 'c']) write(laptop.folder, `notes/${name}.txt`, `note ${name}`);
    await sync(laptop);
    await sync(phone);
  });

  async function sync(replica: Replica): Promise<void> {
    const { code, tail } = await replica.sync();
    assert.equal(code, 0, tail);
  }

  async function holdfast(...args: string[]): Promise<string> {
    const { data } = parts().server;
    const { code, stdout, stderr } = await run(PROGRAM, [...args, '--data', data], {
      timeoutMs: 60_000,
    });
    assert.equal(code, 0, `${stdout}${stderr}`);
    return stdout;
  }

  /** All that is there counts as old once this has passed. */
  async function age(): Promise<void> {
    const since = performance.now();
    while (performance.now() - since < WINDOW_MS * 1.2) await sleep(50);
  }

  /** What a client changes on the server, in one sync. */
  async function changes(replica: Replica): Promise<string[]> {
    const { relay } = parts();
    relay.forget();
    await sync(replica);
    return relay.requests.filter(({ method }) => !['GET', 'PROPFIND', 'HEAD'].includes(method))
      .map(({ method, target }) => `${method} ${target}`);
  }

  it('a device that deletes and overwrites very much does not notice a thing', async () => {
    await age();
    rmSync(join(laptop.folder, 'photos'), { recursive: true });
    await sync(laptop);
    write(laptop.folder, 'notes/a.txt', 'scrambled');
    renameSync(join(laptop.folder, 'notes/b.txt'), join(laptop.folder, 'notes/b.txt.locked'));
    rmSync(join(laptop.folder, 'notes/c.txt'));
    write(laptop.folder, 'pay.txt', 'or else');
    await sync(laptop);
    const wanted = readTree(laptop.folder);
    assert.equal(existsSync(join(laptop.folder, 'photos')), false);
    assert.deepEqual(await changes(laptop), [], 'it has nothing more to do');
    assertSameTree(readTree(laptop.folder), wanted, 'the laptop');
  });

  it('the other device goes on with all that it had, and gets what is new', async () => {
    await sync(phone);
    const tree = readTree(phone.folder);
    assert.equal([...tree.keys()].filter((path) => path.startsWith('photos/')).length, PHOTOS);
    assertSameTree(tree, await cleo.tree(), 'the phone');
    for (const path of ['notes/a.txt', 'notes/c.txt', 'notes/b.txt.locked', 'pay.txt']) {
      assert.ok(tree.has(path), path);
    }
    write(phone.folder, 'notes/d.txt', 'by the phone');
    await sync(phone);
    await sync(laptop);
    assert.ok(existsSync(join(laptop.folder, 'notes/d.txt')));
    assert.equal(existsSync(join(laptop.folder, 'photos')), false);
  });

  it('undo brings all of it back to the device', async () => {
    const [id = ''] = (await holdfast('brake', 'list')).split('\t');
    await holdfast('brake', 'undo', id, '--yes');
    await sync(laptop);
    await sync(phone);
    const wanted = await cleo.tree();
    assert.ok(wanted.has('photos/7.jpg') && wanted.has('notes/c.txt'));
    assertSameTree(readTree(laptop.folder), wanted, 'the laptop');
    assertSameTree(readTree(phone.folder), wanted, 'the phone');
    assert.deepEqual(await changes(laptop), []);
  });

  it('keep takes it from everybody', async () => {
    await age();
    rmSync(join(laptop.folder, 'photos'), { recursive: true });
    await sync(laptop);
    write(laptop.folder, 'notes/a.txt', 'meant so');
    await sync(laptop);
    assert.ok((await cleo.tree()).has('photos/7.jpg'));
    assert.match(await holdfast('brake', 'keep', '2', '--yes'), /^batch \d+: 2 made, 0 left/);
    await sync(phone);
    await sync(laptop);
    const wanted = await cleo.tree();
    assert.equal([...wanted.keys()].some((path) => path.startsWith('photos')), false);
    assertSameTree(readTree(phone.folder), wanted, 'the phone');
    assertSameTree(readTree(laptop.folder), wanted, 'the laptop');
  });
}
