/**
 * What others change shows at once: the page follows the server's changes as long as somebody looks
 * at it (docs/following-changes.md).
 *
 * A cursor says how far it has come, so a tab that was hidden, a connection that broke and a server
 * that was away are all caught up with. A hidden tab lets its stream go: browsers open only six
 * connections to a server, and a seventh tab would stand still. Where no stream comes through (old
 * proxies), the same changes are asked for now and then.
 */
import type { Node } from '../../../src/wire/client.ts';
import { Store } from './store.ts';

/** What a change tells of a node: sizes, times and ETags of folders are not told. */
export type LiveNode = Pick<Node, 'id' | 'name' | 'path' | 'kind' | 'may' | 'isMount' | 'isShared'>
  & Partial<Node>;

export interface LiveChange {
  readonly kind: 'added' | 'changed' | 'moved' | 'removed';
  readonly key: string;
  readonly parentKey?: string;
  readonly nodeId?: string;
  readonly path?: string;
  readonly oldPath?: string;
  readonly isWhole: boolean;
  readonly node?: LiveNode;
  readonly at?: string;
  readonly by?: string;
}

export type LivePage =
  | { readonly reset: true; readonly cursor: string }
  | {
    readonly items: readonly LiveChange[]; readonly cursor: string; readonly isMore: boolean;
    readonly reset?: undefined;
  };

/** `off`: nobody looks, or neither way works. */
export type LiveState = 'off' | 'stream' | 'polling';

type StreamEvent = 'open' | 'error' | 'changes' | 'reset' | 'bye';

/** The part of EventSource that is used. */
export interface ChangeStream {
  addEventListener: (
    kind: StreamEvent, listener: (event: { readonly data?: unknown }) => void,
  ) => void;
  close: () => void;
}

export interface LiveParts {
  openStream: (cursor: string | undefined) => ChangeStream;
  /** One page, at once. @throws what the call throws. */
  ask: (cursor: string | undefined) => Promise<LivePage>;
  /** All that came since the last time. A reset: all may be otherwise than it was. */
  apply: (changes: readonly LiveChange[] | 'reset') => void;
  /** Runs something once before the next picture is drawn. */
  beforeNextFrame: (run: () => void) => void;
  onAccessEnded: () => void;
  random: () => number;
}

export const LIVE_PAUSE_MS_MIN = 1_000;
export const LIVE_PAUSE_MS_MAX = 300_000;
export const LIVE_POLL_MS = 20_000;
/** A stream that was up for so long was no failure. */
const STEADY_MS = 10_000;
/** After so many failures one after the other the changes are asked for. */
const FAILURES_MAX = 3;
/** A proxy may swallow a stream and keep it open: so it is looked at by another way. */
const CHECK_MS = 120_000;
const CHECK_GRACE_MS = 5_000;
/** With more than these in one frame, lists are loaded again: that is less work. */
export const LIVE_QUEUE_MAX = 2_000;

type Timer = ReturnType<typeof setTimeout> | undefined;

export class LiveUpdates {
  readonly state = new Store<LiveState>('off');
  readonly #parts: LiveParts;
  #isWanted = false;
  #stream: ChangeStream | undefined;
  #cursor: string | undefined;
  #failures = 0;
  #openedAt = 0;
  #retry: Timer;
  #poll: Timer;
  #check: Timer;
  #queue: LiveChange[] | 'reset' = [];
  #isDue = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** Follows from where it was, or from now on. Calm when called twice. */
  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#failures = 0;
    this.#open();
  }

  /** Lets go of the stream, and keeps the place. */
  stop(): void {
    this.#isWanted = false;
    this.#drop();
    clearTimeout(this.#poll);
    this.state.set('off');
  }

  /** Somebody else is signed in now, or will be. */
  forget(): void {
    this.stop();
    this.#cursor = undefined;
    this.#queue = [];
  }

  /** The server was away and is back. */
  reachAgain(): void {
    if (!this.#isWanted || this.state.value === 'stream') return;
    this.#failures = 0;
    this.#open();
  }

  #open(): void {
    this.#drop();
    const stream = this.#parts.openStream(this.#cursor);
    this.#stream = stream;
    const listen = (kind: StreamEvent, run: (data: string) => void): void => {
      stream.addEventListener(kind, ({ data }) => {
        // What an old stream still says is not for the new one.
        if (this.#stream === stream) run(typeof data === 'string' ? data : '');
      });
    };
    listen('open', () => this.#onOpen());
    listen('changes', (data) => this.#take(data));
    listen('reset', (data) => this.#take(data));
    listen('bye', (data) => {
      if (data.includes('access-ended')) this.#parts.onAccessEnded();
      this.#fail();
    });
    listen('error', () => this.#fail());
  }

  #drop(): void {
    this.#stream?.close();
    this.#stream = undefined;
    clearTimeout(this.#retry);
    clearTimeout(this.#check);
  }

  #onOpen(): void {
    clearTimeout(this.#poll);
    this.#openedAt = Date.now();
    this.state.set('stream');
    this.#checkLater();
  }

  #fail(): void {
    if (this.state.value === 'stream' && Date.now() - this.#openedAt >= STEADY_MS) {
      this.#failures = 0;
    }
    this.#failures += 1;
    this.#drop();
    const pauseMs = Math.min(
      LIVE_PAUSE_MS_MAX, LIVE_PAUSE_MS_MIN * 2 ** Math.min(20, this.#failures - 1),
    );
    // Not all who were cut off come back in the same moment.
    this.#retry = setTimeout(() => this.#open(), pauseMs * (0.75 + this.#parts.random() / 2));
    if (this.#failures < FAILURES_MAX) return;
    const isNew = this.state.value !== 'polling';
    this.state.set('polling');
    if (isNew) void this.#pollOnce();
  }

  async #pollOnce(): Promise<void> {
    clearTimeout(this.#poll);
    let isMore = false;
    try {
      const page = await this.#parts.ask(this.#cursor);
      if (this.state.value !== 'polling') return;
      this.#push(page);
      isMore = page.reset === undefined && page.isMore;
    } catch {
      // Whether the server is away is said elsewhere; what it refuses now it may allow later.
    }
    if (this.state.value !== 'polling') return;
    this.#poll = setTimeout(() => void this.#pollOnce(), isMore ? 0 : LIVE_POLL_MS);
  }

  #checkLater(): void {
    clearTimeout(this.#check);
    this.#check = setTimeout(() => void this.#checkStream(), CHECK_MS);
  }

  /** Asks whether there is something that the stream does not tell. */
  async #checkStream(): Promise<void> {
    const [stream, cursor] = [this.#stream, this.#cursor];
    const isSilent = (): boolean => this.#stream === stream && this.#cursor === cursor;
    try {
      const page = await this.#parts.ask(cursor);
      const says = page.reset === true || page.items.length > 0;
      if (says && isSilent()) {
        this.#check = setTimeout(() => {
          if (!isSilent()) return this.#checkLater();
          this.#failures = FAILURES_MAX;
          this.#openedAt = Date.now();
          this.#fail();
        }, CHECK_GRACE_MS);
        return;
      }
    } catch {
      // Then nothing is known about the stream, and it goes on.
    }
    if (this.#stream === stream) this.#checkLater();
  }

  #take(data: string): void {
    this.#push(JSON.parse(data) as LivePage);
  }

  #push(page: LivePage): void {
    this.#cursor = page.cursor;
    if (page.reset === true) this.#queue = 'reset';
    else if (this.#queue !== 'reset') {
      this.#queue.push(...page.items);
      if (this.#queue.length > LIVE_QUEUE_MAX) this.#queue = 'reset';
    }
    if (this.#queue.length === 0 || this.#isDue) return;
    this.#isDue = true;
    this.#parts.beforeNextFrame(() => {
      this.#isDue = false;
      const queue = this.#queue;
      this.#queue = [];
      if (queue.length > 0) this.#parts.apply(queue);
    });
  }
}
