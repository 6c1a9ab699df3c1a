/**
 * How a web node hears of what others have changed, and tells them what it has.
 *
 * Spaces that were changed here are told a moment later, many in one statement; what others have
 * told is read twice a second, in one statement too. These are hints. The truth is in the journals:
 * now and then the spaces that somebody waits for here are looked at, so that a change of which
 * nobody told, because its web node died, is found as well.
 */
import type { SpaceId } from '../base/ids.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { ChangeHints, Clock } from '../platform/index.ts';

/** What changes meanwhile is told together, and the next time not before. */
const GATHER_MS = 50;
const TELL_EVERY_MS = 250;
const READ_EVERY_MS = 500;
/** In readings. */
const JOURNALS_EVERY = 10;
const PRUNE_EVERY = 120;
/** In one look. The others come with the next one. */
const JOURNALS_MAX = 200;
/** Changed and not told yet; more are not told, and the journals tell. */
const PENDING_MAX = 10_000;
const REMEMBERED_MAX = 10_000;

export interface ExchangeParts {
  readonly hints: ChangeHints;
  readonly metadata: Pick<MetadataStore, 'getSpace'>;
  readonly clock: Clock;
  /** Spaces that somebody waits for here. */
  readonly watched: () => readonly SpaceId[];
  /** A space has changed, here or elsewhere. */
  readonly onChanged: (space: SpaceId) => void;
  /** With each reading. */
  readonly onRead: () => Promise<void>;
  /** It is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

export class ChangeExchange {
  readonly #parts: ExchangeParts;
  #pending = new Set<SpaceId>();
  readonly #revs = new Map<SpaceId, number>();
  #after: number | undefined;
  #readCount = 0;
  #toldMs = -TELL_EVERY_MS;
  #cancelTell: (() => void) | undefined;
  #cancelRead = (): void => undefined;
  #telling: Promise<void> = Promise.resolve();
  #reading: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#readIn(0);
  }

  /** A commit of this web node has changed a space. Returns at once. */
  changed(space: SpaceId): void {
    if (this.#isStopped || this.#pending.size >= PENDING_MAX) return;
    this.#pending.add(space);
    const { clock } = this.#parts;
    const waitMs = Math.max(GATHER_MS, this.#toldMs + TELL_EVERY_MS - clock.monotonic());
    this.#cancelTell ??= clock.after(waitMs, () => {
      this.#cancelTell = undefined;
      this.#toldMs = clock.monotonic();
      this.#telling = this.#telling.then(() => this.#tell()).catch(this.#parts.onTrouble);
    });
  }

  /** Tells what is left. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTell?.();
    this.#cancelRead();
    await this.#reading;
    await this.#telling;
    await this.#tell().catch(this.#parts.onTrouble);
  }

  async #tell(): Promise<void> {
    const spaces = this.#pending;
    if (spaces.size === 0) return;
    this.#pending = new Set();
    await this.#parts.hints.tell([...spaces]);
  }

  #readIn(delayMs: number): void {
    if (this.#isStopped) return;
    this.#cancelRead = this.#parts.clock.after(delayMs, () => {
      this.#reading = this.#read().catch(this.#parts.onTrouble)
        .finally(() => this.#readIn(READ_EVERY_MS));
    });
  }

  async #read(): Promise<void> {
    const { hints, onChanged, onRead } = this.#parts;
    const { spaces, next } = await hints.read(this.#after);
    this.#after = next;
    for (const space of spaces) onChanged(space as SpaceId);
    await onRead();
    this.#readCount += 1;
    if (this.#readCount % JOURNALS_EVERY === 0) await this.#lookAtJournals();
    if (this.#readCount % PRUNE_EVERY === 0) await hints.prune();
  }

  async #lookAtJournals(): Promise<void> {
    const { watched, metadata, onChanged } = this.#parts;
    const all = watched();
    const first = (this.#readCount / JOURNALS_EVERY - 1) * JOURNALS_MAX % Math.max(all.length, 1);
    if (this.#revs.size > REMEMBERED_MAX) this.#revs.clear();
    for (const space of all.slice(first, first + JOURNALS_MAX)) {
      const { rev } = await metadata.getSpace(space);
      const known = this.#revs.get(space);
      this.#revs.set(space, rev);
      if (known !== undefined && known !== rev) onChanged(space);
    }
  }
}
