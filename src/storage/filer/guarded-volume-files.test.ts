import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { ManualClock } from '../../platform/index.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { testVolumeFiles } from '../backends/local/volume-files.conformance.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { GuardedVolumeFiles } from './guarded-volume-files.ts';

const VOLUME = 'v00000001.1.hv';
const DRAFT = `${VOLUME}.new`;

function guarded(disk: SimulatedVolumeFiles, clock = new ManualClock(0)): GuardedVolumeFiles {
  return new GuardedVolumeFiles(disk, { clock, reserveBytes: 1000 });
}

testVolumeFiles('GuardedVolumeFiles', () =>
  Promise.resolve(guarded(new SimulatedVolumeFiles(new SeededRandom(1)))));

function isFailed(error: unknown): boolean {
  return isKind(error, 'internal') && error.code === 'file-failed';
}

describe('GuardedVolumeFiles', () => {
  let disk: SimulatedVolumeFiles;
  let clock: ManualClock;
  let files: GuardedVolumeFiles;
  beforeEach(() => {
    disk = new SimulatedVolumeFiles(new SeededRandom(2));
    clock = new ManualClock(0);
    files = guarded(disk, clock);
  });

  async function makeFile(name: string): Promise<void> {
    const file = await files.open(name, 'create');
    await file.writeDurably([Buffer.from(name)], 0);
    await file.close();
  }

  it('reaches no file but those of volumes, and shows no other', async () => {
    disk.setContent('disk.json', Buffer.from('{}'));
    disk.setContent('holdfast.toml', Buffer.from(''));
    await makeFile(VOLUME);
    assert.deepEqual(await files.list(), [VOLUME]);
    const names = [
      'disk.json', 'fence.json', '../etc/passwd', '/etc/passwd', 'trash/x', '', '.', '..',
      'v1.1.hv', `${VOLUME}/x`, `${VOLUME}\0`, `${VOLUME}\n`, 'V00000001.1.hv', 'e1.6.hx',
      'lock.db', 'v00000001.1.hv.old', '../e00000001.6.hx',
    ];
    for (const name of names) {
      for (const how of ['read', 'write', 'create'] as const) {
        await assert.rejects(files.open(name, how), (error) => isKind(error, 'denied'), name);
      }
      await assert.rejects(files.remove(name), (error) => isKind(error, 'denied'), name);
      await assert.rejects(files.rename(DRAFT, name), (error) => isKind(error, 'denied'), name);
    }
  });

  it('never removes a volume or a parity file', async () => {
    for (const name of [VOLUME, 'e00000001.6.hx', `${VOLUME}.bad-17`, `${VOLUME}.trash`, 'disks']) {
      disk.setContent(name, Buffer.from('x'));
      await assert.rejects(files.remove(name), (error) => isKind(error, 'denied'), name);
      assert.ok(disk.names().includes(name));
    }
  });

  it('gives names to drafts alone, and only their own', async () => {
    const wrong = [
      [DRAFT, 'v00000002.1.hv'], [VOLUME, DRAFT], [VOLUME, 'v00000002.1.hv'],
      ['v00000001.1.hint', VOLUME], ['v00000002.1.copying', VOLUME],
      [VOLUME, 'v00000002.1.hv.bad-1'], ['disks', 'disks.new'], [VOLUME, 'v00000002.1.hv.trash'],
      [`${VOLUME}.trash`, 'v00000002.1.hv'], [`${VOLUME}.bad-1`, VOLUME],
    ] as const;
    for (const [from, to] of wrong) {
      disk.setContent(from, Buffer.from('x'));
      await assert.rejects(files.rename(from, to), (error) => isKind(error, 'denied'), from);
    }
    const right = [
      [DRAFT, VOLUME], ['e00000001.6.hx.new', 'e00000001.6.hx'],
      ['v00000007.1.copying', 'v00000007.1.hv'], ['v00000008.1.hv', 'v00000008.1.hv.trash'],
      ['v00000008.1.hv.trash', 'v00000008.1.hv'], ['v00000009.1.gone.new', 'v00000009.1.gone'],
      ['v00000007.1.hv', 'v00000007.1.hv.bad-12'], ['v00000007.1.copies.new', 'v00000007.1.copies'],
      ['disks.new', 'disks'],
    ] as const;
    disk.drop(VOLUME);
    for (const [from, to] of right) {
      disk.setContent(from, Buffer.from(to));
      if (to !== 'disks') disk.drop(to);
      await files.rename(from, to);
      assert.equal(String(disk.content(to)), to);
    }
  });

  it('replaces notes, and nothing that holds blocks', async () => {
    const pairs = [
      [DRAFT, VOLUME], ['e00000001.6.hx.new', 'e00000001.6.hx'], [`${VOLUME}.trash`, VOLUME],
      ['v00000003.1.hv', 'v00000003.1.hv.trash'], ['v00000003.1.copying', 'v00000003.1.hv'],
    ] as const;
    for (const [from, to] of pairs) {
      disk.setContent(from, Buffer.from('new'));
      disk.setContent(to, Buffer.from('old'));
      await assert.rejects(files.rename(from, to), (error) => errorCode(error) === 'EEXIST');
      assert.equal(String(disk.content(to)), 'old');
    }
    disk.setContent('v00000001.1.copies.new', Buffer.from('new'));
    disk.setContent('v00000001.1.copies', Buffer.from('old'));
    await files.rename('v00000001.1.copies.new', 'v00000001.1.copies');
    assert.equal(String(disk.content('v00000001.1.copies')), 'new');
  });

  it('never writes or syncs a file again after a sync has failed, through any handle', async () => {
    await makeFile(VOLUME);
    for (const sync of ['datasync', 'sync', 'writeDurably'] as const) {
      files = guarded(disk, clock);
      const [one, other] = [await files.open(VOLUME, 'write'), await files.open(VOLUME, 'write')];
      await one.write([Buffer.from('more')], 100);
      disk.plan = ({ what }) => (what === 'sync' ? 'EIO' : undefined);
      const failing = sync === 'writeDurably'
        ? one.writeDurably([Buffer.from('x')], 9) : one[sync]();
      await assert.rejects(failing, (error) => errorCode(error) === 'EIO');
      disk.plan = () => undefined;
      for (const file of [one, other]) {
        await assert.rejects(file.datasync(), isFailed);
        await assert.rejects(file.sync(), isFailed);
        await assert.rejects(file.write([Buffer.from('x')], 0), isFailed);
        await assert.rejects(file.writeDurably([Buffer.from('x')], 0), isFailed);
      }
      await one.truncate(VOLUME.length); // Cutting off what failed must stay possible.
      await one.close();
      await other.close();
      await assert.rejects(files.open(VOLUME, 'write'), isFailed);
      const reader = await files.open(VOLUME, 'read');
      assert.equal(await reader.size(), VOLUME.length);
      await reader.close();
    }
  });

  it('remembers a failed sync of a draft under the name it gets', async () => {
    const file = await files.open(DRAFT, 'create');
    disk.plan = ({ what }) => (what === 'sync' ? 'EIO' : undefined);
    await assert.rejects(file.sync());
    disk.plan = () => undefined;
    await files.rename(DRAFT, VOLUME);
    await assert.rejects(files.open(VOLUME, 'write'), isFailed);
    await file.close();
    await makeFile(DRAFT); // Another file: nothing is known against it.
  });

  it('does not call a sync good while another handle of the file has seen one fail', async () => {
    await makeFile(VOLUME);
    const [one, other] = [await files.open(VOLUME, 'write'), await files.open(VOLUME, 'write')];
    await one.write([Buffer.from('x')], 0);
    let syncs = 0;
    disk.plan = ({ what }) => (what === 'sync' && ++syncs === 1 ? 'EIO' : undefined);
    const outcomes = await Promise.allSettled([one.datasync(), other.datasync()]);
    assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected']);
  });

  it('goes on with a file after a write that did not fit', async () => {
    await makeFile(VOLUME);
    const file = await files.open(VOLUME, 'write');
    disk.plan = ({ what }) => (what === 'write' ? 'ENOSPC' : undefined);
    const write = file.writeDurably([Buffer.alloc(10)], 100);
    await assert.rejects(write, (error) => errorCode(error) === 'ENOSPC');
    disk.plan = () => undefined;
    await file.writeDurably([Buffer.alloc(10)], 100);
    await file.close();
  });

  it('keeps a reserve, says so as the disk would, and goes on when there is room', async () => {
    disk.capacityBytes = 5000;
    const file = await files.open(VOLUME, 'create');
    await file.write([Buffer.alloc(3000)], 0);
    assert.deepEqual(await files.space(), { freeBytes: 1000, totalBytes: 5000 });
    const isFull = (error: unknown): boolean => errorCode(error) === 'ENOSPC';
    await assert.rejects(file.write([Buffer.alloc(1001)], 3000), isFull);
    assert.equal(disk.content(VOLUME).length, 3000, 'refused before anything was written');
    await file.write([Buffer.alloc(1000)], 3000);
    await assert.rejects(file.writeDurably([Buffer.alloc(1)], 4000), isFull);
    await assert.rejects(files.open('v00000002.1.hv', 'create'), isFull);
    await file.truncate(1000);
    clock.advance(2000);
    await file.writeDurably([Buffer.alloc(1500)], 1000);
    await file.close();
  });

  it('forgets files that are closed, and those that are gone', async () => {
    for (let round = 0; round < 3; round++) {
      const file = await files.open(DRAFT, 'create');
      await file.close();
      await file.close();
      await files.remove(DRAFT);
    }
    const file = await files.open(VOLUME, 'create');
    files.forget(VOLUME);
    await assert.rejects(file.write([Buffer.from('x')], 0), isFailed);
    await file.close();
  });
});
