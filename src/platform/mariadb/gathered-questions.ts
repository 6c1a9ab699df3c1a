/**
 * Short questions of many callers, each of which stands alone: a statement that is a transaction of
 * its own. What is asked in one turn of the event loop goes together, many statements with one
 * round trip (see pipeline.ts); who asks the same as another that is not under way yet shares the
 * answer. Nobody is told what was asked before they came.
 */
import { HoldfastError } from '../../base/errors.ts';
import { serverFault } from './faults.ts';
import type { DatabaseWords } from './faults.ts';
import type { PipelineStep } from './pipeline.ts';
import { Session } from './session.ts';
import type { Answer, ServerAddress } from './session.ts';

const SESSIONS_MAX = 4;
/** The first of them waits for the last. */
const TOGETHER_MAX = 16;
const WAITING_MAX = 8_192;

interface Asked {
  step: PipelineStep;
  answer: PromiseWithResolvers<Answer>;
}

export class GatheredQuestions {
  readonly #address: ServerAddress;
  readonly #words: DatabaseWords;
  readonly #waiting = new Map<string, Asked>();
  #idle: Session[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #roundTripCount = 0;
  #isSoon = false;
  #isClosed = false;

  constructor(address: ServerAddress, words: DatabaseWords) {
    this.#address = address;
    this.#words = words;
  }

  /** Round trips so far. */
  get roundTripCount(): number {
    return this.#roundTripCount;
  }

  /** `key` stands for the statement and its values. @throws busy: too many wait; unavailable: it is
   *  closed; the driver's error. */
  ask(key: string, step: PipelineStep): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(this.#refusal('unavailable', 'is being closed'));
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.answer.promise;
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(this.#refusal('busy', 'is busy'));
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(key, { step, answer });
    if (!this.#isSoon && this.#underWay.size < SESSIONS_MAX) {
      this.#isSoon = true;
      setImmediate(() => {
        this.#isSoon = false;
        this.#begin();
      });
    }
    return answer.promise;
  }

  #refusal(kind: 'unavailable' | 'busy', state: string): HoldfastError {
    const { op, database } = this.#words;
    return new HoldfastError(kind, op, `The ${database} ${state}. Try again shortly.`);
  }

  #begin(): void {
    while (this.#waiting.size > 0 && this.#underWay.size < SESSIONS_MAX) {
      const together = [...this.#waiting].slice(0, TOGETHER_MAX);
      for (const [key] of together) this.#waiting.delete(key);
      const work = this.#work(together.map(([, asked]) => asked)).finally(() => {
        this.#underWay.delete(work);
        this.#begin();
      });
      this.#underWay.add(work);
    }
  }

  /** Never throws: who asked hears of it. */
  async #work(together: readonly Asked[]): Promise<void> {
    try {
      const session = await this.#take();
      this.#roundTripCount += 1;
      const answers = await session.executeEach(together.map(({ step }) => step));
      let isLost = false;
      for (const [at, { answer }] of together.entries()) {
        const settled = answers[at];
        if (settled?.status === 'fulfilled') answer.resolve(settled.value);
        else answer.reject(settled?.reason);
        isLost ||= settled?.status !== 'fulfilled'
          && serverFault(settled?.reason)?.isLost !== false;
      }
      if (isLost) session.destroy();
      else this.#idle.push(session);
    } catch (error) {
      for (const { answer } of together) answer.reject(error);
    }
  }

  async #take(): Promise<Session> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isCurrent) return idle;
      idle.destroy(); // What is saved on the node that is in use now, this one may not have yet.
    }
    return Session.open(this.#address, 'lone');
  }

  /** What is under way is answered first. Calm when called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { answer } of this.#waiting.values()) {
      answer.reject(this.#refusal('unavailable', 'is being closed'));
    }
    this.#waiting.clear();
    await Promise.allSettled(this.#underWay);
    await Promise.allSettled(this.#idle.splice(0).map((session) => session.end()));
  }
}
