/** What operators' machines ask: alive, ready, and figures. */
import type { DirectoryStanding } from '../metadata/index.ts';
import { isLoopback } from '../platform/index.ts';
import type { Exchange, HttpHandler, HttpServer, Metrics, Route } from '../platform/index.ts';
import type { BlockStoreState } from '../storage/index.ts';

export interface HealthParts {
  metrics: Metrics;
  /** undefined while starting. */
  blocks: () => BlockStoreState | undefined;
  server: () => HttpServer | undefined;
  /** Of who is on which shard; undefined while starting. Left out: nobody asks. */
  directory?: () => DirectoryStanding | undefined;
  isAdministrator: (exchange: Exchange) => Promise<boolean>;
}

/** /healthz: the process answers. /readyz: it takes reads and writes; both also while starting and
 *  draining, and without credentials, since they tell nothing about anybody. /metrics tells how
 *  busy the server is: only to this machine and to administrators. */
export function healthRoutes(parts: HealthParts): Route[] {
  if (parts.directory !== undefined) watchDirectory(parts.metrics, parts.directory);
  const healthz: HttpHandler = ({ res }) => answer(res, 200, { status: 'alive' });
  const readyz: HttpHandler = ({ res }) => {
    const state = parts.server()?.state ?? 'starting';
    const writes = parts.blocks()?.refusesWrites;
    const isReady = state === 'serving' && writes === undefined;
    const directory = parts.directory?.();
    const isOld = directory?.isReachable === false;
    return answer(res, isReady ? 200 : 503, {
      state, ...(writes && { refusesWrites: writes }),
      ...(isOld && { directoryAgeSeconds: Math.round(directory.ageMs / 1000) }),
    });
  };
  const metricsPage: HttpHandler = async (exchange) => {
    const { res } = exchange;
    if (!isLoopback(exchange.address) && !(await parts.isAdministrator(exchange))) {
      res.writeHead(401, { 'WWW-Authenticate': 'Basic realm="Holdfast", charset="UTF-8"' });
      res.end('Metrics are shown on this machine, and elsewhere to administrators.\n');
      return;
    }
    const text = await parts.metrics.text();
    res.writeHead(200, { 'Content-Type': parts.metrics.contentType });
    res.end(text);
  };
  return [
    { prefix: '/healthz', name: 'healthz', handler: healthz, always: true },
    { prefix: '/readyz', name: 'readyz', handler: readyz, always: true },
    { prefix: '/metrics', name: 'metrics', handler: metricsPage, always: true },
  ];
}

type Answer = Parameters<HttpHandler>[0]['res'];

async function answer(res: Answer, status: number, body: object): Promise<void> {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  res.end(`${JSON.stringify(body)}\n`);
}

/** How old what is known of the shards is, read at each scrape. */
function watchDirectory(
  metrics: Metrics, standing: () => DirectoryStanding | undefined,
): void {
  metrics.gaugeOf({
    name: 'shard_directory_age_seconds',
    help: 'Since what is known of who is on which shard was last known to be true.',
  }, () => (standing()?.ageMs ?? 0) / 1000);
  metrics.gaugeOf({
    name: 'shard_directory_reachable', help: '0 when the directory of shards cannot be reached.',
  }, () => (standing()?.isReachable === false ? 0 : 1));
}

/** Publishes what the block store says of itself, read at each scrape. */
export function watchBlocks(metrics: Metrics, state: () => BlockStoreState | undefined): void {
  const gauges: readonly [string, string, (now: BlockStoreState) => number][] = [
    ['block_store_blocks', 'Blocks stored.', (now) => now.blockCount],
    ['block_store_bytes', 'Bytes of all blocks stored.', (now) => now.storedBytes],
    ['block_store_queued_bytes', 'Bytes that wait for the disk.', (now) => now.queuedBytes],
    ['block_store_damaged', 'Blocks that cannot be read back.', (now) => now.damagedCount],
    ['block_store_refuses_writes', '1 when writes are refused.',
      (now) => (now.refusesWrites === undefined ? 0 : 1)],
  ];
  for (const [name, help, read] of gauges) {
    metrics.gaugeOf({ name, help }, () => {
      const now = state();
      return now === undefined ? 0 : read(now);
    });
  }
}
