/**
 * Webhooks: the changes that their owners see are sent to addresses that they have named.
 *
 * The journals are the queue. A webhook knows by a cursor up to where the feed of its owner was
 * made into messages; one message at a time is under way, written down before it is sent, and the
 * cursor with it. So a crash loses nothing and sends a message twice at worst, under the same id; a
 * receiver that is away costs no more than one message kept. After TRIES_MAX tries a message is
 * given up and kept for its owner to see and send again, and the next one follows.
 */
import { HoldfastError, isKind } from '../base/errors.ts';
import type { SpaceId, UserId } from '../base/ids.ts';
import type { ChangeFeed, FeedPage, SeenChange } from '../files/index.ts';
import type { Caller } from '../identity/index.ts';
import type { Clock, Logger, Random } from '../platform/index.ts';
import type { Resolve } from './addresses.ts';
import { addressOf } from './addresses.ts';
import { send } from './send.ts';
import {
  DEAD_IN_A_ROW_MAX, DEAD_MAX, PER_USER_MAX, WEBHOOKS_MAX, checkWishes,
} from './webhook.ts';
import type { Delivery, Webhook, WebhookWishes } from './webhook.ts';
import { WebhookFolder } from './webhook-folder.ts';

/** Pauses between tries, in seconds: about nine hours in all. */
const PAUSES_SECONDS = [10, 60, 300, 900, 3_600, 10_800, 14_400] as const;
export const TRIES_MAX: number = PAUSES_SECONDS.length + 1;
/** Events that one message may stem from. */
const MESSAGE_LIMIT = 100;
/** What changes meanwhile goes into one message. */
const GATHER_MS = 500;
/** Between looks at all webhooks, whatever the hub has said. */
const ROUND_MS = 60_000;
const ID_BYTES = 12;

export interface WebhooksParts {
  /** Made if need be. */
  folder: string;
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

interface Running {
  webhook: Webhook;
  spaces: readonly SpaceId[];
  /** Not before. */
  dueAt: number;
  isBusy: boolean;
  /** Something may have changed since its last look. */
  isBehind: boolean;
  isGone: boolean;
  saving: Promise<void>;
}

export class Webhooks {
  readonly #parts: WebhooksParts;
  readonly #folder: WebhookFolder;
  readonly #all = new Map<string, Running>();
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  /** Being written down; they count as if they were there. */
  readonly #adding = new Set<Webhook>();
  #cancel = (): void => undefined;
  #isGathering = false;

  private constructor(parts: WebhooksParts, folder: WebhookFolder) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** @throws unavailable. */
  static async open(parts: WebhooksParts): Promise<Webhooks> {
    const { folder, webhooks, unreadable } = await WebhookFolder.open(parts.folder);
    if (unreadable > 0) parts.log.error({ unreadable }, 'webhooks that cannot be read were left');
    const opened = new Webhooks(parts, folder);
    for (const webhook of webhooks) opened.#enter(webhook);
    opened.#roundIn(GATHER_MS);
    return opened;
  }

  #enter(webhook: Webhook): void {
    this.#all.set(webhook.id, {
      webhook, spaces: [], dueAt: 0, isBusy: false, isBehind: false, isGone: false,
      saving: Promise.resolve(),
    });
  }

  /** Makes one; it tells what changes from now on.
   *  @throws invalid; denied `private-address`; unavailable: its name is unknown; too-large. */
  async add(caller: Caller, wishes: WebhookWishes): Promise<Webhook> {
    checkWishes(wishes);
    const { feed, findCaller, clock, random, resolve, allowPrivate } = this.#parts;
    this.#checkRoom(caller.user);
    await addressOf(new URL(wishes.url), { resolve, allowPrivate });
    const follower = await findCaller(caller.user) ?? caller;
    const { cursor } = await feed.changesSince(follower, undefined);
    const { url, secret, label = '', path = '', kinds = [] } = wishes;
    const webhook: Webhook = {
      id: random.token(ID_BYTES), owner: caller.user, url, secret, label,
      filter: { path, kinds }, createdAt: clock.now(), state: 'active', cursor,
      pending: undefined, again: [], dead: [], deadInARow: 0,
    };
    this.#checkRoom(caller.user); // Others may have come while the name was looked up.
    this.#adding.add(webhook);
    try {
      await this.#folder.write(webhook);
      this.#enter(webhook);
    } finally {
      this.#adding.delete(webhook);
    }
    this.#roundIn(GATHER_MS);
    return webhook;
  }

  /** @throws too-large. */
  #checkRoom(owner: UserId): void {
    const adding = [...this.#adding];
    const ofUser = this.list(owner).length + adding.filter((one) => one.owner === owner).length;
    const count = this.#all.size + adding.length;
    if (ofUser >= PER_USER_MAX || count >= WEBHOOKS_MAX) throw tooMany();
  }

  /** Of one user, oldest first. */
  list(owner: UserId): Webhook[] {
    const ours = [...this.#all.values()].filter(({ webhook }) => webhook.owner === owner);
    return ours.map(({ webhook }) => webhook);
  }

  /** Nothing more is sent, also not what is under way. @throws not-found. */
  async remove(owner: UserId, id: string): Promise<void> {
    const running = this.#get(owner, id);
    running.isGone = true;
    this.#all.delete(id);
    await running.saving;
    await this.#folder.delete(id);
  }

  /** A message that was given up is sent again, after the one that is under way. A webhook that was
   *  failing is tried again. @throws not-found; unavailable. */
  async resend(owner: UserId, id: string, deliveryId: string): Promise<void> {
    const running = this.#get(owner, id);
    const { webhook } = running;
    const dead = webhook.dead.find((each) => each.id === deliveryId);
    if (dead === undefined) throw missing();
    webhook.dead = webhook.dead.filter((each) => each !== dead);
    webhook.again = [...webhook.again, { ...dead, tries: 0, trouble: '' }];
    webhook.state = 'active';
    webhook.deadInARow = 0;
    running.isBehind = true;
    await this.#save(running);
    this.#roundIn(0);
  }

  #get(owner: UserId, id: string): Running {
    const running = this.#all.get(id);
    if (running?.webhook.owner !== owner) throw missing();
    return running;
  }

  /** A space has changed. Returns at once. */
  changed(space: SpaceId): void {
    let isWatched = false;
    for (const running of this.#all.values()) {
      if (running.isBehind || !running.spaces.includes(space)) continue;
      running.isBehind = true;
      isWatched = true;
    }
    if (isWatched && !this.#isGathering) this.#roundIn(GATHER_MS);
  }

  /** Lets go of what is under way; it is sent again after the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await Promise.allSettled(this.#working);
  }

  #roundIn(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#isGathering = ms < ROUND_MS;
    this.#cancel();
    this.#cancel = this.#parts.clock.after(ms, () => this.#round());
  }

  #round(): void {
    this.#isGathering = false;
    const now = this.#parts.clock.now();
    for (const running of this.#all.values()) {
      const { webhook: { state }, isBusy, dueAt } = running;
      if (isBusy || state !== 'active' || dueAt > now) continue;
      running.isBusy = true;
      running.isBehind = false;
      const work = this.#work(running).catch((err: unknown) => {
        this.#parts.log.error({ err }, 'a webhook failed; it is tried again');
        running.dueAt = this.#parts.clock.now() + ROUND_MS;
      }).finally(() => {
        running.isBusy = false;
        this.#working.delete(work);
        if (running.isBehind) this.#roundIn(GATHER_MS);
      });
      this.#working.add(work);
    }
    this.#roundIn(ROUND_MS);
  }

  /** Sends until there is nothing more, or a try fails. */
  async #work(running: Running): Promise<void> {
    const { webhook } = running;
    while (!running.isGone && !this.#closing.signal.aborted) {
      // Nothing goes to whom a closed account has named; it goes on when the account is back.
      if (await this.#parts.findCaller(webhook.owner) === undefined) return;
      if (webhook.pending === undefined && !await this.#makeNext(running)) return;
      if (webhook.pending !== undefined && !await this.#try(running, webhook.pending)) return;
    }
  }

  /** False: there is nothing to be told. */
  async #makeNext(running: Running): Promise<boolean> {
    const { webhook } = running;
    const { feed, findCaller, textOf, clock, random } = this.#parts;
    const [again, ...rest] = webhook.again;
    if (again !== undefined) {
      webhook.again = rest;
      webhook.pending = again;
      await this.#save(running);
      return true;
    }
    const caller = await findCaller(webhook.owner);
    if (caller === undefined) return false; // Back when the account is.
    const page = await feed.changesSince(caller, webhook.cursor, MESSAGE_LIMIT);
    running.spaces = page.spaces;
    const changes = page.isReset ? [] : page.changes.filter((each) => isWanted(webhook, each));
    const isSame = page.cursor === webhook.cursor;
    webhook.cursor = page.cursor;
    if (page.isReset) {
      webhook.pending = deliveryOf(JSON.stringify({ webhook: webhook.id, reset: true }));
    } else if (changes.length > 0) {
      webhook.pending = deliveryOf(textOf({ ...page, changes }));
    }
    if (!isSame) await this.#save(running);
    return webhook.pending !== undefined || (!page.isReset && page.isMore);

    function deliveryOf(body: string): Delivery {
      return { id: random.token(ID_BYTES), at: clock.now(), body, tries: 0, trouble: '' };
    }
  }

  /** True when it is over: taken, or given up. */
  async #try(running: Running, delivery: Delivery): Promise<boolean> {
    const { webhook } = running;
    const { clock, resolve, allowPrivate } = this.#parts;
    const { url, secret } = webhook;
    try {
      await send({ id: delivery.id, url, secret, body: delivery.body }, {
        resolve, allowPrivate, clock, signal: this.#closing.signal,
      });
      webhook.pending = undefined;
      webhook.deadInARow = 0;
    } catch (error) {
      if (this.#closing.signal.aborted) return false;
      if (!isKind(error, 'unavailable') && !isKind(error, 'denied')) throw error;
      this.#failed(running, delivery, error);
    }
    await this.#save(running);
    return webhook.pending === undefined && webhook.state === 'active';
  }

  #failed(running: Running, delivery: Delivery, error: HoldfastError): void {
    const { webhook } = running;
    const { clock } = this.#parts;
    const tries = delivery.tries + 1;
    const next = { ...delivery, tries, trouble: error.message };
    const pause = error.kind === 'denied' ? undefined : PAUSES_SECONDS[tries - 1];
    if (pause !== undefined) {
      webhook.pending = next;
      running.dueAt = clock.now() + pause * 1000;
      clock.after(pause * 1000, () => this.#roundIn(0));
      return;
    }
    webhook.pending = undefined;
    webhook.dead = [...webhook.dead, next].slice(-DEAD_MAX);
    webhook.deadInARow += 1;
    if (webhook.deadInARow >= DEAD_IN_A_ROW_MAX) webhook.state = 'failing';
    this.#parts.log.warn({ webhook: webhook.id, tries }, 'a message of a webhook was given up');
  }

  /** One after the other: each writes the whole file, as it is by then. */
  async #save(running: Running): Promise<void> {
    const saving = running.saving.then(async () => {
      if (!running.isGone) await this.#folder.write(running.webhook);
    });
    running.saving = saving.catch(() => undefined); // Told to whom it concerns.
    await saving;
  }
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

function missing(): HoldfastError {
  const message = 'You have no such webhook or message.';
  return new HoldfastError('not-found', 'webhooks/get', message, { code: 'webhook-missing' });
}

function tooMany(): HoldfastError {
  const message = `There can be ${PER_USER_MAX} webhooks of one user, and ${WEBHOOKS_MAX} in all.`;
  return new HoldfastError('too-large', 'webhooks/add', message, { code: 'too-many-webhooks' });
}
