/**
 * A client that wants one change done, and is told by servers that die, stand still or refuse: it
 * asks again, at another node, until somebody says that it was done, or that an earlier attempt
 * did it.
 *
 * What was sent and not answered may be done much later, by a server that stood still. So whoever
 * calls fences each change: by a condition that its being done makes false, or by a key.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Ask } from '../support/dav-client.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Findings } from './findings.ts';
import type { SoakWorld } from './soak-world.ts';

const ASK_MS = 15_000;
/** How many of the changes are not waited for, and how long then. */
const HASTE = 0.1;
const HASTY_MS_MAX = 300;
const SLOW_MS = 40_000;
const GIVE_UP_MS = 240_000;

export type Verdict = 'done' | 'taken' | 'again' | 'lost';

export interface Settled {
  /** `earlier`: an attempt that was not answered did it. `lost`: nobody can say. */
  readonly how: 'done' | 'earlier' | 'lost';
  readonly answer: Answer | undefined;
  readonly at: number;
  /** Attempts without an answer may be done later. */
  readonly isHaunted: boolean;
}

export class Settler {
  readonly tenant: string;
  readonly findings: Findings;
  readonly random: SeededRandom;
  readonly #world: SoakWorld;
  readonly #clients;

  constructor(
    tenant: string,
    { world, findings, random }: { world: SoakWorld; findings: Findings; random: SeededRandom },
  ) {
    this.tenant = tenant;
    this.findings = findings;
    this.random = random;
    this.#world = world;
    this.#clients = world.nodes.map((_, at) => world.client(at, tenant));
  }

  get root(): string {
    return `/remote.php/dav/files/of-${this.tenant}/`;
  }

  someNode(but = -1): number {
    const others = [...this.#world.nodes.keys()].filter((at) => at !== but);
    return this.random.pick(others);
  }

  /** undefined: it was not answered. */
  async once(at: number, method: string, target: string, wanted: Ask): Promise<Answer | undefined> {
    const client = this.#clients[at];
    if (client === undefined) throw new Error(`There is no node ${at}.`);
    try {
      const answer = await client.ask(method, target, { timeoutMs: ASK_MS, ...wanted });
      this.findings.count(`answers ${answer.status} to ${method}`);
      if (answer.status === 503 && answer.headers['retry-after'] === undefined) {
        this.findings.add(`503 without Retry-After: ${method} ${target}: ${short(answer.text)}`);
      }
      if (answer.status === 401 || (answer.status >= 500 && answer.status !== 503)) {
        this.findings.add(`${answer.status} at node ${at} to ${this.tenant}: ${method} ${target}: `
          + short(answer.text));
      }
      return answer;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.findings.count(`no answer to ${method}`);
      return undefined;
    }
  }

  /** Some go away before the answer comes: what they asked for is done all the same, or not. */
  #patience(): Ask {
    if (this.random.next() > HASTE) return {};
    this.findings.count('clients that did not wait');
    return { timeoutMs: this.random.between(5, HASTY_MS_MAX) };
  }

  /** `judge` says what an answer means; whatever it does not know it calls `lost`. */
  async settle(
    method: string, target: string, wanted: Ask, judge: (answer: Answer) => Verdict,
  ): Promise<Settled> {
    const begunMs = performance.now();
    const settled = await this.#settle(method, target, wanted, judge);
    const ms = performance.now() - begunMs;
    if (ms > SLOW_MS) {
      this.findings.count('changes that took long');
      this.findings.say(`slow: ${method} ${target} of ${this.tenant} is ${settled.how} after `
        + `${Math.round(ms)} ms`);
    }
    return settled;
  }

  async #settle(
    method: string, target: string, wanted: Ask, judge: (answer: Answer) => Verdict,
  ): Promise<Settled> {
    const endMs = performance.now() + GIVE_UP_MS;
    let isHaunted = false;
    let at = this.someNode();
    for (let tries = 1; performance.now() < endMs; tries += 1) {
      const answer = await this.once(at, method, target, { ...this.#patience(), ...wanted });
      const verdict = answer === undefined || answer.status >= 500 ? 'again' : judge(answer);
      if (verdict === 'done') return { how: 'done', answer, at, isHaunted };
      if (verdict === 'taken' && isHaunted) return { how: 'earlier', answer, at, isHaunted };
      if (verdict === 'taken' || (verdict === 'lost' && answer !== undefined)) {
        if (!/idempotency-unknown/.test(answer?.text ?? '')) {
          this.findings.add(`${method} ${target} at node ${at}, try ${tries}, `
            + `haunted ${isHaunted}: ${answer?.status} ${short(answer?.text ?? '')}`);
        }
        return { how: 'lost', answer, at, isHaunted: true };
      }
      isHaunted = true;
      this.findings.count(`attempts made again after ${answer?.status ?? 'no answer'}`);
      await pause(Math.min(2_000, 100 * tries + this.random.between(0, 200)));
      at = this.someNode(at);
    }
    this.findings.add(`${method} ${target} of ${this.tenant}: no node does it, ${GIVE_UP_MS} ms`);
    return { how: 'lost', answer: undefined, at, isHaunted: true };
  }

  /** Reads until somebody answers, the node `first` first. */
  async read(
    target: string, wanted: Ask & { method?: string } = {}, first = this.someNode(),
  ): Promise<{ answer: Answer; at: number } | undefined> {
    const { method = 'GET', ...ask } = wanted;
    const endMs = performance.now() + GIVE_UP_MS;
    for (let at = first; performance.now() < endMs; at = this.someNode(at)) {
      const answer = await this.once(at, method, target, ask);
      if (answer !== undefined && answer.status < 500) return { answer, at };
      await pause(500);
    }
    this.findings.add(`${method} ${target} of ${this.tenant}: no node answers, ${GIVE_UP_MS} ms`);
    return undefined;
  }
}

export function short(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 300);
}
