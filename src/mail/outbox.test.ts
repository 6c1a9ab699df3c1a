import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../base/errors.ts';
import { ManualClock, Metrics, openLog } from '../platform/index.ts';
import { MemoryMailer } from './backends/memory/memory-mailer.ts';
import { parseMailAddress } from './mail-address.ts';
import { mailTrouble } from './mailer.ts';
import { GIVE_UP_MS, Outbox, WAITING_MAX } from './outbox.ts';
import type { Letter } from './outbox.ts';
import { SendLimit } from './send-limit.ts';

const START_MS = Date.UTC(2026, 10, 21);
const HOUR_MS = 3_600_000;

function letter(about: string, to = 'ben@example.org'): Letter {
  return {
    to: parseMailAddress(to), about, subject: `about ${about}`, text: 'a secret link',
    html: '<p>a secret link</p>',
  };
}

/** Files are written by the system in its own time: there is nothing to wait for but it. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    if (await isSo()) return;
    await pause(2);
  }
  throw new Error(`waited in vain: ${what}`);
}

describe('the outbox', { timeout: 120_000 }, () => {
  let folder: string;
  let clock: ManualClock;
  let mailer: MemoryMailer;
  let lines: string[];
  const opened: Outbox[] = [];
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'holdfast-outbox-')), 'outbox');
    clock = new ManualClock(START_MS);
    mailer = new MemoryMailer();
    lines = [];
  });
  afterEach(async () => {
    for (const outbox of opened.splice(0)) await outbox.close();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  async function open(): Promise<Outbox> {
    const target = { write: (line: string) => void lines.push(line) };
    const { log } = openLog({ level: 'info', target });
    const outbox = await Outbox.open({ folder, mailer, clock, log, metrics: new Metrics() });
    opened.push(outbox);
    return outbox;
  }
  const files = async () => (await readdir(folder)).length;
  const subjects = () => mailer.sent.map(({ subject }) => subject);
  const tried = (count: number) => until(`${count} tries`, () =>
    lines.filter((line) => line.includes('could not be')).length >= count);

  it('sends what it was given, and forgets it then', async () => {
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await outbox.put(letter('share-2'));
    await until('both are sent', async () => (await files()) === 0);
    assert.deepEqual(subjects(), ['about share-1', 'about share-2']);
    assert.equal(outbox.stateOf('share-1'), undefined);
  });

  it('has a mail on disk before it says so, and sends it after a new start', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    assert.equal(await files(), 1);
    await tried(1);
    assert.equal(outbox.stateOf('share-1'), 'waiting');
    await outbox.close();
    await writeFile(join(folder, '0-none.json'), 'not ours');
    await writeFile(join(folder, `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}.json`), '{"a');
    mailer.failure = undefined;
    await open();
    await until('it is sent', () => mailer.sent.length === 1);
    await until('only what is not ours is left', async () => (await files()) === 2);
    assert.ok(lines.some((line) => line.includes('cannot be read')));
  });

  it('tries again, later and later, all together when the server is in trouble', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await tried(1);
    await outbox.put(letter('share-2'));
    let tries = 1;
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      clock.advance(minutes * 60_000 - 1);
      assert.equal(lines.length, tries);
      clock.advance(1);
      tries += 1;
      await tried(tries);
    }
    mailer.failure = undefined;
    await until('a moment', async () => (await files()) === 2);
    clock.advance(HOUR_MS);
    await until('both are sent', () => mailer.sent.length === 2);
  });

  it('does not hold up the others for a mail that the server defers', async () => {
    mailer.onSend = ({ to }) => {
      if (to.startsWith('late')) throw new HoldfastError('busy', 'mail/send', 'Later.');
    };
    const outbox = await open();
    await outbox.put(letter('share-1', 'late@example.org'));
    await tried(1);
    await outbox.put(letter('share-2'));
    await until('the second is sent', () => mailer.sent.length === 1);
    assert.deepEqual(subjects(), ['about share-2']);
    assert.equal(outbox.stateOf('share-1'), 'waiting');
  });

  it('gives up when the server says never, and keeps no word of the mail', async () => {
    mailer.failure = new HoldfastError('denied', 'mail/send', 'Never.');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await until('it is given up', () => outbox.stateOf('share-1') === 'undeliverable');
    const [name = ''] = await readdir(folder);
    assert.doesNotMatch(await readFile(join(folder, name), 'utf8'), /secret|ben|example/);
    await outbox.close();
    const again = await open();
    assert.equal(again.stateOf('share-1'), 'undeliverable');
    await again.cancel('share-1');
    assert.deepEqual([again.stateOf('share-1'), await files()], [undefined, 0]);
  });

  it('gives up after three days, also over restarts', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await tried(1);
    await outbox.close();
    clock.advance(GIVE_UP_MS);
    const again = await open();
    await until('it is given up', () => again.stateOf('share-1') === 'undeliverable');
    assert.deepEqual(mailer.sent, []);
  });

  it('does not send what was taken back', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await tried(1);
    await outbox.cancel('share-1');
    assert.deepEqual([outbox.stateOf('share-1'), await files()], [undefined, 0]);
    mailer.failure = undefined;
    await outbox.put(letter('share-2'));
    clock.advance(HOUR_MS);
    await until('the second is sent', () => mailer.sent.length > 0);
    assert.deepEqual(subjects(), ['about share-2']);
  });

  it('has a bound, and refuses what is no mail', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await assert.rejects(outbox.put({ ...letter('x'), subject: 'a\nBcc: b' }),
      (error) => isKind(error, 'invalid'));
    for (let left = WAITING_MAX; left > 0; left -= 50) {
      const some = Array.from({ length: 50 }, (_, at) => letter(`s-${left}-${at}`));
      await Promise.all(some.map((one) => outbox.put(one)));
    }
    await assert.rejects(outbox.put(letter('x')), (error) => isKind(error, 'busy'));
    assert.equal(await files(), WAITING_MAX);
  });

  it('puts no address and no content into the log', async () => {
    mailer.failure = mailTrouble('mail-refused');
    const outbox = await open();
    await outbox.put(letter('share-1'));
    await tried(1);
    mailer.failure = new HoldfastError('denied', 'mail/send', 'Never.');
    clock.advance(HOUR_MS);
    await tried(2);
    assert.doesNotMatch(lines.join(''), /example\.org|ben|secret/);
    assert.match(lines.join(''), /share-1/);
  });
});

it('one user can send so many mails in an hour, and another one as well', () => {
  const clock = new ManualClock(0);
  const limit = new SendLimit(clock, 3);
  const isRefused = (user: string): boolean => {
    try {
      limit.take(user);
      return false;
    } catch (error) {
      assert.ok(isKind(error, 'busy'));
      return true;
    }
  };
  assert.deepEqual([1, 2, 3, 4].map(() => isRefused('anna')), [false, false, false, true]);
  assert.equal(isRefused('ben'), false);
  clock.advance(HOUR_MS / 3);
  assert.deepEqual([isRefused('anna'), isRefused('anna')], [false, true]);
});
