/** Everything that our mails say, in one place, for whoever translates it. Pure. */
import { oneLine } from './mail-address.ts';

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Invitation {
  /** As people call who shares. */
  readonly sharer: string;
  /** Of what is shared. */
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** What its receiver may do. */
  readonly may: 'look' | 'read' | 'add' | 'edit' | 'drop';
  readonly url: string;
  readonly note?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly hasPassword: boolean;
}

const WORDS = {
  subject: (sharer: string, name: string) => `${sharer} has shared “${name}” with you`,
  greeting: 'Hello,',
  shared: {
    file: (sharer: string, name: string) => `${sharer} has shared the file “${name}” with you.`,
    folder: (sharer: string, name: string) =>
      `${sharer} has shared the folder “${name}” with you.`,
  },
  may: {
    look: 'You can look at it.',
    read: 'You can look at it and download it.',
    add: 'You can look at it, download it and add files.',
    edit: 'You can look at it, download it and change it.',
    drop: 'You can leave files there. Nobody who comes by this link sees what is there already.',
  },
  open: 'Open it',
  password: 'It asks for a password. Whoever has shared it tells you the password in another '
    + 'way; it is never in a mail.',
  until: (day: string) => `It can be opened until ${day} (UTC).`,
  note: (sharer: string) => `${sharer} writes:`,
  footer: 'Whoever has this address can open it: pass it on only to people who are meant to. If '
    + 'you did not expect it, ask whoever has shared it before you open it.',
  notice: {
    open: 'Sign in',
    found: 'You find it among your folders, on all your devices.',
    footer: 'You get this mail because you have an account on this server. Whoever has no account '
      + 'cannot open anything by it.',
  },
  test: {
    subject: 'A test from your Holdfast server',
    body: 'This is a test. Mail from your Holdfast server arrives.',
  },
} as const;

export type Notice = Omit<Invitation, 'hasPassword'>;

/** Longer names would fill the subject. */
const SHOWN_CHARACTERS_MAX = 100;

/** To whoever has no account here, with a link. */
export function invitationText(invitation: Invitation): MailText {
  const { open, footer } = WORDS;
  const { hasPassword } = invitation;
  return sharedText(invitation, { open, footer, more: hasPassword ? [WORDS.password] : [] });
}

/** To somebody with an account, in whose folders it is to be found. */
export function noticeText(notice: Notice): MailText {
  const { open, found, footer } = WORDS.notice;
  return sharedText(notice, { open, footer, more: [found] });
}

function sharedText(
  invitation: Notice, words: { open: string; footer: string; more: readonly string[] },
): MailText {
  const { kind, may, url, expiresAt } = invitation;
  const sharer = shown(invitation.sharer);
  const name = shown(invitation.name);
  const note = oneLine(invitation.note ?? '');
  const said = [
    WORDS.shared[kind](sharer, name), WORDS.may[may],
    ...words.more,
    ...(expiresAt === undefined ? [] : [WORDS.until(lastDay(expiresAt))]),
  ];
  const text = [
    WORDS.greeting, said.join('\n'), `${words.open}: ${url}`,
    ...(note === '' ? [] : [`${WORDS.note(sharer)}\n> ${note}`]),
    `-- \n${words.footer}`,
  ].join('\n\n');
  const html = page([
    paragraph(WORDS.greeting), ...said.map(paragraph),
    `<p><a href="${escaped(url)}">${words.open}</a><br>${escaped(url)}</p>`,
    ...(note === '' ? []
      : [paragraph(WORDS.note(sharer)), `<blockquote>${escaped(note)}</blockquote>`]),
    `<hr>${paragraph(words.footer)}`,
  ]);
  return { subject: WORDS.subject(sharer, name), text: `${text}\n`, html };
}

export function testText(): MailText {
  const { subject, body } = WORDS.test;
  return { subject, text: `${body}\n`, html: page([paragraph(body)]) };
}

function shown(raw: string): string {
  const line = oneLine(raw);
  const characters = [...line];
  return characters.length <= SHOWN_CHARACTERS_MAX ? line
    : `${characters.slice(0, SHOWN_CHARACTERS_MAX).join('')}…`;
}

/** The day before the moment at which it ends. */
function lastDay(expiresAt: number): string {
  return new Date(expiresAt - 1).toISOString().slice(0, 10);
}

function paragraph(text: string): string {
  return `<p>${escaped(text)}</p>`;
}

function page(parts: readonly string[]): string {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n`
    + `${parts.join('\n')}\n</body></html>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
