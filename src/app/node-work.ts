/** What a server does beside the requests because there are other servers, or may be. */
import type { SpaceId } from '../base/ids.ts';
import type { BatchParts } from '../files/index.ts';
import type { Clock, Logger, Metrics } from '../platform/index.ts';
import type { AuditTrail } from './audit-trail.ts';
import { ChangeExchange } from './change-exchange.ts';
import type { MassChange } from './mass-change.ts';
import type { Services } from './services.ts';
import type { Stores } from './stores.ts';
import { COLLECTING } from './web-node.ts';

/** Leases of what one server does, and of nothing else. */
export const TIME_WORK = 'time-work';
export const AUDIT = 'audit';
export const DRIFT = 'schema-drift';
export const WEBHOOKS = 'webhooks';

/** Restores that another server has left unfinished are looked for so often. */
const RESUME_EVERY_MS = 60_000;
/** What others hold and decide is looked for so often, in readings of hints. */
const LEARN_EVERY = 4;

interface Ending {
  stop: () => Promise<void>;
}

/** Begins it now if it may, and later when it may. Resolves with what ends it. */
export async function workOfOne(
  { webNode }: Pick<Stores, 'webNode'>, name: string, begin: () => Promise<Ending>,
): Promise<Ending> {
  if (webNode === undefined || webNode.isAlone) return begin();
  return webNode.leased(name, begin);
}

/** Whether this server does what one server does. */
export function isForUs({ webNode }: Pick<Stores, 'webNode'>, name: string): boolean {
  return webNode === undefined || webNode.isAlone || webNode.holds(name);
}

/** The same, as the database says now. @throws unavailable. */
export async function isStillForUs(
  { webNode }: Pick<Stores, 'webNode'>, name: string,
): Promise<boolean> {
  return webNode === undefined || webNode.isAlone || webNode.stillHolds(name);
}

/** One server at a time works on a batch. */
export function aloneWithBatch({ webNode }: Pick<Stores, 'webNode'>): BatchParts['alone'] {
  if (webNode === undefined || webNode.isAlone) return undefined;
  return (batchId, work) => webNode.alone(`batch-${batchId}`, work);
}

export interface OthersOptions {
  stores: Stores;
  services: Services;
  massChange: Pick<MassChange, 'learn'>;
  audit: Pick<AuditTrail, 'lookThrough'>;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export interface Others extends Ending {
  /** A commit of this server has changed a space. */
  changed: (space: SpaceId) => void;
}

/** undefined: there are no others. */
export async function listenToOthers(options: OthersOptions): Promise<Others | undefined> {
  const { stores: { webNode, metadata }, services, massChange, audit, clock, log } = options;
  if (webNode === undefined || webNode.isAlone) return undefined;
  const following = await webNode.leased(AUDIT, async () => {
    audit.lookThrough();
    return { stop: () => Promise.resolve() };
  });
  let readCount = 0;
  const exchange = new ChangeExchange({
    hints: webNode.hints, metadata, clock,
    watched: () => services.events.watched(),
    onChanged: (space) => {
      services.spaces.forget(space);
      services.events.changed(space);
    },
    onRead: async () => {
      readCount += 1;
      if (readCount % LEARN_EVERY === 0) await massChange.learn();
    },
    onTrouble: (err) => log.warn({ err }, 'what other servers have changed could not be read; '
      + 'trying again in a moment'),
  });
  exchange.start();
  const stopResuming = resumeEveryMinute(options);
  watchOthers(options);
  return {
    changed: (space) => exchange.changed(space),
    stop: async () => {
      stopResuming();
      await exchange.stop();
      await following.stop();
    },
  };
}

function resumeEveryMinute({ stores, services, clock, log }: OthersOptions): () => void {
  let cancel = (): void => undefined;
  const resume = async (): Promise<void> => {
    if (isForUs(stores, COLLECTING)) await openNewHomes(stores);
    if (!isForUs(stores, TIME_WORK)) return;
    await services.batches.resume();
  };
  const next = (): void => {
    cancel = clock.after(RESUME_EVERY_MS, () => {
      resume().catch((err: unknown) => {
        log.warn({ err }, 'what other servers left or made could not be looked for');
      }).finally(next);
    });
  };
  next();
  return () => cancel();
}

/** Storages that other servers have made: their garbage is collected here. One that could not be
 *  opened is tried again when somebody asks for it. */
async function openNewHomes({ homes, identity }: Stores): Promise<void> {
  const tenants = await identity.tenants.list();
  await homes.openAll(tenants.filter(({ id }) => !homes.failed.has(id)));
}

function watchOthers({ stores: { webNode }, metrics }: OthersOptions): void {
  for (const lease of webNode?.leaseNames() ?? []) {
    metrics.gaugeOf({
      name: `lease_${lease.replaceAll('-', '_')}`,
      help: `1 while this server does what one server does: ${lease}.`,
    }, () => (webNode?.holds(lease) === true ? 1 : 0));
  }
  metrics.gaugeOf({
    name: 'web_node_silent_seconds', help: 'Since this server could last tell that it is there.',
  }, () => webNode?.silentSeconds ?? 0);
}
