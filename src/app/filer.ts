/** The program as a filer: it keeps volume files on its disks for a server elsewhere, and answers
 *  health checks. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { RunningServer, StartOptions } from '../cli/index.ts';
import {
  formatListenAddress, HttpServer, isLoopback, Metrics, serverSlice, watchBursts, watchEventLoop,
} from '../platform/index.ts';
import type { Config, Logger } from '../platform/index.ts';
import { filerRoots, filerSlice, FilerServer, readClusterKey } from '../storage/index.ts';
import type { FilerFinding, FilerRoot } from '../storage/index.ts';
import { healthRoutes } from './health.ts';

export async function startFiler(options: StartOptions): Promise<RunningServer> {
  const { config, data, log, clock, random } = options;
  const metrics = new Metrics();
  metrics.addProcess();
  const settings = config.of(filerSlice);
  const keyPath = settings.clusterKeyPath ?? join(data.path, 'cluster.key');
  checkGuarded(config);
  const opened: { server?: HttpServer; filer?: FilerServer } = {};
  const health = healthRoutes({
    metrics, blocks: () => undefined, server: () => opened.server,
    isAdministrator: async () => false,
  });
  const ending = [watchEventLoop({ metrics, log, clock }), watchBursts({ clock })];
  const stop = async (deadlineMs: number): Promise<void> => {
    for (const end of ending) end();
    await opened.filer?.close();
    await opened.server?.drain(deadlineMs);
  };
  try {
    const cluster = await readClusterKey(keyPath);
    opened.server = await HttpServer.open({
      listen: config.of(serverSlice).listen, log, clock, metrics, isStarting: true,
      routes: health,
    });
    opened.filer = await FilerServer.start({
      listen: settings.filerListen,
      roots: await rootsOf(config, data.path),
      ...cluster,
      filerId: data.instanceId,
      clock,
      random,
      onFinding: (finding) => tell(log, finding),
      ...(await tlsOf(config)),
    });
    watchDisks(metrics, opened.filer);
    opened.server.serve(health);
    const { server, filer } = opened;
    const reload = async (): Promise<void> => {
      filer.renew({ ...(await readClusterKey(keyPath)), ...(await tlsOf(config)) });
      log.info({}, 'the cluster key and the certificate were read again');
    };
    return { url: server.url, greeting: greetingOf(filer), stop, reload };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** Bytes of users would cross the network in the clear: somebody has to want that. */
function checkGuarded(config: Config): void {
  const { filerListen, filerUnencrypted } = config.of(filerSlice);
  const { tlsCertPath } = config.of(serverSlice);
  if (isLoopback(filerListen.host) || tlsCertPath !== undefined || filerUnencrypted) return;
  const message = `A filer on ${formatListenAddress(filerListen)} without encryption would show `
    + 'the files to the network. Give --tls-cert and --tls-key, or set filer.unencrypted if the '
    + 'network is yours alone.';
  throw new HoldfastError('invalid', 'app/startFiler', message);
}

async function rootsOf(config: Config, dataPath: string): Promise<FilerRoot[]> {
  const settings = config.of(filerSlice);
  const roots = filerRoots(settings, dataPath);
  const isOwn = settings.filerDisks.length === 0;
  if (isOwn) for (const { path } of roots) await mkdir(path, { recursive: true, mode: 0o700 });
  return roots;
}

async function tlsOf(config: Config) {
  const { tlsCertPath, tlsKeyPath } = config.of(serverSlice);
  if (tlsCertPath === undefined || tlsKeyPath === undefined) return {};
  try {
    return { tls: { cert: await readFile(tlsCertPath), key: await readFile(tlsKeyPath) } };
  } catch (cause) {
    const message = 'The TLS certificate or key cannot be read. Check both paths and permissions.';
    throw new HoldfastError('invalid', 'app/startFiler', message, { cause });
  }
}

function tell(log: Logger, finding: FilerFinding): void {
  const { kind, reason } = finding;
  const diskId = finding.kind === 'fence-failed' ? finding.diskId : undefined;
  log.warn({ kind, diskId, err: reason }, 'the filer has refused something');
}

function watchDisks(metrics: Metrics, filer: FilerServer): void {
  metrics.gaugeOf(
    { name: 'filer_disks', help: 'Disks that are served.' }, () => filer.disks.length,
  );
  metrics.gaugeOf(
    { name: 'filer_disks_refused', help: 'Disks that are left alone; the log says why.' },
    () => filer.refusedDisks.length,
  );
  metrics.gaugeOf(
    { name: 'filer_connections', help: 'Connections of servers.' }, () => filer.connectionCount,
  );
}

function greetingOf(filer: FilerServer): string[] {
  const { address, port } = filer.address;
  const where = formatListenAddress({ host: address, port });
  const lines = [`This filer keeps volumes on ${filer.disks.length} disk(s), at ${where}:`];
  for (const { id } of filer.disks) lines.push(`  disk ${id}`);
  for (const { root, reason } of filer.refusedDisks) {
    lines.push(`  refused ${root}: ${reason.message}`);
  }
  lines.push('', 'On the main machine:', `  holdfast disk add --filer ${where}`);
  return lines;
}
