/** Mail as the operator has set it up: the mailer, and for a server its outbox. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { Invitations } from '../files/index.ts';
import {
  mailSlice, Outbox, parseMailAddress, parseSender, SendLimit, testText,
} from '../mail/index.ts';
import type { Mailer, MailSettings } from '../mail/index.ts';
import type { Clock, Config, Logger, Metrics, Random } from '../platform/index.ts';

const OP = 'app/openMail';
const OUTBOX = 'outbox';
const PASSWORD_BYTES_MAX = 16 * 1024;

export interface OpenedMail {
  readonly outbox: Outbox;
  readonly invitations: Invitations;
}

/** undefined: no mail server is named. @throws invalid: a file that a setting names cannot be read;
 *  unavailable: the outbox cannot be used. */
export async function openMail(
  config: Config, dataPath: string, parts: { clock: Clock; log: Logger; metrics: Metrics },
): Promise<OpenedMail | undefined> {
  const settings = config.of(mailSlice);
  const { clock } = parts;
  const mailer = await openMailer(settings, clock);
  if (mailer === undefined) return undefined;
  const outbox = await Outbox.open({ folder: join(dataPath, OUTBOX), mailer, ...parts });
  const invitations = new Invitations({
    outbox, limit: new SendLimit(clock, settings.perUserHourly),
    publicUrl: settings.publicUrl ?? '',
  });
  return { outbox, invitations };
}

/** For `holdfast mail test`: at once, without the outbox.
 *  @throws invalid: no mail server is named, or this is no address; and what a Mailer throws. */
export async function sendTestMail(
  config: Config, rawAddress: string,
  { clock, random, onReply }: { clock: Clock; random: Random; onReply: (reply: string) => void },
): Promise<void> {
  const to = parseMailAddress(rawAddress);
  const mailer = await openMailer(config.of(mailSlice), clock, onReply);
  if (mailer === undefined) {
    const message = 'No mail server is set up. Name one in the settings: mail.server, mail.from '
      + 'and mail.public_url. See docs/configuration.md.';
    throw new HoldfastError('invalid', OP, message, { code: 'mail-off' });
  }
  await mailer.send({ id: random.token(16), at: clock.now(), to, ...testText() });
}

async function openMailer(
  settings: MailSettings, clock: Clock, onReply?: (reply: string) => void,
): Promise<Mailer | undefined> {
  const { server, security, user, from, caPath } = settings;
  if (server === undefined || from === undefined) return undefined;
  const { SmtpMailer } = await import('../mail/backends/smtp/smtp-mailer.ts');
  const ca = caPath === undefined ? undefined : await readText(caPath, 'mail.ca_file');
  const password = await passwordOf(settings);
  return new SmtpMailer({
    ...server, security, from: parseSender(from), clock, ca,
    login: user === undefined ? undefined : { user, password },
    ...(onReply !== undefined && { onReply }),
  });
}

async function passwordOf({ password = '', passwordPath }: MailSettings): Promise<string> {
  if (passwordPath === undefined) return password;
  const text = (await readText(passwordPath, 'mail.password_file')).trim();
  if (text !== '' && text.length <= PASSWORD_BYTES_MAX) return text;
  throw new HoldfastError('invalid', OP, 'mail.password_file names a file without a password.');
}

async function readText(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const message = `${setting} names a file that cannot be read. Check the path and its rights.`;
    throw new HoldfastError('invalid', OP, message, { cause });
  }
}
