/** One caller who follows the changes: asks, and waits where there is nothing. */
import type { FeedPage, ChangeHub, Listener } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { FollowedPages } from './followed-pages.ts';
import type { Gathering } from './gathering.ts';

export interface FollowParts {
  pages: FollowedPages;
  hub: ChangeHub;
  gathering: Gathering;
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
  /** Ends waiting; the same one from call to call, as a rule. */
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#onWake?.();
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
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onWake?.();
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** The next page that says something; the one that says nothing when the time is over or the
   *  signal fires. */
  async next({ waitMs, limit, signal }: WaitOptions): Promise<FeedPage> {
    const { clock, pages, gathering } = this.#parts;
    const untilMs = clock.monotonic() + waitMs;
    this.#heed(signal);
    for (;;) {
      if (this.#isSettled && !signal.aborted) {
        await this.#wait(untilMs - clock.monotonic());
        if (this.#isWoken && !signal.aborted) await gathering.join();
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

  #heed(signal: AbortSignal): void {
    if (this.#signal === signal) return;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  /** Until it is woken, the signal fires, or the time is over. */
  #wait(ms: number): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#onWake = undefined;
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      this.#onWake = end;
    });
  }
}

function nothingAfter({ cursor, spaces }: FeedPage): FeedPage {
  return { isReset: false, changes: [], cursor, isMore: false, spaces };
}
