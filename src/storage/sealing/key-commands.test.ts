import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import {
  mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { ManualClock } from '../../platform/index.ts';
import {
  initKeys, keyStatus, openSealer, rotateDataKey, rotateMasterKey, shredConfirmation, shredTenant,
} from './key-commands.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
after(() => rm(base, { recursive: true }));
const clock = new ManualClock(1_700_000_000_000);
let count = 0;

/** No encrypted block is stored. */
const nothing = (): Promise<boolean> => Promise.resolve(false);

function refusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.code === code;
}

describe('The keys of a server', () => {
  let dataDirectory: string;
  let masterKeyFile: string;
  const places = () => ({ dataDirectory, masterKeyFile });
  const open = () =>
    openSealer({ ...places(), compression: 'off', holdEncrypted: nothing });
  const contents = async () => {
    const names = await readdir(dataDirectory);
    return Promise.all(names.sort().map(async (name) =>
      [name, await readFile(join(dataDirectory, name), 'latin1')]));
  };

  beforeEach(async () => {
    const root = join(base, String(count++));
    dataDirectory = join(root, 'data');
    masterKeyFile = join(root, 'master.key');
    await mkdir(dataDirectory, { recursive: true });
  });

  /** It is refused for that reason, and not a byte changed. */
  async function isRefused(act: () => Promise<unknown>, code: string): Promise<void> {
    const before = await contents();
    await assert.rejects(act, refusal(code));
    assert.deepEqual(await contents(), before);
  }

  it('are made once, the master key readable for its owner only', async () => {
    const made = await initKeys(places(), clock, nothing);
    assert.equal((await stat(masterKeyFile)).mode & 0o777, 0o600);
    assert.deepEqual(await keyStatus(dataDirectory), made);
    assert.equal(made.tenants[0]?.tenantId, 'default');
    assert.equal(made.tenants[0]?.currentSinceMs, clock.now());
    const before = await contents();
    await assert.rejects(initKeys(places(), clock, nothing), (error) =>
      error instanceof HoldfastError && error.kind === 'exists');
    assert.deepEqual(await contents(), before);
    const text = JSON.stringify(before);
    const secret = (await readFile(masterKeyFile, 'utf8')).trim();
    assert.equal(text.includes(secret), false);
  });

  it('are taken from a master key file that is there already, in hex or as 32 bytes', async () => {
    for (const bytes of [Buffer.alloc(32, 7), Buffer.from(`${'ab'.repeat(32)}\n`)]) {
      await rm(dataDirectory, { recursive: true });
      await mkdir(dataDirectory);
      await writeFile(masterKeyFile, bytes);
      await initKeys(places(), clock, nothing);
      assert.ok((await open())?.packs);
      assert.deepEqual(await readFile(masterKeyFile), bytes);
    }
  });

  it('refuse a start with a wrong, missing, unreadable or malformed master key', async () => {
    await initKeys(places(), clock, nothing);
    const right = await readFile(masterKeyFile);
    await isRefused(() => openSealer({
      dataDirectory, masterKeyFile: undefined, compression: 'auto', holdEncrypted: nothing,
    }), 'master-key-missing');
    await writeFile(masterKeyFile, Buffer.alloc(32, 1));
    await isRefused(open, 'master-key-wrong');
    for (const bytes of ['', 'abc', `${right.toString()}00`, 'x'.repeat(64), 'y'.repeat(5000)]) {
      await writeFile(masterKeyFile, bytes);
      await isRefused(open, 'master-key-malformed');
    }
    await rm(masterKeyFile);
    await isRefused(open, 'master-key-unreadable');
    await mkdir(masterKeyFile);
    await isRefused(open, 'master-key-unreadable');
    await rm(masterKeyFile, { recursive: true });
    await writeFile(masterKeyFile, right);
    assert.ok(await open());
  });

  it('refuse a master key that lies in the data directory, also by a link', async () => {
    await isRefused(() => initKeys({
      dataDirectory, masterKeyFile: join(dataDirectory, 'sub', '..', 'master.key'),
    }, clock, nothing), 'master-key-inside');
    await initKeys(places(), clock, nothing);
    const inside = join(dataDirectory, 'copied.key');
    await writeFile(inside, await readFile(masterKeyFile));
    await symlink(inside, `${masterKeyFile}.link`);
    masterKeyFile = `${masterKeyFile}.link`;
    await isRefused(open, 'master-key-inside');
  });

  it('refuse a start when the ring is gone, and none is made by itself', async () => {
    await initKeys(places(), clock, nothing);
    await rm(join(dataDirectory, 'keys.json'));
    await rm(join(dataDirectory, 'keys-copy.json'));
    await isRefused(open, 'ring-missing');
  });

  it('are missed by a start, and not made anew, when what is stored needs them', async () => {
    const holdEncrypted = () => Promise.resolve(true);
    for (const compression of ['off', 'auto'] as const) {
      const plain = { dataDirectory, masterKeyFile: undefined, compression };
      await isRefused(() => openSealer({ ...plain, holdEncrypted }), 'ring-lost');
    }
    await isRefused(() => initKeys(places(), clock, holdEncrypted), 'ring-lost');
    await assert.rejects(stat(masterKeyFile));
    await initKeys(places(), clock, nothing);
    assert.ok(await openSealer({ ...places(), compression: 'off', holdEncrypted }));
  });

  it('survive the loss or damage of either file, which the next start repairs', async () => {
    await initKeys(places(), clock, nothing);
    await rotateDataKey(places(), clock);
    const sound = await contents();
    for (const name of ['keys.json', 'keys-copy.json']) {
      const path = join(dataDirectory, name);
      const damage = [
        () => rm(path), () => writeFile(path, ''), () => writeFile(path, '{"format": 1}'),
      ];
      for (const harm of damage) {
        await harm();
        assert.equal((await keyStatus(dataDirectory))?.isLame, true);
        let repaired = 0;
        await openSealer({
          ...places(), compression: 'off', holdEncrypted: nothing,
          onRingRepaired: () => {
            repaired++;
          },
        });
        assert.equal(repaired, 1);
        assert.deepEqual(await contents(), sound);
      }
    }
    for (const name of ['keys.json', 'keys-copy.json']) {
      await writeFile(join(dataDirectory, name), 'nothing of ours');
    }
    await isRefused(open, 'ring-damaged');
  });

  it('count from the newer file after a change that was cut short', async () => {
    await initKeys(places(), clock, nothing);
    const old = await readFile(join(dataDirectory, 'keys-copy.json'));
    const { tenants } = await rotateDataKey(places(), clock);
    await writeFile(join(dataDirectory, 'keys-copy.json'), old);
    assert.deepEqual((await keyStatus(dataDirectory))?.tenants, tenants);
    await writeFile(join(dataDirectory, 'keys-copy.json'),
      await readFile(join(dataDirectory, 'keys.json')));
    await writeFile(join(dataDirectory, 'keys.json'), old);
    assert.deepEqual((await keyStatus(dataDirectory))?.tenants, tenants);
  });

  it('refuse files of two servers, and of a newer version', async () => {
    await initKeys(places(), clock, nothing);
    const copy = join(dataDirectory, 'keys-copy.json');
    const own = await readFile(copy);
    await rm(join(dataDirectory, 'keys.json'));
    await rm(copy);
    await initKeys(places(), clock, nothing);
    await writeFile(copy, own);
    await isRefused(open, 'ring-mixed');
    const file = { format: 2, ring: { of: 'the future' } };
    const sha256 = hash('sha256', JSON.stringify(file));
    await writeFile(copy, JSON.stringify({ ...file, sha256 }));
    await isRefused(open, 'ring-newer');
  });

  it('change their master key, and only the new one fits then', async () => {
    await initKeys(places(), clock, nothing);
    await rotateDataKey(places(), clock);
    const before = await keyStatus(dataDirectory);
    const newFile = `${masterKeyFile}.2`;
    const moved = await rotateMasterKey(places(), newFile);
    assert.notEqual(moved.masterId, before?.masterId);
    assert.deepEqual(moved.tenants, before?.tenants);
    await isRefused(open, 'master-key-wrong');
    masterKeyFile = newFile;
    assert.ok(await open());
    await isRefused(() => rotateMasterKey(places(), newFile), 'same-master-key');
  });

  it('are destroyed only for who types what is asked', async () => {
    await initKeys(places(), clock, nothing);
    const tenantId = 'default';
    for (const typed of ['', 'yes', tenantId, shredConfirmation('other')]) {
      await isRefused(() => shredTenant(places(), clock, { tenantId, typed }), 'not-confirmed');
    }
    const typed = shredConfirmation(tenantId);
    await shredTenant(places(), clock, { tenantId, typed });
    const status = await keyStatus(dataDirectory);
    assert.deepEqual(status?.tenants.map(({ shreddedKeyCount, currentKeyId }) =>
      [shreddedKeyCount, currentKeyId]), [[1, undefined]]);
    // Both files: the copy too must not have the key any more.
    const files = await contents();
    assert.deepEqual(files.map(([name]) => name), ['keys-copy.json', 'keys.json']);
    for (const [, text] of files) assert.equal(text?.includes('wrapped'), false);
    assert.ok((await open())?.hasShredded);
  });

  it('need no file at all when nothing is encrypted', async () => {
    const plain = { dataDirectory, masterKeyFile: undefined, holdEncrypted: nothing };
    assert.equal(await openSealer({ ...plain, compression: 'off' }), undefined);
    assert.ok((await openSealer({ ...plain, compression: 'auto' }))?.packs);
    assert.deepEqual(await contents(), []);
  });

  it('say that the disk is at fault when it is', async () => {
    await initKeys(places(), clock, nothing);
    await mkdir(join(dataDirectory, 'keys.json.new'));
    await assert.rejects(rotateDataKey(places(), clock), (error) =>
      error instanceof HoldfastError && error.kind === 'unavailable');
  });
});
