/** The parent's end of the load client's process. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, ResultOf } from './jobs.ts';

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** Runs jobs one after another in a process of its own. `close` ends the process. */
export class LoadDriver {
  readonly #child: ChildProcess;

  constructor() {
    const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
    this.#child = fork(worker, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** One job at a time. @throws Error: what the job threw, or that the process has ended. */
  async run<K extends Job['kind']>(job: Extract<Job, { kind: K }>): Promise<ResultOf[K]>;
  async run(job: Job): Promise<ResultOf[Job['kind']]> {
    const stop = new AbortController();
    const ended = once(this.#child, 'exit', { signal: stop.signal }).then((): Reply => {
      throw new Error('the load client has ended');
    });
    const answered = once(this.#child, 'message', { signal: stop.signal });
    ended.catch(() => undefined); // The race below hears it; afterwards it is only the abort.
    try {
      this.#child.send(job);
      const reply = await Promise.race([answered.then(([message]) => message as Reply), ended]);
      if (reply.error !== undefined) throw new Error(reply.error);
      return reply.result as ResultOf[Job['kind']];
    } finally {
      stop.abort();
      answered.catch(() => undefined);
    }
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
