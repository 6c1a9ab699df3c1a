/** One caller who follows the changes: asks, and waits where there is nothing. */
import type { FeedPage, ChangeHub, Listener } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { FollowedPages } from './followed-pages.ts';

/** Changes that come close together are one page, and one look. */
const GATHER_MS = 20;

export interface FollowParts {
  pages: FollowedPages;
  hub: ChangeHub;
  clock: Clock;
}

export interface WaitOptions {
  waitMs: number;
  limit: number;
  signal: AbortSignal;
}

export class Following {
  readonly #parts: FollowParts;
  /** Who asks, as of now. @throws unauthenticated, denied: not any more. */
  readonly #findCaller: () => Promise<Caller>;
  readonly #listener: Listener;
  #cursor: string | undefined;
  #isWoken = false;
  /** The last page was the last there was, and whatever comes wakes. */
  #isSettled = false;
  #onWake: (() => void) | undefined;
  #watched = '';
  #last: FeedPage | undefined;

  /** @throws busy: too many follow. `caller`: who `findCaller` has just found. */
  constructor(parts: FollowParts, options: {
    caller: Caller; findCaller: () => Promise<Caller>; cursor: string | undefined;
  }) {
    this.#parts = parts;
    this.#findCaller = options.findCaller;
    this.#cursor = options.cursor;
    this.#listener = parts.hub.listen(options.caller, () => {
      this.#isWoken = true;
      this.#onWake?.();
    });
  }

  close(): void {
    this.#listener.close();
    this.#onWake?.();
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** The next page that says something; the one that says nothing when the time is over or the
   *  signal fires. */
  async next({ waitMs, limit, signal }: WaitOptions): Promise<FeedPage> {
    const { clock, pages } = this.#parts;
    const untilMs = clock.monotonic() + waitMs;
    for (;;) {
      if (this.#isSettled && !signal.aborted) {
        await this.#wait(untilMs - clock.monotonic(), signal);
        if (this.#isWoken && !signal.aborted) await this.#sleep(GATHER_MS, signal);
      }
      // Nobody waits for an answer, or the server ends and its stores may be closed already.
      if (signal.aborted && this.#last !== undefined) return nothingAfter(this.#last);
      this.#isWoken = false;
      const page = await pages.page(await this.#findCaller(), this.#cursor, limit);
      this.#cursor = page.cursor;
      this.#last = page;
      const isWatched = this.#watch(page);
      this.#isSettled = isWatched && !page.isReset && !page.isMore;
      const isSaying = page.isReset || page.changes.length > 0;
      if (isSaying || clock.monotonic() >= untilMs || signal.aborted) return page;
    }
  }

  /** False: what changed before it was watched is seen by one more look. */
  #watch({ spaces }: FeedPage): boolean {
    const watched = spaces.join(' ');
    if (watched === this.#watched) return true;
    this.#watched = watched;
    this.#listener.watch(spaces);
    return false;
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#isWoken ? Promise.resolve() : this.#sleep(ms, signal, true);
  }

  #sleep(ms: number, signal: AbortSignal, endsByWake = false): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        this.#onWake = undefined;
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
      if (endsByWake) this.#onWake = end;
    });
  }
}

function nothingAfter({ cursor, spaces }: FeedPage): FeedPage {
  return { isReset: false, changes: [], cursor, isMore: false, spaces };
}
