/** Serves until it is told to stop. */
import {
  armFailpoint, loadConfig, lockData, openDataDirectory, openLog, serverSlice, systemClock,
  systemRandom, watchSignals,
} from '../../platform/index.ts';
import type {
  Clock, Config, DataLock, OpenLog, ProcessEvents, Slice,
} from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { CONFIG_FLAGS, configRequest } from '../config-flags.ts';
import type { RunningServer, StartServer } from '../start-server.ts';

export interface ServeParts {
  readonly startServer: StartServer;
  readonly slices: readonly Slice[];
  /** `process`, or a stand-in for tests. */
  readonly events: ProcessEvents & { exit(code: number): void };
  readonly clock?: Clock;
}

export function serve(parts: ServeParts): Command {
  return {
    name: 'serve',
    summary: 'Serve files until told to stop (SIGTERM or Ctrl-C; twice stops at once)',
    flags: CONFIG_FLAGS,
    details: DETAILS,
    exits: {
      0: 'stopped as asked', 1: 'could not start, or failed', 2: 'wrong usage or configuration',
      3: 'refused: the data directory is in use or is not ours',
    },
    async run(terminal, input) {
      const config = await loadConfig(configRequest(input, parts.slices));
      const { failpoint, logLevel } = config.of(serverSlice);
      if (failpoint !== undefined) armFailpoint(failpoint);
      const openedLog = openLog({ level: logLevel, target: 'stderr' });
      try {
        return await serveUntilStopped(parts, { config, openedLog, terminal });
      } finally {
        openedLog.flush();
      }
    },
  };
}

const DETAILS = `
Examples:
  holdfast serve --data /srv/holdfast
  holdfast serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem
  holdfast serve --listen 0.0.0.0:8420 --behind-proxy 10.0.0.7`;

interface ServeContext {
  readonly config: Config;
  readonly openedLog: OpenLog;
  readonly terminal: Terminal;
}

async function serveUntilStopped(parts: ServeParts, context: ServeContext): Promise<number> {
  const { config, openedLog: { log } } = context;
  const clock = parts.clock ?? systemClock;
  const told = watchForEnd(parts, context, clock);
  let lock: DataLock | undefined;
  try {
    const data = await openDataDirectory(config.of(serverSlice).dataDirectory, clock);
    lock = lockData(data.path);
    const options = {
      config, data, log, clock, random: systemRandom, stopping: told.stopping,
    };
    const server = await parts.startServer(options).catch((error: unknown) => {
      if (error === told.stopping.reason) return undefined;
      throw error;
    });
    if (server === undefined) {
      log.info({}, 'stopped before it had started');
      return EXIT.done;
    }
    told.server = server;
    lock.announce(server.url);
    greet(context.terminal, server);
    await told.toStop;
    await server.stop(config.of(serverSlice).drainSeconds * 1000);
    log.info({}, 'stopped');
    return EXIT.done;
  } finally {
    told.unwatch();
    lock?.release();
  }
}

interface Told {
  server: RunningServer | undefined;
  readonly toStop: Promise<void>;
  /** The same, for whoever has something to break off. */
  readonly stopping: AbortSignal;
  readonly unwatch: () => void;
}

/** Watches from the very start: a signal during start-up stops the server as soon as it is up. */
function watchForEnd(parts: ServeParts, { openedLog }: ServeContext, clock: Clock): Told {
  const { log, flush } = openedLog;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stopping = new AbortController();
  const unwatch = watchSignals({
    log, clock, events: parts.events,
    stop: () => {
      stopping.abort();
      resolve(undefined);
    },
    reload: () => {
      told.server?.reload().catch((err: unknown) => log.error({ err }, 'reload failed'));
    },
    exit: (code) => {
      flush();
      parts.events.exit(code);
    },
  });
  const told: Told = {
    server: undefined, toStop: promise, stopping: stopping.signal, unwatch,
  };
  return told;
}

function greet(terminal: Terminal, { url, greeting }: RunningServer): void {
  terminal.print(`Holdfast serves on ${url}`);
  for (const line of greeting) terminal.print(line);
}
