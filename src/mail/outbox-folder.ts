/** The files of the outbox: docs/formats/outbox.md. */
import { HoldfastError } from '../base/errors.ts';
import { NoteFolder } from '../platform/index.ts';
import { findMailAddress } from './mail-address.ts';
import { checkMail } from './mailer.ts';
import type { Mail } from './mailer.ts';

export interface WaitingEntry extends Mail {
  readonly about: string;
}

/** What is kept of a mail that was given up: nothing that it said. */
export interface FailedEntry {
  readonly id: string;
  readonly at: number;
  readonly about: string;
  readonly failedAt: number;
}

export type OutboxEntry = WaitingEntry | FailedEntry;

const FORMAT = 1;
const OPTIONS = {
  idPattern: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  /** Twice what the outbox holds; whoever put more there must take it away. */
  filesMax: 4_000,
  op: 'mail/outbox',
  messages: {
    full: 'There is no room left to keep the mail until it is sent.',
    unavailable: 'The mail could not be kept until it is sent. Look at the server\'s disk.',
  },
};

export class OutboxFolder {
  readonly #folder: NoteFolder;

  private constructor(folder: NoteFolder) {
    this.#folder = folder;
  }

  /** Reads all, oldest first. What cannot be read is left as it is, and counted.
   *  @throws unavailable. */
  static async open(
    path: string,
  ): Promise<{ folder: OutboxFolder; entries: OutboxEntry[]; unreadable: number }> {
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    const entries = notes.flatMap(({ id, text }) => parseEntry(id, text) ?? []);
    entries.sort((a, b) => a.at - b.at);
    const unreadable = notes.length - entries.length;
    return { folder: new OutboxFolder(folder), entries, unreadable };
  }

  /** Makes or replaces. Durable once resolved. @throws full; unavailable. */
  write(entry: OutboxEntry): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...entry });
    return this.#folder.write({ id: entry.id, text });
  }

  /** Calm when it is not there. Durable once resolved. */
  delete(id: string): Promise<void> {
    return this.#folder.delete(id);
  }
}

/** undefined: not one of ours, damaged, or of a later version. */
function parseEntry(id: string, json: string): OutboxEntry | undefined {
  try {
    const entry = JSON.parse(json) as Record<string, unknown>;
    const { format, at, about, failedAt, to, subject, text, html } = entry;
    if (format !== FORMAT || entry['id'] !== id) return undefined;
    if (typeof at !== 'number' || typeof about !== 'string') return undefined;
    if (typeof failedAt === 'number') return { id, at, about, failedAt };
    const address = typeof to === 'string' ? findMailAddress(to) : undefined;
    const isText = [subject, text, html].every((one) => typeof one === 'string');
    if (address === undefined || !isText) return undefined;
    const mail = {
      id, at, about, to: address, subject: String(subject), text: String(text), html: String(html),
    };
    checkMail(mail);
    return mail;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof HoldfastError) return undefined;
    throw error;
  }
}
