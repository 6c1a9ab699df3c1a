/**
 * Pages of feeds for all who wait, one look at a time: a change of a space that a thousand people
 * watch is a thousand looks, and requests must be answered between them. Who looks from the same
 * place as somebody a moment ago, with the same rights, is given the same page.
 */
import { FEED_LIMIT_MAX } from '../../files/index.ts';
import type { ChangeFeed, ChangeHub, FeedPage } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Clock } from '../../platform/index.ts';

/** Pages that are remembered; all are forgotten with the next change. */
const PAGES_MAX = 64;
/** Time too changes what is seen. */
const PAGE_AGE_MAX_MS = 1_000;
/** Looks between two turns of the event loop. */
const LOOKS_AT_ONCE = 32;

export interface PagesParts {
  feed: Pick<ChangeFeed, 'changesSince'>;
  hub: ChangeHub;
  clock: Clock;
}

interface Remembered {
  page: Promise<FeedPage>;
  atMs: number;
}

export class FollowedPages {
  readonly #parts: PagesParts;
  readonly #pages = new Map<string, Remembered>();
  #generation = 0;
  #last: Promise<unknown> = Promise.resolve();
  #looks = 0;

  constructor(parts: PagesParts) {
    this.#parts = parts;
  }

  /** As ChangeFeed.changesSince, in turn. What is known already waits for no turn. */
  page(
    caller: Caller, cursor: string | undefined, limit = FEED_LIMIT_MAX,
  ): Promise<FeedPage> {
    const { user, tenant, groupsRev, deviceId = '', device } = caller;
    const key = [user, tenant, groupsRev, deviceId, device, cursor ?? '', limit].join('\n');
    const known = this.#find(key);
    if (known !== undefined) return known;
    const turn = this.#last.then(async () => {
      const since = this.#find(key);
      if (since !== undefined) return since;
      this.#looks += 1;
      if (this.#looks % LOOKS_AT_ONCE === 0) await this.#pause();
      return this.#look(key, () => this.#parts.feed.changesSince(caller, cursor, limit));
    });
    this.#last = turn.catch(() => undefined); // Told to whom it concerns; the next one goes on.
    return turn;
  }

  #find(key: string): Promise<FeedPage> | undefined {
    const { hub, clock } = this.#parts;
    if (this.#generation !== hub.generation) this.#pages.clear();
    this.#generation = hub.generation;
    const known = this.#pages.get(key);
    const isFresh = known !== undefined && clock.monotonic() - known.atMs < PAGE_AGE_MAX_MS;
    return isFresh ? known.page : undefined;
  }

  #look(key: string, act: () => Promise<FeedPage>): Promise<FeedPage> {
    const { hub, clock } = this.#parts;
    if (this.#generation !== hub.generation || this.#pages.size >= PAGES_MAX) this.#pages.clear();
    this.#generation = hub.generation;
    const page = act();
    this.#pages.set(key, { page, atMs: clock.monotonic() });
    page.catch(() => this.#pages.delete(key));
    return page;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(0, resolve);
    });
  }
}
