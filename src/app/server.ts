/** Brings the server up: listens first (503 until ready), then opens the stores, then serves. */
import { join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import type { RunningServer, StartOptions } from '../cli/index.ts';
import { gcSlice } from '../durability/index.ts';
import { filesSlice } from '../files/index.ts';
import type { BrokenLock, DroppedTrash, LinkRead } from '../files/index.ts';
import { ControlServer } from '../operations/index.ts';
import {
  HttpServer, Metrics, serverSlice, TrustedProxies, watchBursts, watchEventLoop,
} from '../platform/index.ts';
import type { Clock, Exchange, Logger, MetricCounter, Route, ValuesOf } from '../platform/index.ts';
import {
  Authenticator, BuiltPage, nextcloudSlice, unavailableHandler, wantsEarlyContinue,
} from '../protocols/index.ts';
import { AuditTrail } from './audit-trail.ts';
import type { Events } from './events.ts';
import { healthRoutes } from './health.ts';
import { HomeWork } from './home-work.ts';
import { openMail } from './mail.ts';
import type { OpenedMail } from './mail.ts';
import { brakePolicy, openMassChange } from './mass-change.ts';
import type { MassChange } from './mass-change.ts';
import { addDatabaseMetrics } from './database-figures.ts';
import { DatabaseNodeWatch } from './database-node-watch.ts';
import { DatabaseRetryWatch } from './database-retries.ts';
import { operationsOf } from './orders.ts';
import { whenDatabaseIsThere } from './patient-start.ts';
import { startDriftWork } from './schema.ts';
import { buildServices } from './services.ts';
import type { Services } from './services.ts';
import { ofOpenShards, quarantinesAtHome } from './shards.ts';
import { openDrainJournal } from './drain-place.ts';
import { ShardDrains } from './shard-drains.ts';
import { ShardWatch } from './shard-watch.ts';
import { openStores } from './stores.ts';
import type { Stores, StoresOptions } from './stores.ts';
import { storageSettings } from './storage-policies.ts';
import { TenantMoves } from './tenant-moves.ts';
import {
  aloneWithBatch, AUDIT, DRIFT, isForUs, isStillForUs, listenToOthers, TIME_WORK, WEBHOOKS,
  workOfOne,
} from './node-work.ts';
import type { Others } from './node-work.ts';
import { COLLECTING } from './web-node.ts';
import { TimeWork } from './time-work.ts';
import { tenantMoveSlice } from '../metadata/index.ts';
import { openWebhookStore } from './webhook-place.ts';
import { webhookSlice } from '../webhooks/index.ts';
import type { Webhooks } from '../webhooks/index.ts';

/** Where `npm start` builds the web page. */
const WEB_FOLDER = join(import.meta.dirname, '../../web/dist');
const HOUR_MS = 60 * 60 * 1000;
/** After the drain. */
const CLOSE_MS_MAX = 4_000;

export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, data, log, clock, random } = options;
  const metrics = new Metrics();
  metrics.addProcess();
  addDatabaseMetrics(metrics);
  const retryWatch = DatabaseRetryWatch.start({ clock, log, metrics });
  const opened: Opened = {
    server: undefined, stores: undefined, control: undefined, mail: undefined,
    homeWork: undefined, audit: undefined, works: [], others: undefined, events: undefined,
    webhooks: undefined, moves: undefined, drains: undefined, shardWatch: undefined,
  };
  const delays = [new WorstDelay(), new WorstDelay()] as const;
  const health = healthRoutes({
    metrics, server: () => opened.server,
    blocks: () => opened.stores?.blocks.state(),
    directory: () => opened.stores?.shards.directory.standing,
    isAdministrator: (exchange) => isAdministrator(opened.stores, exchange),
  });
  const ending: (() => void)[] = [() => retryWatch.stop(), watchBursts({ clock }), watchEventLoop({
    metrics, log, clock, onLook: ({ p99Ms }) => delays.forEach((worst) => worst.note(p99Ms)),
  })];
  const stop = async (deadlineMs: number): Promise<void> => {
    for (const end of ending) end();
    await opened.server?.drain(deadlineMs);
    await closeInTime(opened, clock);
  };
  try {
    opened.server = await openHttp(config.of(serverSlice), { health, metrics, log, clock });
    opened.stores = await whenDatabaseIsThere(() => openStores(data.path, {
      clock, log, random, ...storageSettings(config), ...heard(opened),
    }), options);
    const { stores } = opened;
    const { metadata, identity } = stores;
    opened.audit = await AuditTrail.open({
      path: data.path, metadata: stores.shards.withoutAway(() => opened.audit?.lookThroughLater()),
      listTenants: () => identity.tenants.list(), clock, log, metrics,
      mayFollow: () => isForUs(stores, AUDIT), hasOthers: stores.webNode?.isAlone === false,
    });
    opened.mail = await openMail(config, data.path, { clock, log, metrics });
    const massChange = openMassChange({
      metadata, lists: stores.shards.withoutAway(() => undefined), identity,
      policy: brakePolicy(config.of(filesSlice)), clock, log, metrics,
      note: (entry) => opened.audit?.note(entry), outbox: opened.mail?.outbox,
    });
    await loadHeld(massChange, stores);
    const services = buildServices({
      ...options, ...config.of(filesSlice), ...config.of(nextcloudSlice), massChange,
      ...tellings(opened, log), stores, aloneWithBatch: aloneWithBatch(stores),
      instanceId: shortInstanceId(data.instanceId), web: await openPage(log),
      administration: { dataPath: data.path, config, clock, ...administered(opened, delays) },
    });
    opened.events = services.events;
    const { administration: { series, liveSeries } } = services;
    ending.push(() => series.stop(), () => liveSeries.stop());
    opened.server.serve([...health, ...services.routes]);
    ending.push(sweepHourly(services, { clock, log, metrics }, () => isForUs(stores, TIME_WORK)));
    watchShards({ opened, stores, services }, { clock, log, metrics });
    await startWork(options, metrics, { opened, stores, services });
    opened.others = await listenToOthers({
      stores, services, massChange, audit: opened.audit, clock, log, metrics,
    });
    const { server } = opened;
    const greeting = await greetingOf(stores, server.url);
    return { url: server.url, greeting, stop, reload: () => server.reloadTls() };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** What devices do not see, of all shards, now or before they are used. */
async function loadHeld(massChange: MassChange, { shards }: Stores): Promise<void> {
  shards.admission.add((shard, store) =>
    massChange.load(quarantinesAtHome(shard, store, shards)));
  await massChange.load(ofOpenShards(shards));
}

/** A shard that is back is followed, and what stopped on it goes on. */
function watchShards(
  { opened, stores, services }: { opened: Opened; stores: Stores; services: Services },
  parts: { clock: Clock; log: Logger; metrics: Metrics },
): void {
  const { shards } = stores;
  shards.admission.onAdmitted((shard) => {
    opened.audit?.lookThrough();
    if (!isForUs(stores, TIME_WORK)) return;
    services.batches.resume().catch((err: unknown) => {
      parts.log.error({ err, shard }, 'restores on a shard that is back could not go on');
    });
  });
  const watch = ShardWatch.start(shards, parts);
  opened.shardWatch = watch;
  opened.works.push(watch, DatabaseNodeWatch.start(parts));
}

function openPage(log: Logger): Promise<BuiltPage | undefined> {
  return BuiltPage.openIfWhole(WEB_FOLDER, (err) =>
    log.error({ err }, 'the web page cannot be read; files are served without it'));
}

/** What the stores tell of what happens in them. */
function heard(opened: Opened): Pick<StoresOptions, 'onCommit' | 'onSignIn'> {
  return {
    onCommit: (space) => {
      opened.audit?.changed(space);
      opened.events?.changed(space);
      opened.others?.changed(space);
    },
    onSignIn: ({ act, user, tenant, device, address }) => (
      opened.audit?.note({ act, user, device, ...(address !== undefined && { from: address }) },
        tenant)
    ),
  };
}

/** What services tell of what they have done, and find when they need it: not all of it is there
 *  when they are made. */
function tellings(opened: Opened, log: Logger) {
  return {
    watch: (tenant: TenantId) => opened.homeWork?.sampler(tenant),
    onLockBroken: (broken: BrokenLock) => opened.audit?.note(brokenEntry(broken)),
    onTrashDropped: (dropped: DroppedTrash) => opened.audit?.note(droppedEntry(dropped)),
    onLinkRead: (read: LinkRead) => opened.audit?.note(linkReadEntry(read)),
    invitations: opened.mail?.invitations,
    webhooks: () => opened.webhooks,
    onEventTrouble: (err: unknown) =>
      log.error({ err }, 'some who wait for changes were not woken'),
    onBatchTrouble: (batchId: number, err: unknown) =>
      log.error({ err, batchId }, 'a restore has failed; it goes on after the next start'),
  };
}

/** What administrators see of what was opened, or is not yet. */
function administered(opened: Opened, [forDay, forNow]: readonly [WorstDelay, WorstDelay]) {
  return {
    server: () => opened.server,
    note: (entry: Parameters<AuditTrail['note']>[0], tenant: TenantId) =>
      opened.audit?.note(entry, tenant),
    loopDelays: [() => forDay.take(), () => forNow.take()] as const,
    collector: (tenant: TenantId) => opened.homeWork?.collection(tenant),
    tenantsAway: () => opened.shardWatch?.tenantsAway() ?? [],
  };
}

/** What goes on beside the requests, and how commands reach it. */
async function startWork(
  { config, data, log, clock, random }: StartOptions, metrics: Metrics,
  { opened, stores, services }: { opened: Opened; stores: Stores; services: Services },
): Promise<void> {
  opened.works.push({ stop: () => services.batches.close() });
  opened.works.push(await workOfOne(stores, TIME_WORK, () => TimeWork.start(services.batches, {
    withoutAway: (onAway) => stores.shards.withoutAway(onAway), clock, log, metrics,
    policy: config.of(filesSlice),
    note: (entry) => opened.audit?.note(entry),
  })));
  const webhooks = services.events.openWebhooks({
    ...config.of(webhookSlice), random, log,
    store: await openWebhookStore(data.path, stores, { clock, log }),
  });
  opened.webhooks = webhooks;
  opened.works.push(await workOfOne(stores, WEBHOOKS, () =>
    Promise.resolve(webhooks.startSending(() => isStillForUs(stores, WEBHOOKS)))));
  const { isOn, ...collecting } = config.of(gcSlice);
  opened.works.push(await workOfOne(stores, COLLECTING, async () => {
    const homeWork = await HomeWork.start({
      dataPath: data.path, stores, services, collecting: isOn ? collecting : undefined,
      clock, random, log, metrics, isLoaded: () => (opened.server?.inFlight ?? 0) > 0,
    });
    opened.homeWork = homeWork;
    return {
      stop: async () => {
        opened.homeWork = undefined;
        await homeWork.stop();
      },
    };
  }));
  opened.works.push(await workOfOne(stores, DRIFT, () =>
    Promise.resolve(startDriftWork(data.path, config, { clock, log, metrics }))));
  opened.moves = await TenantMoves.begin({
    root: data.path, stores, clock, settings: config.of(tenantMoveSlice),
    onFlipped: (space) => heard(opened).onCommit?.(space),
  });
  const { moves } = opened;
  opened.drains = ShardDrains.open({
    journal: await openDrainJournal(data.path, stores, clock), shards: stores.shards, mover: moves,
    isOurs: () => moves.isHere, clock, log,
    onMove: (tenant, { from, to }) => opened.audit?.note({
      act: 'tenant-moved', user: '', subject: tenant,
      note: `from shard ${from}, which is being emptied, to ${to}`,
    }, tenant),
  });
  opened.control = await ControlServer.open({
    directory: data.path, log, random,
    operations: operationsOf(stores, {
      isServing: true, moves: opened.moves, drains: opened.drains,
      quotas: services.quotas, people: services, files: config.of(filesSlice),
      clock,
    }),
  });
}

function brokenEntry(
  { lock, by: { user, device, address } }: BrokenLock,
): Parameters<AuditTrail['note']>[0] {
  return {
    act: 'lock-broken', user, device, space: lock.spaceId, node: lock.nodeId, subject: lock.holder,
    ...(address !== undefined && { from: address }),
  };
}

function droppedEntry(
  { spaceId, count, nodeId, by: { user, device, address } }: DroppedTrash,
): Parameters<AuditTrail['note']>[0] {
  return {
    act: 'trash-emptied', user, device, space: spaceId,
    ...(nodeId === undefined ? { note: `${count} entries` } : { node: nodeId }),
    ...(address !== undefined && { from: address }),
  };
}

function linkReadEntry({ link, node, address }: LinkRead): Parameters<AuditTrail['note']>[0] {
  const { label } = link.terms;
  return {
    act: 'download', user: link.user, from: address, space: node.spaceId, node: node.id,
    name: node.name, ...(label !== undefined && { subject: label }),
  };
}

/** What is stored survives a crash, so leaving it open is better than hanging for ever. */
async function closeInTime(
  { control, drains, moves, webhooks, mail, works, others, audit, stores }: Opened, clock: Clock,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(CLOSE_MS_MAX, () => {
    const message = 'The stores did not close in time and were left as they are.';
    late.reject(new HoldfastError('internal', 'app/stop', message));
  });
  try {
    const closed = async (): Promise<void> => {
      await control?.close();
      await drains?.close();
      await moves?.stop();
      await webhooks?.close();
      await mail?.outbox.close();
      await others?.stop();
      for (const work of works.toReversed()) await work.stop();
      await audit?.close();
      await stores?.close();
    };
    await Promise.race([closed(), late.promise]);
  } finally {
    cancel();
  }
}

interface Opened {
  server: HttpServer | undefined;
  stores: Stores | undefined;
  control: ControlServer | undefined;
  mail: OpenedMail | undefined;
  homeWork: HomeWork | undefined;
  audit: AuditTrail | undefined;
  /** What goes on beside the requests. */
  works: { stop: () => Promise<void> }[];
  others: Others | undefined;
  events: Events | undefined;
  webhooks: Webhooks | undefined;
  moves: TenantMoves | undefined;
  drains: ShardDrains | undefined;
  shardWatch: ShardWatch | undefined;
}

async function openHttp(
  settings: ValuesOf<typeof serverSlice.settings>,
  parts: { health: Route[]; metrics: Metrics; log: Logger; clock: Clock },
): Promise<HttpServer> {
  const { tlsCertPath, tlsKeyPath, behindProxy, listen } = settings;
  const { health, metrics, log, clock } = parts;
  return HttpServer.open({
    listen, log, clock, metrics, gate: unavailableHandler, routes: health, isStarting: true,
    earlyContinue: wantsEarlyContinue,
    ...(tlsCertPath !== undefined && tlsKeyPath !== undefined
      && { tls: { certPath: tlsCertPath, keyPath: tlsKeyPath } }),
    ...(behindProxy !== undefined && { trustedProxies: TrustedProxies.parse(behindProxy) }),
  });
}

async function isAdministrator(stores: Stores | undefined, exchange: Exchange): Promise<boolean> {
  if (stores === undefined) return false;
  const authenticator = new Authenticator(stores.identity);
  try {
    const { admin, tenant } = await authenticator.authenticate(exchange);
    return admin && tenant === DEFAULT_TENANT; // Those of other tenants administer theirs alone.
  } catch (error) {
    if (isKind(error, 'unauthenticated') || isKind(error, 'busy')) return false;
    throw error;
  }
}

/** Part of every `oc:id`: short, and the same for as long as the data directory lives. */
function shortInstanceId(instanceId: string): string {
  return `hf${instanceId.replaceAll('-', '').slice(0, 10)}`;
}

async function greetingOf(stores: Stores, url: string): Promise<string[]> {
  const link = await stores.identity.createSetupLink();
  if (link === undefined) return [];
  return [
    '',
    'Nobody has an account yet. Open this link to make the first administrator:',
    `  ${url}/setup?token=${link.token}`,
    'It works once, within 24 hours; a restart makes a new one.',
    '',
  ];
}

function sweepHourly(
  services: Services, { clock, log, metrics }: { clock: Clock; log: Logger; metrics: Metrics },
  isOurs: () => boolean,
): () => void {
  const expiredCount = metrics.counter({
    name: 'uploads_expired_total', help: 'Uploads in pieces that nobody went on with.',
  });
  return repeatHourly(clock, async () => {
    if (isOurs()) await sweep(services, log, expiredCount);
  });
}

async function sweep(
  services: Services, log: Logger, expiredCount: MetricCounter,
): Promise<void> {
  try {
    const expired = await services.uploads.expire();
    expiredCount.inc({}, expired);
    if (expired > 0) log.info({ expired }, 'forgot uploads that nobody went on with');
  } catch (err) {
    log.error({ err }, 'old uploads could not be swept; trying again in an hour');
  }
}

/** Of the event loop, since somebody last asked. */
class WorstDelay {
  #worstMs: number | undefined;

  note(delayMs: number): void {
    this.#worstMs = Math.max(delayMs, this.#worstMs ?? 0);
  }

  take(): number | undefined {
    const worstMs = this.#worstMs;
    this.#worstMs = undefined;
    return worstMs;
  }
}

/** `act` handles its own errors. */
function repeatHourly(clock: Clock, act: () => Promise<void>): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(HOUR_MS, () => {
      void act().finally(next);
    });
  };
  next();
  return () => cancel();
}
