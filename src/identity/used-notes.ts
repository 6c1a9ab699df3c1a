import type { Clock } from '../platform/index.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import type { TokenRecord, TokenTouch } from './records.ts';

/** Notes that wait to be written; further ones are passed over and come again with the next use. */
const WAITING_MAX = 10_000;
const WRITE_EVERY_MS = 60_000;

/**
 * Writes down when app passwords and sessions were last used: off the path of requests, many in one
 * transaction, each at most once in `usedNoteEveryMs`. A crash loses notes of the last minute.
 */
export class UsedNotes {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #onFault: ((error: unknown) => void) | undefined;
  readonly #waiting = new Map<string, TokenTouch>();
  #cancelTimer: (() => void) | undefined;

  constructor(
    store: IdentityStore, clock: Clock, config: IdentityConfig,
    onFault: ((error: unknown) => void) | undefined,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#onFault = onFault;
  }

  note(token: TokenRecord): void {
    const usedAt = this.#clock.now();
    if (usedAt - (token.usedAt ?? 0) < this.#config.usedNoteEveryMs) return;
    if (this.#waiting.has(token.hash) || this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.set(token.hash, {
      hash: token.hash, usedAt, expiresAt: this.#expiryOf(token, usedAt),
    });
    this.#writeLater();
  }

  /** Writes what waits now, for example before closing. */
  async write(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const touches = [...this.#waiting.values()];
    if (touches.length > 0) await this.#store.touchTokens(touches);
    for (const { hash } of touches) this.#waiting.delete(hash);
  }

  #writeLater(): void {
    this.#cancelTimer ??= this.#clock.after(WRITE_EVERY_MS, () => {
      this.#cancelTimer = undefined;
      this.write().catch((error: unknown) => {
        this.#onFault?.(error);
        this.#writeLater();
      });
    });
  }

  #expiryOf({ kind, createdAt, expiresAt }: TokenRecord, usedAt: number): number | undefined {
    if (kind !== 'session') return expiresAt;
    const { sessionAgeMaxMs, sessionIdleMs } = this.#config;
    return Math.min(createdAt + sessionAgeMaxMs, usedAt + sessionIdleMs);
  }
}
