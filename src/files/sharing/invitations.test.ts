import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { Outbox, SendLimit } from '../../mail/index.ts';
import { MemoryMailer } from '../../mail/backends/memory/memory-mailer.ts';
import { ManualClock, Metrics, silentLog } from '../../platform/index.ts';
import { anna, ben, failsWith, NOW, pathOf, ShareSite } from '../testing/share-site.ts';
import { Invitations } from './invitations.ts';
import type { NewShare, Share } from './share.ts';

const WAIT_MS_MAX = 60_000;

describe('a link that is sent by mail', { timeout: 120_000 }, () => {
  let folder: string;
  let mailer: MemoryMailer;
  let outbox: Outbox;
  let site: ShareSite;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-invitations-'));
    mailer = new MemoryMailer();
    const clock = new ManualClock(NOW);
    outbox = await Outbox.open({ folder, mailer, clock, log: silentLog, metrics: new Metrics() });
    const limit = new SendLimit(clock, 4);
    const publicUrl = 'https://cloud.example';
    site = new ShareSite({ invitations: new Invitations({ outbox, limit, publicUrl }) });
    await site.folder(anna, 'work');
    await site.write(anna, 'work/<b>"plan".txt', 'one');
  });
  afterEach(async () => {
    await outbox.close();
    await rm(folder, { recursive: true, force: true });
  });

  const share = (address: string, more: Partial<NewShare> = {}): Promise<Share> =>
    site.sharing.share(anna, pathOf('work/<b>"plan".txt'), {
      receiver: { kind: 'mail', address }, role: 'viewer', ...more,
    });
  async function sent(count: number): Promise<void> {
    const endMs = performance.now() + WAIT_MS_MAX;
    while (mailer.sent.length < count && performance.now() < endMs) await pause(2);
    assert.equal(mailer.sent.length, count);
  }

  it('opens what is shared, and says who, what and until when, but no password', async () => {
    const made = await share(' carl@Example.org ', {
      password: 'pass-word-1', note: 'see\r\n<script>', expiresAt: NOW + 86_400_000,
    });
    assert.equal(made.terms.mail, 'carl@example.org');
    await sent(1);
    const [mail] = mailer.sent;
    const url = `https://cloud.example/s/${made.terms.token ?? ''}`;
    assert.equal(mail?.to, 'carl@example.org');
    assert.equal(mail.subject, 'anna has shared “<b>"plan".txt” with you');
    for (const body of [mail.text, mail.html]) {
      assert.ok(body.includes(url));
      assert.match(body, /asks for a password/);
      assert.match(body, /until 2026-11-21 \(UTC\)/);
    }
    assert.match(mail.text, /^> see <script>$/m);
    assert.doesNotMatch(mail.html, /<script|<b>/);
    assert.doesNotMatch(JSON.stringify(mail), /pass-word-1/);
    const visit = { token: made.terms.token ?? '', address: '192.0.2.1' };
    await assert.rejects(site.links.open({ ...visit, password: undefined }),
      failsWith('unauthenticated', 'link-password'));
    await site.links.open({ ...visit, password: 'pass-word-1' });
  });

  it('is over when the share is ended, with a mail that is still waiting', async () => {
    mailer.failure = new HoldfastError('unavailable', 'mail/send', 'Away.');
    const made = await share('carl@example.org');
    assert.equal(made.invitation, 'waiting');
    await site.sharing.end(anna, made.id);
    assert.equal(outbox.stateOf(`share-${made.id}`), undefined);
    await assert.rejects(site.links.open({
      token: made.terms.token ?? '', password: undefined, address: '192.0.2.1',
    }), failsWith('not-found'));
  });

  it('is undeliverable where its maker sees it, until it is sent again', async () => {
    mailer.failure = new HoldfastError('denied', 'mail/send', 'Never.');
    const made = await share('carl@example.org');
    const state = async () => (await site.sharing.get(anna, made.id)).invitation;
    const endMs = performance.now() + WAIT_MS_MAX;
    while (await state() !== 'undeliverable' && performance.now() < endMs) await pause(2);
    assert.equal(await state(), 'undeliverable');
    mailer.failure = undefined;
    await site.sharing.invite(anna, made.id);
    await sent(1);
    assert.equal(await state(), undefined);
    await assert.rejects(site.sharing.invite(ben, made.id), failsWith('not-found'));
  });

  it('is refused to wrong addresses, to too many, and leaves no share then', async () => {
    for (const address of ['', 'carl', 'carl@example.org\r\nRCPT TO:<x@example.org>', 'a@b,c@d']) {
      await assert.rejects(share(address), failsWith('invalid', 'mail-address'));
    }
    for (let count = 0; count < 4; count += 1) await share(`carl${count}@example.org`);
    await assert.rejects(share('carl@example.org'), failsWith('busy', 'mail-limit'));
    assert.equal((await site.sharing.listMade(anna)).length, 4);
    await assert.rejects(site.sharing.share(ben, pathOf('work'), {
      receiver: { kind: 'mail', address: 'x@example.org' }, role: 'viewer',
    }), failsWith('not-found'));
  });

  it('is not made when its mail cannot be kept', async () => {
    await outbox.close(); // From then on it takes nothing.
    await assert.rejects(share('carl@example.org'), failsWith('busy', 'mail-outbox-full'));
    assert.deepEqual(await site.sharing.listMade(anna), []);
  });

  it('is refused where no mail is sent', async () => {
    site = new ShareSite();
    await site.write(anna, 'one.txt', 'one');
    const path = pathOf('one.txt');
    await assert.rejects(site.sharing.share(anna, path, {
      receiver: { kind: 'mail', address: 'x@example.org' }, role: 'viewer',
    }), failsWith('invalid', 'mail-off'));
    const receiver = { kind: 'link' } as const;
    const link = await site.sharing.share(anna, path, { receiver, role: 'viewer' });
    await assert.rejects(site.sharing.invite(anna, link.id), failsWith('invalid', 'share-refused'));
    assert.equal(site.sharing.canInvite, false);
  });

  describe('to a user', () => {
    const toBen = (more: Partial<NewShare> = {}): Promise<Share> =>
      site.sharing.share(anna, pathOf('work'), {
        receiver: { kind: 'user', id: 'ben' }, role: 'editor', notify: true, ...more,
      });

    it('whose address is known is told by mail, once for each share', async () => {
      site.addresses.set('ben', 'ben@example.org');
      const made = await toBen({ note: 'for you' });
      await sent(1);
      const [mail] = mailer.sent;
      assert.equal(mail?.to, 'ben@example.org');
      assert.equal(mail.subject, 'anna has shared “work” with you');
      assert.match(mail.text, /^Sign in: https:\/\/cloud\.example\/$/m);
      assert.match(mail.text, /^> for you$/m);
      assert.doesNotMatch(mail.text, /\/s\//);
      await toBen({ role: 'viewer' });
      await toBen({ notify: false });
      await site.sharing.invite(anna, made.id);
      await sent(2);
    });

    it('without an address, or unasked, is told nothing, and has the share', async () => {
      const made = await toBen();
      await assert.rejects(site.sharing.invite(anna, made.id), failsWith('invalid'));
      site.addresses.set('ben', 'ben@example.org');
      await site.sharing.end(anna, made.id);
      await toBen({ notify: false });
      assert.equal(outbox.stateOf(`share-${made.id}`), undefined);
      assert.deepEqual(await site.names(ben), ['work']);
      assert.equal(mailer.sent.length, 0);
    });

    it('holds when no more mails may be sent, and is over with a mail that waits', async () => {
      site.addresses.set('ben', 'ben@example.org');
      for (let n = 0; n < 4; n += 1) await share('carl@example.org');
      await sent(4);
      const made = await toBen();
      assert.deepEqual(await site.names(ben), ['work']);
      assert.equal(made.invitation, undefined);
      await site.sharing.end(anna, made.id);
      assert.equal(mailer.sent.length, 4);
    });
  });
});
