import { HoldfastError } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';
import { PER_USER_MAX, WEBHOOKS_MAX } from './webhook.ts';
import type { Webhook } from './webhook.ts';

export interface KeptWebhook {
  readonly webhook: Webhook;
  /** Another one with each change. */
  readonly rev: number;
}

/**
 * Where webhooks are kept: by one server, or by several that see the same ones.
 *
 * All methods may run concurrently; changes of one webhook are serial. Durability: what has
 * resolved survives a power cut. Errors: `unavailable` from every method, `full` from those that
 * write; after `unavailable` a change may have been made or not, and may be asked for again.
 */
export interface WebhookStore {
  /** Whether others may change what is kept here. */
  readonly isShared: boolean;

  /** Of one user, oldest first. */
  list(owner: UserId): Promise<Webhook[]>;

  /** Of all, what `find` would say of their `rev`. */
  revs(): Promise<ReadonlyMap<string, number>>;

  find(id: string): Promise<KeptWebhook | undefined>;

  /** @throws too-large: PER_USER_MAX or WEBHOOKS_MAX is reached. */
  add(webhook: Webhook): Promise<void>;

  /** Replaces it by what `act` makes of it; undefined leaves it as it is. `act` may be run again on
   *  what it has made: then it has to answer undefined. Answers how it is kept afterwards;
   *  undefined: it is gone. */
  change(
    id: string, act: (webhook: Webhook) => Webhook | undefined,
  ): Promise<KeptWebhook | undefined>;

  /** Calm when it is not there. */
  delete(id: string): Promise<void>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

export function tooMany(): HoldfastError {
  const message = `There can be ${PER_USER_MAX} webhooks of one user, and ${WEBHOOKS_MAX} in all.`;
  return new HoldfastError('too-large', 'webhooks/add', message, { code: 'too-many-webhooks' });
}
