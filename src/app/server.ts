/** Brings the server up: listens first (503 until ready), then opens the stores, then serves. */
import { HoldfastError, isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import type { RunningServer, StartOptions } from '../cli/index.ts';
import { gcSlice } from '../durability/index.ts';
import { filesSlice } from '../files/index.ts';
import type { BrokenLock } from '../files/index.ts';
import { ControlServer } from '../operations/index.ts';
import {
  HttpServer, Metrics, serverSlice, TrustedProxies, watchEventLoop,
} from '../platform/index.ts';
import type { Clock, Exchange, Logger, MetricCounter, Route, ValuesOf } from '../platform/index.ts';
import {
  Authenticator, nextcloudSlice, unavailableHandler, wantsEarlyContinue,
} from '../protocols/index.ts';
import { backendSlice } from '../storage/index.ts';
import { AuditTrail } from './audit-trail.ts';
import { CollectionSchedule } from './collection.ts';
import { fleetSettings } from './fleet.ts';
import { healthRoutes, watchBlocks } from './health.ts';
import { openMail } from './mail.ts';
import type { OpenedMail } from './mail.ts';
import { verifiedObjects } from './object-verification.ts';
import { operationsOf } from './orders.ts';
import { buildServices } from './services.ts';
import type { Services } from './services.ts';
import { openStores } from './stores.ts';
import type { Stores } from './stores.ts';
import { TimeWork } from './time-work.ts';
import { Verification } from './verification.ts';

const HOUR_MS = 60 * 60 * 1000;
/** After the drain. */
const CLOSE_MS_MAX = 4_000;

export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, data, log, clock, random } = options;
  const metrics = new Metrics();
  metrics.addProcess();
  const opened: Opened = {
    server: undefined, stores: undefined, control: undefined, collection: undefined,
    mail: undefined,
    verification: undefined, audit: undefined, timeWork: undefined,
  };
  const health = healthRoutes({
    metrics,
    blocks: () => opened.stores?.blocks.state(),
    server: () => opened.server,
    isAdministrator: (exchange) => isAdministrator(opened.stores, exchange),
  });
  const ending: (() => void)[] = [watchEventLoop({ metrics, log, clock })];
  const stop = async (deadlineMs: number): Promise<void> => {
    for (const end of ending) end();
    await opened.server?.drain(deadlineMs);
    await closeInTime(opened, clock);
  };
  try {
    opened.server = await openHttp(config.of(serverSlice), { health, metrics, log, clock });
    opened.stores = await openStores(data.path, {
      clock, log, random, settings: fleetSettings(config), backend: config.of(backendSlice),
      onCommit: (space) => opened.audit?.changed(space),
      onSignIn: ({ act, user, device, address }) => (
        opened.audit?.note({ act, user, device, from: address })
      ),
    });
    const { metadata } = opened.stores;
    opened.audit = await AuditTrail.open({ path: data.path, metadata, clock, log, metrics });
    opened.mail = await openMail(config, data.path, { clock, log, metrics });
    const services = buildServices({
      stores: opened.stores, clock, random, instanceId: shortInstanceId(data.instanceId),
      ...config.of(filesSlice), ...config.of(nextcloudSlice),
      watch: () => opened.verification?.sampler,
      onLockBroken: (broken) => opened.audit?.note(brokenEntry(broken)),
      invitations: opened.mail?.invitations,
      onBatchTrouble: (batchId, err) =>
        log.error({ err, batchId }, 'a restore has failed; it goes on after the next start'),
    });
    watchBlocks(metrics, () => opened.stores?.blocks.state());
    opened.stores.backend.watch(metrics);
    opened.server.serve([...health, ...services.routes]);
    const expiredCount = metrics.counter({
      name: 'uploads_expired_total', help: 'Uploads in pieces that nobody went on with.',
    });
    ending.push(repeatHourly(clock, () => sweep(services, log, expiredCount)));
    await startWork(options, metrics, { opened, stores: opened.stores, services });
    const { server } = opened;
    const greeting = await greetingOf(opened.stores, server.url);
    return { url: server.url, greeting, stop, reload: () => server.reloadTls() };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** What goes on beside the requests, and how commands reach it. */
async function startWork(
  { config, data, log, clock, random }: StartOptions, metrics: Metrics,
  { opened, stores, services }: { opened: Opened; stores: Stores; services: Services },
): Promise<void> {
  opened.timeWork = await TimeWork.start(services.batches, {
    metadata: stores.metadata, clock, log, metrics, policy: config.of(filesSlice),
    note: (entry) => opened.audit?.note(entry),
  });
  const { isOn, ...collecting } = config.of(gcSlice);
  if (isOn) {
    opened.collection = await CollectionSchedule.start(data.path, stores, {
      clock, log, metrics, ...collecting,
    });
  }
  opened.verification = Verification.start(data.path, {
    clock, random, log, metrics,
    isLoaded: () => (opened.server?.inFlight ?? 0) > 0,
    ...verifiedBy(services, stores),
  });
  opened.control = await ControlServer.open({
    directory: data.path, log, random,
    operations: operationsOf(stores, {
      isServing: true, quotas: services.quotas, people: services,
    }),
  });
}

/** How verifiers see what is stored: as users do, though past the cache; disk by disk, or object by
 *  object. */
function verifiedBy({ uncached }: Services, { blocks, backend, opened }: Stores) {
  return {
    read: async (address: string, signal: AbortSignal) => (
      { kind: 'bytes' as const, pieces: await uncached.readBack(address, signal) }
    ),
    ...(backend.objects !== undefined && { objects: verifiedObjects(backend.objects) }),
    readBlock: (id: string) => blocks.get(id as BlockId).catch((error: unknown) => {
      if (isKind(error, 'not-found')) return undefined;
      throw error;
    }),
    ...(opened !== undefined && {
      disks: () => opened.verifiedDisks(), goneIds: () => opened.goneIds(),
      placement: (name: string) => opened.placement(name),
      propose: (copy: { volumeId: number; diskId?: string }) => opened.repair.propose(copy),
    }),
  };
}

function brokenEntry(
  { lock, by: { user, device, address } }: BrokenLock,
): Parameters<AuditTrail['note']>[0] {
  return {
    act: 'lock-broken', user, device, space: lock.spaceId, node: lock.nodeId, subject: lock.holder,
    ...(address !== undefined && { from: address }),
  };
}

/** What is stored survives a crash, so leaving it open is better than hanging for ever. */
async function closeInTime(
  { control, mail, verification, collection, timeWork, audit, stores }: Opened, clock: Clock,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(CLOSE_MS_MAX, () => {
    const message = 'The stores did not close in time and were left as they are.';
    late.reject(new HoldfastError('internal', 'app/stop', message));
  });
  try {
    const closed = async (): Promise<void> => {
      await control?.close();
      await mail?.outbox.close();
      await verification?.stop();
      await collection?.stop();
      await timeWork?.stop();
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
  collection: CollectionSchedule | undefined;
  verification: Verification | undefined;
  audit: AuditTrail | undefined;
  timeWork: TimeWork | undefined;
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
    return (await authenticator.authenticate(exchange)).admin;
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
