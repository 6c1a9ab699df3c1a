/**
 * Mail that was promised and is not yet with the mail server: one file each, on disk before anybody
 * is told that it will be sent, and removed when the mail server has it.
 *
 * A crash between the two sends it once more, under the same Message-ID. While the server has
 * trouble, all of it waits; a mail that the server defers waits by itself. After three days, or
 * when the mail server says "never", the mail is undeliverable: its words and address are
 * forgotten, and what remains tells whoever sent it.
 */
import { randomUUID } from 'node:crypto';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';
import { checkMail } from './mailer.ts';
import type { Mailer } from './mailer.ts';
import { OutboxFolder } from './outbox-folder.ts';
import type { FailedEntry, OutboxEntry, WaitingEntry } from './outbox-folder.ts';
import type { MailAddress } from './mail-address.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** From the first try to the last. */
export const GIVE_UP_MS = 3 * DAY_MS;
/** Between tries: doubled each time, from the first to the last. */
const PAUSE_FIRST_MS = MINUTE_MS;
const PAUSE_MAX_MS = 60 * MINUTE_MS;
/** More is refused: the mail server is away, and has been for long. */
export const WAITING_MAX = 1_000;
/** What could not be delivered is remembered for so long, and so many of it. */
const FAILED_KEEP_MS = 30 * DAY_MS;
const FAILED_MAX = 1_000;

export interface Letter {
  readonly to: MailAddress;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** What it is about, such as `share-17`; not its content, for it is kept when all else is not. */
  readonly about: string;
}

/** `waiting`: it will be sent; `undeliverable`: it will not. */
export type LetterState = 'waiting' | 'undeliverable';

export interface OutboxParts {
  /** Made if need be. */
  folder: string;
  mailer: Mailer;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

interface Waiting {
  entry: WaitingEntry;
  tries: number;
  dueAt: number;
}

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #folder: OutboxFolder;
  readonly #waiting = new Map<string, Waiting>();
  readonly #failed = new Map<string, FailedEntry>();
  readonly #closing = new AbortController();
  readonly #sentCount: MetricCounter;
  readonly #failedCount: MetricCounter;
  #putting = 0;
  #serverTries = 0;
  #serverDueAt = 0;
  #working: Promise<void> | undefined;
  #cancelTimer = (): void => undefined;

  private constructor(parts: OutboxParts, folder: OutboxFolder) {
    this.#parts = parts;
    this.#folder = folder;
    const { metrics } = parts;
    this.#sentCount = metrics.counter({
      name: 'mails_sent_total', help: 'Mails that the mail server has taken.',
    });
    this.#failedCount = metrics.counter({
      name: 'mails_undeliverable_total', help: 'Mails that were given up.',
    });
    metrics.gaugeOf({ name: 'mails_waiting', help: 'Mails that are still to be sent.' },
      () => this.#waiting.size);
  }

  /** Goes on with what an earlier run has left. @throws unavailable: the folder cannot be used. */
  static async open(parts: OutboxParts): Promise<Outbox> {
    const { folder, entries, unreadable } = await OutboxFolder.open(parts.folder);
    if (unreadable > 0) parts.log.error({ unreadable }, 'files in the outbox cannot be read');
    const outbox = new Outbox(parts, folder);
    for (const entry of entries) {
      if ('failedAt' in entry) outbox.#failed.set(entry.id, entry);
      else outbox.#waiting.set(entry.id, { entry, tries: 0, dueAt: 0 });
    }
    await outbox.#forgetOldFailures();
    outbox.#wake();
    return outbox;
  }

  /** Sends it as soon as it can be. Once resolved it survives a power cut, and either reaches the
   *  mail server or becomes `undeliverable`.
   *  @throws invalid `mail-content`; busy `mail-outbox-full`; full, unavailable: the disk. */
  async put(letter: Letter): Promise<void> {
    if (this.#waiting.size + this.#putting >= WAITING_MAX || this.#closing.signal.aborted) {
      const message = 'Too many mails are waiting to be sent. Try again later, or share by link.';
      throw new HoldfastError('busy', 'mail/put', message, { code: 'mail-outbox-full' });
    }
    const entry = { ...letter, id: randomUUID(), at: this.#parts.clock.now() };
    checkMail(entry);
    this.#putting += 1;
    try {
      await this.#folder.write(entry);
      this.#waiting.set(entry.id, { entry, tries: 0, dueAt: 0 });
    } finally {
      this.#putting -= 1;
    }
    this.#wake();
  }

  /** Of the latest letter about this; undefined: it was sent, or there was none. */
  stateOf(about: string): LetterState | undefined {
    for (const { entry } of this.#waiting.values()) if (entry.about === about) return 'waiting';
    for (const entry of this.#failed.values()) if (entry.about === about) return 'undeliverable';
    return undefined;
  }

  /** Takes back what is not sent yet, and forgets what could not be. One that is on its way at this
   *  very moment may still arrive. Durable once resolved. */
  async cancel(about: string): Promise<void> {
    for (const { entry } of [...this.#waiting.values()]) {
      if (entry.about === about) await this.#drop(entry);
    }
    for (const entry of [...this.#failed.values()]) {
      if (entry.about === about) await this.#drop(entry);
    }
  }

  /** Cuts what is being sent; it is sent again after the next start. */
  async close(): Promise<void> {
    this.#cancelTimer();
    this.#closing.abort(new HoldfastError('unavailable', 'mail/close', 'The server is stopping.'));
    await this.#working;
  }

  #wake(): void {
    if (this.#working !== undefined || this.#closing.signal.aborted) return;
    this.#cancelTimer();
    const next = this.#next();
    if (next === undefined) return;
    const { clock, log } = this.#parts;
    const waitMs = Math.max(next.dueAt, this.#serverDueAt) - clock.monotonic();
    if (waitMs > 0) {
      this.#cancelTimer = clock.after(waitMs, () => this.#wake());
      return;
    }
    this.#working = this.#try(next).catch((err: unknown) => {
      next.dueAt = clock.monotonic() + PAUSE_MAX_MS;
      log.error({ err }, 'the outbox could not be kept; trying again in an hour');
    }).finally(() => {
      this.#working = undefined;
      this.#wake();
    });
  }

  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const one of this.#waiting.values()) {
      if (next === undefined || one.dueAt < next.dueAt) next = one;
    }
    return next;
  }

  async #try(waiting: Waiting): Promise<void> {
    const { entry } = waiting;
    const { mailer } = this.#parts;
    const { signal } = this.#closing;
    try {
      await mailer.send(entry, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#noteServer(error);
      await this.#noteFailure(waiting, error);
      return;
    }
    this.#serverTries = 0;
    this.#sentCount.inc();
    await this.#drop(entry);
  }

  /** Trouble of the server is trouble for all that waits. */
  #noteServer(error: unknown): void {
    const isTrouble = isKind(error, 'unavailable');
    this.#serverTries = isTrouble ? this.#serverTries + 1 : 0;
    if (!isTrouble) return;
    this.#serverDueAt = this.#parts.clock.monotonic() + pauseMs(this.#serverTries);
  }

  async #noteFailure(waiting: Waiting, error: unknown): Promise<void> {
    const { entry } = waiting;
    const { clock, log } = this.#parts;
    const isForGood = isKind(error, 'denied') || isKind(error, 'invalid');
    if (isForGood || clock.now() - entry.at >= GIVE_UP_MS) {
      log.error({ err: error, about: entry.about }, 'a mail could not be delivered: given up');
      await this.#giveUp(entry);
      return;
    }
    waiting.tries += 1;
    // Trouble of the server holds up all of them together, so none waits beyond it by itself.
    const isOwn = !isKind(error, 'unavailable');
    waiting.dueAt = clock.monotonic() + (isOwn ? pauseMs(waiting.tries) : 0);
    log.warn({ err: error, about: entry.about, waiting: this.#waiting.size },
      'a mail could not be sent yet');
  }

  async #giveUp({ id, at, about }: WaitingEntry): Promise<void> {
    const failed = { id, at, about, failedAt: this.#parts.clock.now() };
    if (!this.#waiting.has(id)) return;
    await this.#folder.write(failed);
    // It may have been taken back meanwhile.
    if (!this.#waiting.delete(id)) return this.#folder.delete(id);
    this.#failed.set(id, failed);
    this.#failedCount.inc();
    await this.#forgetOldFailures();
  }

  async #forgetOldFailures(): Promise<void> {
    const now = this.#parts.clock.now();
    for (const entry of [...this.#failed.values()]) {
      const isOld = now - entry.failedAt > FAILED_KEEP_MS;
      if (isOld || this.#failed.size > FAILED_MAX) await this.#drop(entry);
    }
  }

  /** From memory first: what was taken back must not be tried again. */
  async #drop({ id }: Pick<OutboxEntry, 'id'>): Promise<void> {
    this.#waiting.delete(id);
    this.#failed.delete(id);
    await this.#folder.delete(id);
  }
}

function pauseMs(tries: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(tries - 1, 10));
}
