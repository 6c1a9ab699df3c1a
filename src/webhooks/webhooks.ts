/** Webhooks: the changes that their owners see are sent to addresses that they have named. What
 *  users do with them is here, at every server; the sending is in webhook-sender.ts, at one. */
import { HoldfastError } from '../base/errors.ts';
import type { SpaceId, UserId } from '../base/ids.ts';
import type { Caller } from '../identity/index.ts';
import { addressOf } from './addresses.ts';
import { ID_BYTES, checkWishes } from './webhook.ts';
import type { Webhook, WebhookWishes } from './webhook.ts';
import { WebhookSender } from './webhook-sender.ts';
import type { SenderParts } from './webhook-sender.ts';

export type WebhooksParts = SenderParts;

export class Webhooks {
  readonly #parts: WebhooksParts;
  #sender: WebhookSender | undefined;

  /** Takes the store over: `close` closes it. */
  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  /** Sends, until it is stopped. Only one of those that have the same store may do it: `mayGoOn`
   *  is asked right before each message whether this is still the one. */
  startSending(
    mayGoOn: () => Promise<boolean> = () => Promise.resolve(true),
  ): { stop: () => Promise<void> } {
    const sender = WebhookSender.start(this.#parts, mayGoOn);
    this.#sender = sender;
    return {
      stop: async () => {
        if (this.#sender === sender) this.#sender = undefined;
        await sender.stop();
      },
    };
  }

  /** Makes one; it tells what changes from now on.
   *  @throws invalid; denied `private-address`; unavailable: its name is unknown; too-large. */
  async add(caller: Caller, wishes: WebhookWishes): Promise<Webhook> {
    checkWishes(wishes);
    const { feed, findCaller, clock, random, resolve, allowPrivate, store } = this.#parts;
    await addressOf(new URL(wishes.url), { resolve, allowPrivate });
    const follower = await findCaller(caller.user) ?? caller;
    const { cursor } = await feed.changesSince(follower, undefined);
    const { url, secret, label = '', path = '', kinds = [] } = wishes;
    const webhook: Webhook = {
      id: random.token(ID_BYTES), owner: caller.user, url, secret, label,
      filter: { path, kinds }, createdAt: clock.now(), state: 'active', cursor,
      pending: undefined, again: [], dead: [], deadInARow: 0,
    };
    await store.add(webhook);
    this.#sender?.look();
    return webhook;
  }

  /** Of one user, oldest first. @throws unavailable. */
  list(owner: UserId): Promise<Webhook[]> {
    return this.#parts.store.list(owner);
  }

  /** Nothing more is sent, but what is just being sent. @throws not-found; unavailable. */
  async remove(owner: UserId, id: string): Promise<void> {
    await this.#check(owner, id);
    await this.#parts.store.delete(id);
    this.#sender?.look();
  }

  /** A message that was given up is sent again, after the one that is under way. A webhook that was
   *  failing is tried again. @throws not-found; unavailable. */
  async resend(owner: UserId, id: string, deliveryId: string): Promise<void> {
    await this.#check(owner, id);
    let isThere = false;
    await this.#parts.store.change(id, (webhook) => {
      const { dead, again } = webhook;
      const delivery = dead.find((each) => each.id === deliveryId);
      if (delivery === undefined) return undefined;
      isThere = true;
      return {
        ...webhook, dead: dead.filter((each) => each !== delivery),
        again: [...again, { ...delivery, tries: 0, trouble: '' }], state: 'active', deadInARow: 0,
      };
    });
    if (!isThere) throw missing();
    this.#sender?.look();
  }

  async #check(owner: UserId, id: string): Promise<void> {
    if ((await this.#parts.store.find(id))?.webhook.owner !== owner) throw missing();
  }

  /** A space has changed. Returns at once. */
  changed(space: SpaceId): void {
    this.#sender?.changed(space);
  }

  /** Lets go of what is under way; it is sent again after the next start. */
  async close(): Promise<void> {
    await this.#sender?.stop();
    await this.#parts.store.close();
  }
}

function missing(): HoldfastError {
  const message = 'You have no such webhook or message.';
  return new HoldfastError('not-found', 'webhooks/get', message, { code: 'webhook-missing' });
}
