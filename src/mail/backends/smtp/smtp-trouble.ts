/** What an error of the SMTP library means. Pure: from codes to codes. */
import { HoldfastError } from '../../../base/errors.ts';
import { mailTrouble } from '../../mailer.ts';
import type { MailTroubleCode } from '../../mailer.ts';

export interface SmtpFault {
  readonly stage: 'connect' | 'login' | 'send';
  /** The library's: `EENVELOPE`. */
  readonly code?: string | undefined;
  /** The system's: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly originalCode?: string | undefined;
  /** What the server answered: RFC 5321, section 4.2.3. */
  readonly responseCode?: number | undefined;
  /** What it answered to: `RCPT TO`. */
  readonly command?: string | undefined;
}

const SERVICE_CLOSING = 421;
const LOGIN_WANTED = 530;
const BAD_SEQUENCE = 503;
/** Of node's TLS and of OpenSSL, for connections that are encrypted from the first byte. */
const ABOUT_TLS = /CERT|SSL|TLS|^EPROTO$|VERIFY|ISSUER/;

export function smtpTrouble(fault: SmtpFault): HoldfastError {
  const { stage, responseCode } = fault;
  const facts = { stage, ...(responseCode !== undefined && { replyCode: responseCode }) };
  const code = troubleOfServer(fault);
  if (code !== undefined) return mailTrouble(code, facts);
  const isForGood = responseCode === undefined
    || (responseCode >= 500 && responseCode !== BAD_SEQUENCE);
  if (isForGood) {
    const message = 'The mail server will not deliver this mail. Check the receiver\'s address.';
    return new HoldfastError('denied', 'mail/send', message, { code: 'mail-undeliverable', facts });
  }
  const message = 'The mail server does not take this mail at present. It is tried again later.';
  return new HoldfastError('busy', 'mail/send', message, { code: 'mail-deferred', facts });
}

/** undefined: it is about this one mail. */
function troubleOfServer(fault: SmtpFault): MailTroubleCode | undefined {
  const { stage, code, originalCode = '', responseCode, command } = fault;
  if (responseCode === SERVICE_CLOSING) return 'mail-cut';
  if (code === 'EAUTH' || responseCode === LOGIN_WANTED) return 'mail-login';
  if (code === 'EDNS' || originalCode === 'ENOTFOUND') return 'mail-dns';
  if (code === 'ETLS' || ABOUT_TLS.test(originalCode)) return 'mail-tls';
  if (code === 'ETIMEDOUT' || originalCode === 'ETIMEDOUT') return 'mail-silent';
  if (originalCode === 'ECONNREFUSED' || originalCode.endsWith('UNREACH')) return 'mail-refused';
  if (code === 'EPROTOCOL') return 'mail-strange';
  const isAboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (stage !== 'send' || !isAboutMail) return 'mail-cut';
  const isForGood = responseCode !== undefined && responseCode >= 500;
  return command === 'MAIL FROM' && isForGood ? 'mail-sender' : undefined;
}
