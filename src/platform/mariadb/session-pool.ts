/** A few connections that many share: each has one to itself for as long as it needs it. */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import type { DatabaseWords } from './faults.ts';
import { Session } from './session.ts';
import type { ServerAddress, SessionMode } from './session.ts';

export interface PoolParts {
  address: ServerAddress;
  mode: SessionMode;
  clock: Clock;
  words: DatabaseWords;
  sessionsMax: number;
}

const WAITING_MAX = 1_024;
const WAIT_MAX_MS = 15_000;

export class SessionPool {
  readonly #parts: PoolParts;
  readonly #sessions = new Set<Session>();
  /** The one used last is taken first: what it has prepared is at hand. */
  #idle: Session[] = [];
  /** Connections that are there or are being made. */
  #count = 0;
  #waiting: PromiseWithResolvers<Session>[] = [];
  #pastQuestionCount = 0;
  #isClosed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** See Session.questionCount. */
  get questionCount(): number {
    let count = this.#pastQuestionCount;
    for (const session of this.#sessions) count += session.questionCount;
    return count;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Lends a connection. One whose work failed in a way that is not the server's plain answer is
   *  not used again. @throws busy: too many wait, or for too long; unavailable: closed; the
   *  driver's error; as `act`. */
  async lend<T>(act: (session: Session) => Promise<T>, isBroken: (error: unknown) => boolean,
  ): Promise<T> {
    const session = await this.#take();
    try {
      const result = await act(session);
      this.#giveBack(session);
      return result;
    } catch (error) {
      if (isBroken(error)) this.#discard(session);
      else this.#giveBack(session);
      throw error;
    }
  }

  async #take(): Promise<Session> {
    if (this.#isClosed) throw this.#closed();
    this.#leaveOldNodes();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#count < this.#parts.sessionsMax) return this.#connect();
    if (this.#waiting.length >= WAITING_MAX) throw this.#tooBusy();
    const waiting = Promise.withResolvers<Session>();
    this.#waiting.push(waiting);
    const cancel = this.#parts.clock.after(WAIT_MAX_MS, () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.reject(this.#tooBusy());
    });
    return waiting.promise.finally(cancel);
  }

  async #connect(): Promise<Session> {
    this.#count += 1;
    try {
      const session = await Session.open(this.#parts.address, this.#parts.mode);
      this.#sessions.add(session);
      return session;
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
  }

  #giveBack(session: Session): void {
    if (this.#isClosed || !session.isCurrent) {
      this.#discard(session);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(session);
    else next.resolve(session);
  }

  /** The idle ones have probably met the same fate. Whoever waits gets a new one, or the reason why
   *  there is none. */
  #discard(session: Session): void {
    for (const each of [session, ...this.#idle.splice(0)]) this.#drop(each);
    if (this.#waiting.length === 0 || this.#isClosed) return;
    this.#connect().then((fresh) => this.#giveBack(fresh), (error: unknown) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** What is saved on the node that is in use now, others may not have yet. */
  #leaveOldNodes(): void {
    const old = this.#idle.filter((session) => !session.isCurrent);
    if (old.length === 0) return;
    this.#idle = this.#idle.filter((session) => session.isCurrent);
    for (const session of old) this.#drop(session);
  }

  #drop(session: Session): void {
    session.destroy();
    this.#count -= 1;
    this.#sessions.delete(session);
    this.#pastQuestionCount += session.questionCount;
  }

  /** Connections in use go when their work is done. Calm when called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed());
    await Promise.allSettled(this.#idle.splice(0).map((session) => session.end()));
  }

  #closed(): HoldfastError {
    return new HoldfastError('unavailable', this.#parts.words.op, 'The server is shutting down.');
  }

  #tooBusy(): HoldfastError {
    const { op, database } = this.#parts.words;
    return new HoldfastError('busy', op, `The ${database} is busy. Try again shortly.`);
  }
}
