/** `storage move` dies while it copies, before it says that all lies elsewhere, and between one
 *  tenant and the next. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { S3rver, S3RVER_BUCKET } from '../../src/storage/backends/s3/testing/s3rver.ts';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

type Env = Record<string, string>;

/** More than are copied at once, so that some are still to be copied when it dies. */
const FILES = 12;
const FILE_BYTES = 100_000;

describe('a move of all blocks that is killed', { timeout: 300_000 }, () => {
  const servers = serverForTests();
  let s3: S3rver;
  before(async () => {
    s3 = await S3rver.start();
  });
  after(() => s3.stop());

  const objects = (): number =>
    readdirSync(s3.folderOf('killed/'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('blocks') && name.endsWith('_object')).length;

  function place(prefix: string): Env {
    return {
      [`${prefix}_S3_ENDPOINT`]: s3.url, [`${prefix}_S3_BUCKET`]: S3RVER_BUCKET,
      [`${prefix}_S3_PREFIX`]: 'killed/', [`${prefix}_S3_ACCESS_KEY_ID`]: 'S3RVER',
      [`${prefix}_S3_SECRET_ACCESS_KEY`]: 'S3RVER',
    };
  }

  async function fill(user: DavClient): Promise<void> {
    for (let at = 0; at < FILES; at += 1) {
      const name = `${at}.bin`;
      const { status } = await user.put(name, seededBytes(FILE_BYTES, `${user.name} ${name}`));
      assert.equal(status, 201);
    }
  }

  async function check(users: readonly DavClient[]): Promise<void> {
    for (const user of users) {
      for (let at = 0; at < FILES; at += 1) {
        const name = `${at}.bin`;
        const { body } = await user.get(name);
        assert.ok(body.equals(seededBytes(FILE_BYTES, `${user.name} ${name}`)), name);
      }
    }
  }

  it('is begun again, with all files where they were until it is through', async () => {
    const server = await servers.start();
    const mirrored = { HOLDFAST_STORAGE_MIRROR_BACKEND: 's3', ...place('HOLDFAST_STORAGE_MIRROR') };
    const move = (failpoint = ''): Promise<Outcome> =>
      run(PROGRAM, ['storage', 'move', '--to', 'mirror', '--yes', '--data', server.data], {
        env: { ...mirrored, ...(failpoint !== '' && { HOLDFAST_FAILPOINT: failpoint }) },
        timeoutMs: 60_000,
      });
    const killedAt = async (failpoint: string): Promise<void> => {
      const { signal, stdout, stderr } = await move(failpoint);
      assert.equal(signal, 'SIGKILL', `${failpoint}: ${stdout}${stderr}`);
    };
    const added = await run(PROGRAM, ['tenant', 'add', 'acme', '--data', server.data]);
    assert.equal(added.code, 0, added.stderr);
    const users = [
      await server.addUser({ name: 'ada' }),
      await server.addUser({ name: 'ann', args: ['--tenant', 'acme'] }),
    ];
    for (const user of users) await fill(user);
    await server.stop();

    for (const failpoint of ['app.move-copied:1', 'app.move-copied:3', 'app.move-whole:1']) {
      await killedAt(failpoint);
      assert.ok(objects() > 0, 'something was copied when it died');
      await server.startAgain();
      await check(users);
      await server.stop();
    }
    await killedAt('app.move-noted:1');
    const { code, stdout, stderr } = await move();
    assert.equal(code, 0, stdout + stderr);
    await assert.rejects(server.startAgain(), 'with the old settings');
    assert.match(server.log, /storage\.backend/);
    await server.startAgain({
      env: { HOLDFAST_STORAGE_BACKEND: 's3', ...place('HOLDFAST_STORAGE') },
    });
    await check(users);
  });
});
