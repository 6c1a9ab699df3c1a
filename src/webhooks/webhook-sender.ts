/**
 * Sends what webhooks are to tell. Of several servers one does it, and another goes on when it is
 * gone: all that counts is kept before it is acted upon.
 *
 * The journals are the queue. A webhook knows by a cursor up to where the feed of its owner was
 * made into messages; one message at a time is under way, written down before it is sent, and the
 * cursor with it. So a crash loses nothing and sends a message twice at worst, under the same id; a
 * receiver that is away costs no more than one message kept. After TRIES_MAX tries a message is
 * given up and kept for its owner to see and send again, and the next one follows.
 *
 * Each change of a webhook names what it expects to find. So whoever believes to be the one that
 * sends, and is not any more, changes nothing that another has gone on with.
 */
import { isKind } from '../base/errors.ts';
import type { HoldfastError } from '../base/errors.ts';
import type { SpaceId, UserId } from '../base/ids.ts';
import type { ChangeFeed, FeedPage, SeenChange } from '../files/index.ts';
import type { Caller } from '../identity/index.ts';
import type { Clock, Logger, Random } from '../platform/index.ts';
import type { Resolve } from './addresses.ts';
import { send } from './send.ts';
import { DEAD_IN_A_ROW_MAX, DEAD_MAX, ID_BYTES } from './webhook.ts';
import type { Delivery, Webhook } from './webhook.ts';
import type { KeptWebhook, WebhookStore } from './webhook-store.ts';

/** Pauses between tries, in seconds: about nine hours in all. */
const PAUSES_SECONDS = [10, 60, 300, 900, 3_600, 10_800, 14_400] as const;
export const TRIES_MAX: number = PAUSES_SECONDS.length + 1;
/** Events that one message may stem from. */
const MESSAGE_LIMIT = 100;
/** What changes meanwhile goes into one message. */
const GATHER_MS = 500;
/** Between looks at all webhooks, whatever the hub has said. */
const ROUND_MS = 60_000;
/** Between looks at what others have made, removed or want to be sent again. */
const SHARED_LOOK_MS = 2_000;

export interface SenderParts {
  store: WebhookStore;
  feed: Pick<ChangeFeed, 'changesSince'>;
  /** As of now; undefined: the account is gone or disabled. */
  findCaller: (user: UserId) => Promise<Caller | undefined>;
  /** One message as JSON; `items` as the API writes changes. */
  textOf: (page: FeedPage & { isReset: false }) => string;
  clock: Clock;
  random: Random;
  log: Logger;
  resolve: Resolve;
  allowPrivate: boolean;
}

interface Running extends KeptWebhook {
  webhook: Webhook;
  rev: number;
  /** undefined: not known yet. */
  spaces: readonly SpaceId[] | undefined;
  /** Not before. */
  dueAt: number;
  isBusy: boolean;
  /** Something may have changed since its last look. */
  isBehind: boolean;
  isGone: boolean;
}

export class WebhookSender {
  readonly #parts: SenderParts;
  readonly #mayGoOn: () => Promise<boolean>;
  readonly #all = new Map<string, Running>();
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #rounds: Promise<void> = Promise.resolve();
  #cancel = (): void => undefined;
  #isGathering = false;
  #wholeRoundMs = -Infinity;

  private constructor(parts: SenderParts, mayGoOn: () => Promise<boolean>) {
    this.#parts = parts;
    this.#mayGoOn = mayGoOn;
  }

  /** `mayGoOn` is asked right before each message. */
  static start(parts: SenderParts, mayGoOn: () => Promise<boolean>): WebhookSender {
    const sender = new WebhookSender(parts, mayGoOn);
    sender.#roundIn(GATHER_MS);
    return sender;
  }

  /** One was made or removed, or has a message to be sent again. Returns at once. */
  look(): void {
    this.#roundIn(0);
  }

  /** A space has changed. Returns at once. */
  changed(space: SpaceId): void {
    let isWatched = false;
    for (const running of this.#all.values()) {
      if (running.isBehind || running.spaces?.includes(space) === false) continue;
      running.isBehind = true;
      isWatched = true;
    }
    if (isWatched && !this.#isGathering) this.#roundIn(GATHER_MS);
  }

  /** Lets go of what is under way: it is sent again by who goes on. Calm when called twice. */
  async stop(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await this.#rounds;
    await Promise.allSettled(this.#working);
  }

  #roundIn(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#isGathering = ms <= GATHER_MS;
    this.#cancel();
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#isGathering = false;
      this.#rounds = this.#rounds.then(() => this.#round());
    });
  }

  async #round(): Promise<void> {
    const { clock, log, store } = this.#parts;
    try {
      await this.#refresh();
    } catch (err) {
      log.warn({ err }, 'webhooks cannot be read; trying again in a moment');
    }
    const isWhole = clock.monotonic() - this.#wholeRoundMs >= ROUND_MS;
    if (isWhole) this.#wholeRoundMs = clock.monotonic();
    const now = clock.now();
    for (const running of this.#all.values()) {
      const { webhook: { state, pending }, isBusy, dueAt } = running;
      const isBehind = running.isBehind || isWhole || pending !== undefined;
      if (this.#closing.signal.aborted) return;
      if (isBehind && !isBusy && state === 'active' && dueAt <= now) this.#begin(running);
    }
    if (!this.#isGathering) this.#roundIn(store.isShared ? SHARED_LOOK_MS : ROUND_MS);
  }

  #begin(running: Running): void {
    running.isBusy = true;
    running.isBehind = false;
    const work = this.#work(running).catch((err: unknown) => {
      this.#parts.log.error({ err }, 'a webhook failed; it is tried again');
      running.dueAt = this.#parts.clock.now() + ROUND_MS;
      running.isBehind = true;
    }).finally(() => {
      running.isBusy = false;
      this.#working.delete(work);
      if (running.isBehind && running.dueAt <= this.#parts.clock.now()) this.#roundIn(GATHER_MS);
    });
    this.#working.add(work);
  }

  /** Takes over what was made, removed or changed by somebody else. */
  async #refresh(): Promise<void> {
    const { store } = this.#parts;
    const revs = await store.revs();
    for (const [id, running] of this.#all) {
      if (!revs.has(id)) this.#drop(running);
    }
    for (const [id, rev] of revs) {
      const running = this.#all.get(id);
      if (running?.rev === rev) continue;
      if (running !== undefined) running.isBehind = true;
      if (running?.isBusy === true) continue; // Its own change, or one that it is about to meet.
      const kept = await store.find(id);
      if (kept === undefined) continue;
      if (running !== undefined) Object.assign(running, kept);
      else {
        this.#all.set(id, {
          ...kept, spaces: undefined, dueAt: 0, isBusy: false, isBehind: true, isGone: false,
        });
      }
    }
  }

  #drop(running: Running): void {
    running.isGone = true;
    this.#all.delete(running.webhook.id);
  }

  /** Sends until there is nothing more, or a try fails. */
  async #work(running: Running): Promise<void> {
    while (!running.isGone && !this.#closing.signal.aborted) {
      // Nothing goes to whom a closed account has named; it goes on when the account is back.
      if (await this.#parts.findCaller(running.webhook.owner) === undefined) return;
      if (running.webhook.pending === undefined && !await this.#makeNext(running)) return;
      const { pending } = running.webhook;
      if (pending !== undefined && !await this.#try(running, pending)) return;
    }
  }

  /** False: there is nothing to be told. */
  async #makeNext(running: Running): Promise<boolean> {
    const { webhook } = running;
    const { feed, findCaller, textOf, clock, random } = this.#parts;
    const [again] = webhook.again;
    if (again !== undefined) {
      await this.#change(running, (now) => (
        now.pending !== undefined || now.again[0]?.id !== again.id ? undefined
          : { ...now, again: now.again.slice(1), pending: again }));
      return true;
    }
    const caller = await findCaller(webhook.owner);
    if (caller === undefined) return false; // Back when the account is.
    const { cursor } = webhook;
    const page = await feed.changesSince(caller, cursor, MESSAGE_LIMIT);
    running.spaces = page.spaces;
    if (page.cursor === cursor && !page.isReset) return page.isMore;
    const pending = messageOf(page);
    await this.#change(running, (now) => (
      now.cursor !== cursor || now.pending !== undefined ? undefined
        : { ...now, cursor: page.cursor, pending }));
    return running.webhook.pending !== undefined || (!page.isReset && page.isMore);

    function messageOf(told: FeedPage): Delivery | undefined {
      if (told.isReset) return deliveryOf(JSON.stringify({ webhook: webhook.id, reset: true }));
      const changes = told.changes.filter((each) => isWanted(webhook, each));
      return changes.length === 0 ? undefined : deliveryOf(textOf({ ...told, changes }));
    }

    function deliveryOf(body: string): Delivery {
      return { id: random.token(ID_BYTES), at: clock.now(), body, tries: 0, trouble: '' };
    }
  }

  /** True when it is over: taken, or given up. */
  async #try(running: Running, delivery: Delivery): Promise<boolean> {
    const { clock, resolve, allowPrivate, store } = this.#parts;
    if (!await this.#mayGoOn()) return false;
    // It may have been removed elsewhere.
    if (store.isShared && await this.#change(running, () => undefined) === undefined) return false;
    const { url, secret } = running.webhook;
    try {
      await send({ id: delivery.id, url, secret, body: delivery.body }, {
        resolve, allowPrivate, clock, signal: this.#closing.signal,
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      if (!isKind(error, 'unavailable') && !isKind(error, 'denied')) throw error;
      return this.#failed(running, delivery, error);
    }
    await this.#change(running, (now) => (
      now.pending?.id === delivery.id ? { ...now, pending: undefined, deadInARow: 0 } : undefined));
    return running.webhook.state === 'active';
  }

  async #failed(running: Running, delivery: Delivery, error: HoldfastError): Promise<boolean> {
    const { clock, log } = this.#parts;
    const tries = delivery.tries + 1;
    const next = { ...delivery, tries, trouble: error.message };
    const pause = error.kind === 'denied' ? undefined : PAUSES_SECONDS[tries - 1];
    const isMeant = ({ pending }: Webhook): boolean =>
      pending?.id === delivery.id && pending.tries === delivery.tries;
    if (pause !== undefined) {
      running.dueAt = clock.now() + pause * 1000;
      clock.after(pause * 1000, () => this.#roundIn(0));
      await this.#change(running, (now) => (
        isMeant(now) ? { ...now, pending: next } : undefined));
      return false;
    }
    log.warn({ webhook: running.webhook.id, tries }, 'a message of a webhook was given up');
    await this.#change(running, (now) => (isMeant(now) ? givenUp(now, next) : undefined));
    return running.webhook.state === 'active';
  }

  async #change(
    running: Running, act: (webhook: Webhook) => Webhook | undefined,
  ): Promise<KeptWebhook | undefined> {
    const kept = await this.#parts.store.change(running.webhook.id, act);
    if (kept === undefined) this.#drop(running);
    else Object.assign(running, kept);
    return kept;
  }
}

function givenUp(webhook: Webhook, delivery: Delivery): Webhook {
  const deadInARow = webhook.deadInARow + 1;
  return {
    ...webhook, pending: undefined, dead: [...webhook.dead, delivery].slice(-DEAD_MAX), deadInARow,
    state: deadInARow >= DEAD_IN_A_ROW_MAX ? 'failing' : webhook.state,
  };
}

function isWanted({ filter: { path, kinds } }: Webhook, change: SeenChange): boolean {
  if (kinds.length > 0 && !kinds.includes(change.kind)) return false;
  if (path === '' || path === '/') return true;
  const wanted = `${path.replace(/\/+$/, '')}/`;
  const places = [change.path, change.oldPath].filter((each) => each !== undefined);
  // Where nobody knows any more where it was, it may have been there.
  if (places.length === 0) return true;
  return places.some((each) => `/${each.join('/')}/`.startsWith(wanted));
}
