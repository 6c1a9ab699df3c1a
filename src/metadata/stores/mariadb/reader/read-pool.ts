/**
 * Connections for reading. Each read has one for itself, and with it a snapshot: the first
 * statement begins it, and it ends when the connection is given back, which nobody waits for.
 */
import { storeClosed, tooBusy } from '../../../refusals.ts';
import type { Clock } from '../../../../platform/index.ts';
import { serverFault, Session } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';

export const READERS_MAX = 16;
export const READERS_WAITING_MAX = 1_024;
export const READER_WAIT_MAX_MS = 15_000;

interface Waiting {
  readonly give: (session: Session) => void;
  readonly refuse: (reason: unknown) => void;
}

export class ReadPool {
  readonly #address: ServerAddress;
  readonly #clock: Clock;
  #count = 0;
  #idle: Session[] = [];
  #waiting: Waiting[] = [];
  #endings = new Set<Promise<void>>();
  readonly #open = new Set<Session>();
  #pastQuestions = 0;
  #isClosed = false;

  constructor(address: ServerAddress, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** @throws busy: too many wait already, or waited for READER_WAIT_MAX_MS; unavailable: closed;
   *  the signal's reason; the driver's error. */
  async take(signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
    this.#leaveOldNodes();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#count < READERS_MAX) return this.#connect();
    if (this.#waiting.length >= READERS_WAITING_MAX) throw tooBusy();
    return this.#wait(signal);
  }

  /** What the writer saves on the node that is in use now, others may not have yet. */
  #leaveOldNodes(): void {
    const old = this.#idle.filter((session) => !session.isCurrent);
    if (old.length === 0) return;
    this.#idle = this.#idle.filter((session) => session.isCurrent);
    for (const session of old) this.#drop(session);
  }

  async #connect(): Promise<Session> {
    this.#count += 1;
    try {
      const session = await Session.open(this.#address, 'read');
      this.#open.add(session);
      return session;
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
  }

  #drop(session: Session): void {
    session.destroy();
    this.#count -= 1;
    this.#open.delete(session);
    this.#pastQuestions += session.questionCount;
  }

  /** See Session.questionCount. */
  get questionCount(): number {
    let count = this.#pastQuestions;
    for (const session of this.#open) count += session.questionCount;
    return count;
  }

  #wait(signal: AbortSignal | undefined): Promise<Session> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        signal?.removeEventListener('abort', onAbort);
        forgetTimer();
      };
      const waiting: Waiting = {
        give: (session) => {
          leave();
          resolve(session);
        },
        refuse: (reason) => {
          leave();
          reject(reason as Error);
        },
      };
      const onAbort = (): void => waiting.refuse(signal?.reason);
      const forgetTimer = this.#clock.after(READER_WAIT_MAX_MS, () => waiting.refuse(tooBusy()));
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Ends the snapshot; nobody has to wait for that. */
  giveBack(session: Session): void {
    this.#follow(this.#end(session));
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#endings.delete(followed));
    this.#endings.add(followed);
  }

  async #end(session: Session): Promise<void> {
    try {
      await session.run('COMMIT');
    } catch (error) {
      if (serverFault(error) === undefined) throw error;
      this.discard(session);
      return;
    }
    if (!session.isCurrent) {
      this.discard(session);
      return;
    }
    const [next] = this.#waiting;
    if (this.#isClosed) await session.end();
    else if (next !== undefined) next.give(session);
    else this.#idle.push(session);
  }

  /** For a connection that is broken, or of which nobody knows what it still has to say. The idle
   *  ones have probably met the same fate. Whoever waits gets a new one, or the reason why not. */
  discard(session: Session): void {
    for (const each of [session, ...this.#idle.splice(0)]) this.#drop(each);
    if (this.#waiting.length === 0) return;
    const opened = this.#connect().then((fresh) => this.giveBack(fresh), (error: unknown) => {
      for (const { refuse } of [...this.#waiting]) refuse(error);
    });
    this.#follow(opened);
  }

  /** Those in use are closed when they come back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of [...this.#waiting]) refuse(storeClosed());
    await Promise.allSettled(this.#endings);
    await Promise.allSettled(this.#idle.splice(0).map((session) => session.end()));
  }
}
