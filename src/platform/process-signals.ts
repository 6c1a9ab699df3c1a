/** How the process ends: gently on the first signal, at once on the second, loudly on a bug. */
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;
type EndSignal = keyof typeof EXIT_CODES;

export interface ProcessEvents {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
}

/** Ctrl-C reaches a process from the terminal and again through whatever launched it: what comes so
 *  soon is one wish, not two. */
const SAME_WISH_MS = 500;

export interface SignalOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Called on the first SIGTERM or SIGINT. */
  readonly stop: (signal: EndSignal) => void;
  /** Called on SIGHUP: certificates and the like are read again. */
  readonly reload: () => void;
  /** Ends the process now: `process.exit`, after the log was flushed. */
  readonly exit: (code: number) => void;
  /** `process`, or a stand-in for tests. */
  readonly events: ProcessEvents;
}

/** Returns what takes the listeners away again. */
export function watchSignals(options: SignalOptions): () => void {
  const { log, clock, stop, reload, exit, events } = options;
  let stoppingSinceMs: number | undefined;
  const end = (signal: EndSignal) => (): void => {
    if (stoppingSinceMs !== undefined) {
      if (clock.monotonic() - stoppingSinceMs < SAME_WISH_MS) return;
      log.warn({ signal }, 'second signal, leaving at once');
      exit(EXIT_CODES[signal]);
      return;
    }
    stoppingSinceMs = clock.monotonic();
    log.info({ signal }, 'stopping; a second signal leaves at once');
    stop(signal);
  };
  // After an error nobody expected, no invariant is known to hold: a crash and a clean start are
  // safer than going on, and every module is built to survive a crash.
  const crash = (what: string) => (err: unknown): void => {
    log.fatal({ err }, what);
    exit(70);
  };
  const listeners: [string, (value: unknown) => void][] = [
    ['SIGTERM', end('SIGTERM')],
    ['SIGINT', end('SIGINT')],
    ['SIGHUP', () => reload()],
    ['uncaughtException', crash('uncaught exception')],
    ['unhandledRejection', crash('unhandled rejection')],
  ];
  for (const [event, listener] of listeners) events.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) events.off(event, listener);
  };
}
