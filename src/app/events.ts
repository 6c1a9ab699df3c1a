/** How people and programs hear of changes: the feed, the hub that wakes those who wait, and the
 *  addresses at which they do. */
import { hash } from 'node:crypto';
import type { SpaceId, UserId } from '../base/ids.ts';
import { ChangeFeed, ChangeHub } from '../files/index.ts';
import type { Brake, SpaceDirectory } from '../files/index.ts';
import type { Caller, Identity } from '../identity/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, Random, Route } from '../platform/index.ts';
import { eventRoutes, pageText } from '../protocols/index.ts';
import { Webhooks, systemResolve } from '../webhooks/index.ts';
import type { WebhookStore } from '../webhooks/index.ts';

/** Programs that wait, each with a connection and some ten kilobytes. */
const LISTENERS = { listenersMax: 5_000, perUserMax: 1_500 };

export interface EventsOptions extends Omit<Parameters<typeof eventRoutes>[0], 'feed' | 'hub'> {
  metadata: MetadataStore;
  spaces: SpaceDirectory;
  clock: Clock;
  instanceId: string;
  brake: Brake;
  onTrouble: (error: unknown) => void;
}

export interface Events {
  routes: Route[];
  /** Connections that wait for changes. */
  listeners: () => number;
  /** Spaces that somebody waits for. */
  watched: () => SpaceId[];
  /** A commit has changed a space. */
  changed: (space: SpaceId) => void;
  /** They take the store over, and send nothing yet. */
  openWebhooks: (options: WebhookOptions) => Webhooks;
}

export interface WebhookOptions {
  store: WebhookStore;
  allowPrivate: boolean;
  random: Random;
  log: Logger;
}

export function openEvents(options: EventsOptions): Events {
  const { metadata, spaces, clock, instanceId, brake, onTrouble, ...auth } = options;
  const hub = new ChangeHub({ metadata, limits: LISTENERS, onTrouble });
  const feed = new ChangeFeed({
    metadata, spaces, now: () => clock.now(), installation: instanceId, holds: brake.quarantines,
  });
  const opened: { webhooks?: Webhooks } = {};
  return {
    routes: eventRoutes({ ...auth, feed, hub, clock }),
    listeners: () => hub.listenerCount,
    watched: () => hub.watched,
    changed(space) {
      hub.changed(space);
      opened.webhooks?.changed(space);
    },
    openWebhooks(given) {
      opened.webhooks = new Webhooks({
        ...given, feed, clock, resolve: systemResolve,
        textOf: pageText, findCaller: (user) => callerFor(auth.identity, user),
      });
      return opened.webhooks;
    },
  };
}

/** Whom a webhook tells, with the rights of now. */
async function callerFor(identity: Identity, id: UserId): Promise<Caller | undefined> {
  const user = await identity.users.find(id);
  if (user?.disabled !== false) return undefined;
  const groups = await identity.groups.of(id);
  return {
    user: id, tenant: user.tenant, displayName: user.displayName, admin: false, groups,
    // What is seen by groups is asked anew for each message: see switches.ts in files/feed.
    groupsRev: printOf(groups), device: 'webhook', credential: 'api-token',
  };
}

function printOf(groups: readonly string[]): number {
  return hash('sha256', groups.join(' '), 'buffer').readUInt32BE(0);
}
