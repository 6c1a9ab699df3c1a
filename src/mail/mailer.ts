import { HoldfastError } from '../base/errors.ts';
import { oneLine } from './mail-address.ts';
import type { MailAddress } from './mail-address.ts';

export interface Mail {
  /** Stays the same when it is sent again, so that a receiver's server can tell a repetition. */
  readonly id: string;
  /** When it was written, in milliseconds since 1970 UTC. */
  readonly at: number;
  readonly to: MailAddress;
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export const SUBJECT_CHARACTERS_MAX = 300;
export const BODY_CHARACTERS_MAX = 64 * 1024;

/**
 * A Mailer hands mail to whoever carries it on.
 *
 * Resolved means that the next server has taken charge of it, not that somebody has read it. Mails
 * may be sent concurrently; they keep no order. It ends within a minute, whatever the server does.
 *
 * Errors: `unavailable` with a code from MAIL_TROUBLE: the server cannot be used now, whatever is
 * sent; `busy` `mail-deferred`: it will not have this mail now; `denied` `mail-undeliverable`: it
 * will never have this mail; `invalid` `mail-content`: this is no mail. A fired `signal` rejects
 * with its own reason; the mail may have been taken all the same. No message names an address.
 */
export interface Mailer {
  send(mail: Mail, signal?: AbortSignal): Promise<void>;
}

/** What can be wrong with a mail server, in words for the operator. */
export const MAIL_TROUBLE = {
  'mail-dns': 'The name of the mail server is not known. Check mail.server, and the name service '
    + 'of this machine.',
  'mail-refused': 'The mail server cannot be reached: nothing answers at that address and port. '
    + 'Check mail.server, and firewalls on the way.',
  'mail-silent': 'The mail server does not answer in time. If the port is that of TLS from the '
    + 'first byte (often 465), mail.security must be "tls"; else look at firewalls on the way.',
  'mail-tls': 'No encrypted connection to the mail server came about: it offers none, or its '
    + 'certificate is not trusted. Check mail.security, mail.ca_file, and the name in mail.server, '
    + 'which must be the one in the certificate.',
  'mail-login': 'The mail server does not accept the login. Check mail.user and mail.password.',
  'mail-sender': 'The mail server does not accept the sender. Check mail.from, and that mail.user '
    + 'may send with it.',
  'mail-cut': 'The mail server ended the connection in the middle. Look at its log.',
  'mail-strange': 'What answers there does not behave like a mail server. Check mail.server.',
} as const;

export type MailTroubleCode = keyof typeof MAIL_TROUBLE;

export function mailTrouble(
  code: MailTroubleCode, facts: Readonly<Record<string, string | number>> = {},
): HoldfastError {
  return new HoldfastError('unavailable', 'mail/send', MAIL_TROUBLE[code], { code, facts });
}

/** What every mailer refuses, whatever is behind it. @throws invalid `mail-content`. */
export function checkMail({ subject, text, html }: Mail): void {
  const isFine = subject !== '' && subject === oneLine(subject)
    && subject.length <= SUBJECT_CHARACTERS_MAX
    && text.length <= BODY_CHARACTERS_MAX && html.length <= BODY_CHARACTERS_MAX;
  if (isFine) return;
  const message = 'This cannot be sent as mail: it is too long, or its subject is not one line.';
  throw new HoldfastError('invalid', 'mail/send', message, { code: 'mail-content' });
}
