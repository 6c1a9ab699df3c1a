/** Brings the server up: listens first (503 until ready), then opens the stores, then serves. */
import { HoldfastError, isKind } from '../base/errors.ts';
import type { RunningServer, StartOptions } from '../cli/index.ts';
import { filesSlice } from '../files/index.ts';
import {
  HttpServer, Metrics, serverSlice, TrustedProxies, watchEventLoop,
} from '../platform/index.ts';
import type { Clock, Exchange, Logger, Route, ValuesOf } from '../platform/index.ts';
import {
  Authenticator, nextcloudSlice, unavailableHandler, wantsEarlyContinue,
} from '../protocols/index.ts';
import { storageSlice } from '../storage/index.ts';
import { healthRoutes, watchBlocks } from './health.ts';
import { buildServices } from './services.ts';
import type { Services } from './services.ts';
import { openStores } from './stores.ts';
import type { Stores } from './stores.ts';

const HOUR_MS = 60 * 60 * 1000;
/** After the drain. */
const CLOSE_MS_MAX = 4_000;

export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, data, log, clock, random } = options;
  const metrics = new Metrics();
  metrics.addProcess();
  const opened: Opened = { server: undefined, stores: undefined };
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
    await closeInTime(opened.stores, clock);
  };
  try {
    opened.server = await openHttp(config.of(serverSlice), { health, metrics, log, clock });
    opened.stores = await openStores(data.path, { clock, log, ...config.of(storageSlice) });
    const services = buildServices({
      stores: opened.stores, clock, random, instanceId: shortInstanceId(data.instanceId),
      ...config.of(filesSlice), ...config.of(nextcloudSlice),
    });
    watchBlocks(metrics, () => opened.stores?.blocks.state());
    opened.server.serve([...health, ...services.routes]);
    ending.push(repeatHourly(clock, () => sweep(services, log)));
    const { url } = opened.server;
    const { server } = opened;
    const greeting = await greetingOf(opened.stores, url);
    return { url, greeting, stop, reload: () => server.reloadTls() };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** What is stored survives a crash, so leaving it open is better than hanging for ever. */
async function closeInTime(stores: Stores | undefined, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(CLOSE_MS_MAX, () => {
    const message = 'The stores did not close in time and were left as they are.';
    late.reject(new HoldfastError('internal', 'app/stop', message));
  });
  try {
    await Promise.race([stores?.close(), late.promise]);
  } finally {
    cancel();
  }
}

interface Opened {
  server: HttpServer | undefined;
  stores: Stores | undefined;
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

async function sweep(services: Services, log: Logger): Promise<void> {
  try {
    const expired = await services.uploads.expire();
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
