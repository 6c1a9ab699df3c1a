/** The program as a filer: it keeps volume files on its disks for a server elsewhere, and answers
 *  health checks. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { RunningServer, StartOptions } from '../cli/index.ts';
import {
  formatListenAddress, HttpServer, isLoopback, Metrics, serverSlice, watchEventLoop,
} from '../platform/index.ts';
import type { Config, Logger } from '../platform/index.ts';
import { filerSlice, FilerServer, readClusterKey } from '../storage/index.ts';
import type { FilerFinding } from '../storage/index.ts';
import { healthRoutes } from './health.ts';

export async function startFiler(options: StartOptions): Promise<RunningServer> {
  const { config, data, log, clock, random } = options;
  const metrics = new Metrics();
  metrics.addProcess();
  const settings = config.of(filerSlice);
  checkGuarded(config);
  const opened: { server?: HttpServer; filer?: FilerServer } = {};
  const health = healthRoutes({
    metrics, blocks: () => undefined, server: () => opened.server,
    isAdministrator: async () => false,
  });
  const unwatch = watchEventLoop({ metrics, log, clock });
  const stop = async (deadlineMs: number): Promise<void> => {
    unwatch();
    await opened.filer?.close();
    await opened.server?.drain(deadlineMs);
  };
  try {
    const cluster = await readClusterKey(settings.clusterKeyPath ?? join(data.path, 'cluster.key'));
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
    return { url: opened.server.url, greeting: greetingOf(opened.filer), stop, reload };
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

async function rootsOf(config: Config, dataPath: string) {
  const { filerDisks, filerAdoptsEmpty } = config.of(filerSlice);
  const adopt = filerAdoptsEmpty ? 'if-empty' as const : 'never' as const;
  if (filerDisks.length > 0) return filerDisks.map((path) => ({ path, adopt }));
  // Ours from the beginning: no other disk can be meant.
  const path = join(dataPath, 'disk');
  await mkdir(path, { recursive: true, mode: 0o700 });
  return [{ path, adopt: 'if-empty' as const }];
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

async function reload(): Promise<void> {
  // Certificates of filers are read at the start only.
}
