/** What is done beside the requests: noting that this store is there, and sweeping. */
import { HoldfastError } from '../../../../../base/errors.ts';
import type { Clock } from '../../../../../platform/index.ts';
import type { LoneStatements } from '../../../../../platform/mariadb/index.ts';
import { KEY_TTL_MS } from '../../idempotency-store.ts';
import { KEYED_REQUEST_SQL as SQL } from './keyed-request-schema.ts';

export const UPKEEP_EVERY_MS = 20_000;
/** Keys that a user begins here until it is looked how many there are. */
const LOOK_AFTER_KEYS = 100;
const USERS_MAX = 10_000;
/** Longer than any key counts. */
const WRITER_KEEP_S = 2 * KEY_TTL_MS / 1000;

export interface UpkeepParts {
  lone: LoneStatements;
  writer: string;
  clock: Clock;
  keysPerUserMax: number;
}

export class KeyUpkeep {
  readonly #parts: UpkeepParts;
  /** Keys begun since it was last looked, by user. */
  readonly #begun = new Map<string, number>();
  #latestAt = 0;
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** @throws as LoneStatements.ask. */
  async begin(): Promise<void> {
    await this.#noteWriter();
    this.#plan();
  }

  /** A key of a user is begun. */
  note(user: string, at: number): void {
    this.#latestAt = Math.max(this.#latestAt, at);
    if (this.#begun.size >= USERS_MAX) this.#begun.clear();
    this.#begun.set(user, (this.#begun.get(user) ?? 0) + 1);
  }

  #plan(): void {
    this.#cancel = this.#parts.clock.after(UPKEEP_EVERY_MS, () => {
      this.#running = this.#keepUp().finally(() => {
        if (!this.#isOver) this.#plan();
      });
    });
  }

  async #keepUp(): Promise<void> {
    const { lone } = this.#parts;
    try {
      await this.#noteWriter();
      await lone.ask(SQL.sweepKeyWriters, [WRITER_KEEP_S]);
      await lone.ask(SQL.sweepKeys, [this.#latestAt - KEY_TTL_MS]);
      for (const [user, count] of this.#begun) {
        if (count < LOOK_AFTER_KEYS) continue;
        this.#begun.delete(user);
        await this.#trim(user);
      }
    } catch (error) {
      // The database is away: requests are told so, and the next round comes soon.
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  async #noteWriter(): Promise<void> {
    await this.#parts.lone.ask(SQL.noteKeyWriter, [this.#parts.writer]);
  }

  async #trim(user: string): Promise<void> {
    const { lone, keysPerUserMax } = this.#parts;
    const { rows: [oldest] } = await lone.ask(
      SQL.findOldestKey, [{ user, newer: keysPerUserMax - 1 }]);
    if (oldest !== undefined) await lone.ask(SQL.trimKeys, [user, Number(oldest[0])]);
  }

  /** What is under way is done first. Calm when called twice. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel?.();
    await this.#running;
    try {
      await this.#parts.lone.ask(SQL.removeKeyWriter, [this.#parts.writer]);
    } catch (error) {
      // It will be missed for its silence.
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
}
