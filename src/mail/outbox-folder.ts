/** The files of the outbox: docs/formats/outbox.md. */
import { mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
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
const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const NAME = new RegExp(`^(${ID})\\.json$`);
const DRAFT = new RegExp(`^${ID}\\.json\\.draft$`);
/** Twice what the outbox holds; whoever put more there must take it away. */
const FILES_MAX = 4_000;

export class OutboxFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads all, oldest first. What cannot be read is left as it is, and counted.
   *  @throws unavailable. */
  static async open(
    path: string,
  ): Promise<{ folder: OutboxFolder; entries: OutboxEntry[]; unreadable: number }> {
    const entries: OutboxEntry[] = [];
    let unreadable = 0;
    await explained(async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const names = (await readdir(path)).slice(0, FILES_MAX);
      for (const name of names) {
        if (DRAFT.test(name)) await unlink(join(path, name)); // Nobody was told that it is there.
        const [, id] = NAME.exec(name) ?? [];
        if (id === undefined) continue;
        const entry = parseEntry(id, await readFile(join(path, name), 'utf8'));
        if (entry === undefined) unreadable += 1;
        else entries.push(entry);
      }
    });
    entries.sort((a, b) => a.at - b.at);
    return { folder: new OutboxFolder(path), entries, unreadable };
  }

  /** Makes or replaces. Durable once resolved. @throws full; unavailable. */
  async write(entry: OutboxEntry): Promise<void> {
    const target = this.#pathOf(entry.id);
    await explained(async () => {
      const file = await open(`${target}.draft`, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify({ format: FORMAT, ...entry }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${target}.draft`, target);
      await this.#sync();
    });
  }

  /** Calm when it is not there. Durable once resolved. */
  async delete(id: string): Promise<void> {
    await explained(async () => {
      await unlink(this.#pathOf(id)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
      await this.#sync();
    });
  }

  #pathOf(id: string): string {
    return join(this.#path, `${id}.json`);
  }

  async #sync(): Promise<void> {
    const directory = await open(this.#path, 'r');
    await directory.sync().finally(() => directory.close());
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

async function explained(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const message = isFull ? 'There is no room left to keep the mail until it is sent.'
      : 'The mail could not be kept until it is sent. Look at the server\'s disk.';
    const facts = { code };
    throw new HoldfastError(isFull ? 'full' : 'unavailable', 'mail/outbox', message, {
      cause, facts,
    });
  }
}
