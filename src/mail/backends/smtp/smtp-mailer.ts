/**
 * Mail over SMTP (RFC 5321), one connection for each mail.
 *
 * The library speaks the protocol; here is what it may take, and what its errors mean. Of a foreign
 * error nothing is kept but its codes, because servers like to repeat addresses in their answers.
 */
import type { SecureContextOptions } from 'node:tls';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { HoldfastError } from '../../../base/errors.ts';
import type { Clock } from '../../../platform/index.ts';
import type { MailAddress } from '../../mail-address.ts';
import { checkMail, mailTrouble } from '../../mailer.ts';
import type { Mail, Mailer } from '../../mailer.ts';
import { smtpTrouble } from './smtp-trouble.ts';
import type { SmtpFault } from './smtp-trouble.ts';

export interface SmtpMailerOptions {
  readonly host: string;
  readonly port: number;
  /** `starttls`: encryption is begun before anything else is said, or nothing is sent; `tls`: from
   *  the first byte; `plain`: never. */
  readonly security: 'starttls' | 'tls' | 'plain';
  /** undefined: without a login. */
  readonly login: { user: string; password: string } | undefined;
  readonly from: { name: string; address: MailAddress };
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  /** Shorter in tests. */
  readonly limits?: Partial<SmtpLimits>;
  /** Told the last words of a server that has refused something: for a person at a terminal, never
   *  for a log. */
  readonly onReply?: (reply: string) => void;
}

export interface SmtpLimits {
  /** For the connection and for the greeting, each. */
  readonly connectMs: number;
  /** Without a byte from the server. */
  readonly silenceMs: number;
  /** For all of it: a server that dribbles must not hold up the others. */
  readonly wholeMs: number;
}

const LIMITS: SmtpLimits = { connectMs: 15_000, silenceMs: 30_000, wholeMs: 60_000 };
const REPLY_BYTES_MAX = 64 * 1024;
const SHOWN_REPLY_MAX = 500;

export class SmtpMailer implements Mailer {
  readonly #options: SmtpMailerOptions;
  readonly #limits: SmtpLimits;

  constructor(options: SmtpMailerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  async send(mail: Mail, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkMail(mail);
    const message = await this.#compose(mail);
    signal?.throwIfAborted();
    const connection = this.#connection();
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => stopped.reject(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const cancel = this.#options.clock.after(this.#limits.wholeMs, () => {
      stopped.reject(mailTrouble('mail-silent'));
    });
    try {
      await Promise.race([this.#talk(connection, mail.to, message), stopped.promise]);
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
      connection.close();
    }
  }

  async #talk(connection: SMTPConnection, to: MailAddress, message: Buffer): Promise<void> {
    const { login, from } = this.#options;
    await this.#step(connection, 'connect', (done) => connection.connect(done));
    if (login !== undefined) {
      const { user, password: pass } = login;
      await this.#step(connection, 'login', (done) => connection.login({ user, pass }, done));
    }
    const envelope = { from: from.address, to: [to] };
    await this.#step(connection, 'send', (done) => connection.send(envelope, message, done));
  }

  /** A connection that fails between two steps tells by an event, and within one by both. */
  async #step(
    connection: SMTPConnection, stage: SmtpFault['stage'],
    act: (done: (error?: Error | null) => void) => void,
  ): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const fail = (error: Error): void => ended.reject(error);
    const end = (): void => ended.reject(new Error('The connection has ended.'));
    connection.once('error', fail);
    connection.once('end', end);
    try {
      act((error) => {
        if (error instanceof Error) ended.reject(error);
        else ended.resolve();
      });
      await ended.promise;
    } catch (error) {
      throw this.#explained(error, stage);
    } finally {
      connection.off('error', fail);
      connection.off('end', end);
    }
  }

  #explained(error: unknown, stage: SmtpFault['stage']): HoldfastError {
    const fault = error as Partial<SmtpFault> & { response?: unknown };
    const { response } = fault;
    if (typeof response === 'string' && response !== '') {
      // A terminal obeys control characters.
      const shown = response.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, SHOWN_REPLY_MAX);
      this.#options.onReply?.(shown);
    }
    return smtpTrouble({ ...codesOf(fault), stage });
  }

  #connection(): SMTPConnection {
    const { host, port, security, ca } = this.#options;
    const { connectMs, silenceMs } = this.#limits;
    const secure: SecureContextOptions = { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) };
    const connection = new SMTPConnection({
      host, port, secure: security === 'tls', requireTLS: security === 'starttls',
      ignoreTLS: security === 'plain', tls: secure, connectionTimeout: connectMs,
      greetingTimeout: connectMs, dnsTimeout: connectMs, socketTimeout: silenceMs,
      socketCloseTimeout: 0, maxResponseSize: REPLY_BYTES_MAX, logger: false,
      name: domainOf(this.#options.from.address), allowInternalNetworkInterfaces: true,
    });
    // An error after everything was said changes nothing, and must not end the program.
    connection.on('error', () => undefined);
    return connection;
  }

  async #compose({ id, at, to, subject, text, html }: Mail): Promise<Buffer> {
    const { from } = this.#options;
    const composer = new MailComposer({
      from, to: { name: '', address: to }, subject, text, html, date: new Date(at),
      messageId: `<${id}@${domainOf(from.address)}>`,
      // RFC 3834: whoever is away does not answer a program.
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true, disableUrlAccess: true, newline: 'win',
    });
    try {
      return await composer.compile().build();
    } catch {
      throw new HoldfastError('internal', 'mail/send', 'The mail could not be put together.');
    }
  }
}

function codesOf(fault: Partial<SmtpFault>): Omit<SmtpFault, 'stage'> {
  const { code, originalCode, responseCode, command } = fault;
  return { code, originalCode, responseCode, command };
}

function domainOf(address: MailAddress): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
