/** The promises of Mailer. Every implementation runs them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { parseMailAddress } from './mail-address.ts';
import { BODY_CHARACTERS_MAX } from './mailer.ts';
import type { Mail, Mailer } from './mailer.ts';

export interface MailerSite {
  mailer: Mailer;
  /** Subjects and receivers of what was taken, as the other side has understood them. */
  taken(): { to: string; subject: string }[];
  close(): Promise<void>;
}

export function mailNamed(subject: string, to = 'ben@example.org'): Mail {
  return {
    id: 'a7e1-17', at: Date.UTC(2026, 10, 21), to: parseMailAddress(to), subject,
    text: 'Grüße,\n.\nQUIT\nthe end\n', html: '<p>Grüße</p>',
  };
}

export function testMailer(name: string, open: () => Promise<MailerSite>): void {
  describe(`${name} keeps the promises of Mailer`, { timeout: 120_000 }, () => {
    let site: MailerSite;
    before(async () => {
      site = await open();
    });
    after(() => site.close());

    it('hands on what it was given, to whom it was given for', async () => {
      await site.mailer.send(mailNamed('a plan'));
      await Promise.all(['one', 'two', 'three'].map((subject) =>
        site.mailer.send(mailNamed(subject, `${subject}@example.org`))));
      const taken = site.taken();
      assert.deepEqual(taken[0], { to: 'ben@example.org', subject: 'a plan' });
      assert.deepEqual(taken.slice(1).map(({ to, subject }) => `${subject} ${to}`).sort(),
        ['one one@example.org', 'three three@example.org', 'two two@example.org']);
    });

    it('refuses a subject of several lines, and bodies without an end', async () => {
      const before = site.taken().length;
      const broken = [
        mailNamed('a\r\nBcc: eve@example.org'), mailNamed(''), mailNamed('a\u2028b'),
        { ...mailNamed('long'), text: 'x'.repeat(BODY_CHARACTERS_MAX + 1) },
      ];
      for (const mail of broken) {
        await assert.rejects(site.mailer.send(mail), (error) => isKind(error, 'invalid'));
      }
      assert.equal(site.taken().length, before);
    });

    it('sends nothing when it was told to stop before', async () => {
      const before = site.taken().length;
      const reason = new Error('stop');
      const send = site.mailer.send(mailNamed('late'), AbortSignal.abort(reason));
      await assert.rejects(send, (error) => error === reason);
      assert.equal(site.taken().length, before);
    });
  });
}
