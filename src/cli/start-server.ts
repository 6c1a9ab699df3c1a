/** What `serve` needs of the object graph. The graph lies above this module and is handed in. */
import type { Clock, Config, DataDirectory, Logger, Random } from '../platform/index.ts';

export interface StartOptions {
  readonly config: Config;
  readonly data: DataDirectory;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Fires when the server is to stop although it has not started yet: it need not go on waiting
   *  for what it needs, and rejects then. */
  readonly stopping?: AbortSignal;
}

export interface RunningServer {
  /** Where it listens, as a browser takes it. */
  readonly url: string;
  /** Lines for the person who started it, such as a one-time sign-in link. Never logged. */
  readonly greeting: readonly string[];
  /** Finishes what runs, at most `deadlineMs` long, and closes everything. */
  stop(deadlineMs: number): Promise<void>;
  /** Reads certificates again. */
  reload(): Promise<void>;
}

/** Resolves once the server answers. Whatever it opened is closed again when it rejects. */
export type StartServer = (options: StartOptions) => Promise<RunningServer>;
