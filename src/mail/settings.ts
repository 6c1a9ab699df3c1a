/** How mail leaves. */
import {
  flag, integer, isLoopback, oneOf, optionalText, SettingError, setting, slice,
} from '../platform/index.ts';
import type { Contradiction, RawValue, ValuesOf } from '../platform/index.ts';
import { HoldfastError } from '../base/errors.ts';
import { parseSender } from './mail-address.ts';

export type MailSecurity = 'starttls' | 'tls' | 'plain';

export interface MailServerAddress {
  readonly host: string;
  readonly port: number;
}

function parseServer(raw: RawValue): MailServerAddress | undefined {
  const value = optionalText(raw);
  if (value === undefined) return undefined;
  const [, bracketed, host = bracketed, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(value) ?? [];
  const port = Number(digits);
  if (host !== undefined && port > 0 && port <= 65_535) return { host, port };
  throw new SettingError('must be host:port, such as mail.example.org:587');
}

function formatServer(server: MailServerAddress | undefined): string {
  if (server === undefined) return '';
  const { host, port } = server;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parseFrom(raw: RawValue): string | undefined {
  const value = optionalText(raw);
  if (value === undefined) return undefined;
  try {
    parseSender(value);
    return value;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new SettingError('must be an address, such as cloud@example.org or '
      + '"Our cloud <cloud@example.org>"');
  }
}

/** Without a slash at its end. */
function parsePublicUrl(raw: RawValue): string | undefined {
  const value = optionalText(raw);
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  const isPlain = url !== null && ['http:', 'https:'].includes(url.protocol)
    && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (isPlain) return url.href.replace(/\/+$/, '');
  throw new SettingError('must be an address such as https://cloud.example.org');
}

const SETTINGS = {
  server: setting<MailServerAddress | undefined>({
    key: 'mail.server', default: undefined, parse: parseServer, format: formatServer,
    docs: 'The mail server that takes invitations, for example `mail.example.org:587`. Left '
      + 'empty: no mail is sent, and nothing can be shared by mail. Try it with '
      + '`holdfast mail test ADDRESS`.',
  }),
  security: setting<MailSecurity>({
    key: 'mail.security', default: 'starttls', parse: oneOf(['starttls', 'tls', 'plain']),
    docs: '`starttls`: encryption is begun before anything is said (mostly port 587), `tls`: from '
      + 'the first byte (mostly port 465), `plain`: never. Whoever is not who the certificate '
      + 'says gets no mail.',
  }),
  allowPlain: setting<boolean>({
    key: 'mail.allow_plain', default: false, parse: flag,
    docs: 'Lets `plain` be used though the server is not this machine: who taps the network reads '
      + 'the mails, the links in them, and the password of the login.',
  }),
  caPath: setting<string | undefined>({
    key: 'mail.ca_file', default: undefined, parse: optionalText,
    docs: 'Certificates (PEM) to trust instead of the system\'s, for a mail server with an '
      + 'authority of its own.',
  }),
  user: setting<string | undefined>({
    key: 'mail.user', default: undefined, parse: optionalText,
    docs: 'The name to log in with. Left empty: without a login.',
  }),
  password: setting<string | undefined>({
    key: 'mail.password', default: undefined, parse: optionalText, secret: true,
    docs: 'The password of that login.',
  }),
  passwordPath: setting<string | undefined>({
    key: 'mail.password_file', default: undefined, parse: optionalText,
    docs: 'The same in a file of its own, which holds nothing else.',
  }),
  from: setting<string | undefined>({
    key: 'mail.from', default: undefined, parse: parseFrom,
    docs: 'The sender of every mail: `cloud@example.org`, or `Our cloud <cloud@example.org>`. '
      + 'Answers and what cannot be delivered go there.',
  }),
  publicUrl: setting<string | undefined>({
    key: 'mail.public_url', default: undefined, parse: parsePublicUrl,
    docs: 'How receivers reach this server: `https://cloud.example.org`. Links in mails begin with '
      + 'it, never with what a request has called this server.',
  }),
  perUserHourly: setting<number>({
    key: 'mail.per_user_hourly', default: 50, parse: integer({ min: 1, max: 10_000 }),
    docs: 'So many mails one user can send within an hour.',
  }),
};

export type MailSettings = ValuesOf<typeof SETTINGS>;

export const mailSlice = slice({ settings: SETTINGS, check: contradictions });

function contradictions(values: MailSettings): Contradiction[] {
  const { server, security, allowPlain, user, password, passwordPath, from, publicUrl } = values;
  if (server === undefined) return [];
  const problems: Contradiction[] = [];
  const say = (key: string, problem: string): void => {
    problems.push({ key, problem: `${key} ${problem}` });
  };
  if (from === undefined) say('mail.from', 'is missing: every mail needs a sender');
  if (publicUrl === undefined) say('mail.public_url', 'is missing: links in mails begin with it');
  if (security === 'plain' && !isLoopback(server.host) && !allowPlain) {
    say('mail.security', 'is "plain", and the mail server is another machine: use "starttls" or '
      + '"tls", or say mail.allow_plain = true');
  }
  const secretCount = [password, passwordPath].filter((one) => one !== undefined).length;
  if (secretCount > 1) say('mail.password', 'is said twice, here and in a file: keep one');
  if ((user === undefined) !== (secretCount === 0)) {
    say(user === undefined ? 'mail.user' : 'mail.password',
      'is missing: a login takes both a name and a password');
  }
  return problems;
}
