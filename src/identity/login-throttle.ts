/**
 * Slows down whoever guesses passwords, without locking out whom they aim at.
 *
 * Three counts of failures, each fading with a half-life, each with free attempts and then a delay
 * that doubles: by address and user (one guesser, one victim), by address (one guesser, many
 * victims), by user (many guessers, one victim). Whoever must wait is refused before anything is
 * computed, even with the right password: else waiting would not slow down a guesser at all.
 *
 * What the obvious counting gets wrong:
 * - A sync client with an outdated password sends it again and again. So only *distinct* wrong
 *   passwords count; a repeated one teaches the sender nothing, and is not even computed again.
 * - A hundred guesses sent at once would all begin before the first has failed. So an attempt
 *   counts as failed from its beginning until it is known to be right.
 * - The counts by address or user alone would let a stranger lock people out. So they do not slow
 *   down a pair of address and user that succeeded before; neither do they concern app passwords
 *   (those cannot be guessed) nor passwords verified a moment ago.
 *
 * All of it is in memory: a restart forgives. When a table is full, its least recently touched
 * entry goes. Where several servers count together, what is in memory decides first, and then what
 * all of them have counted (shared-failures.ts).
 */
import type { Clock } from '../platform/index.ts';
import type { IdentityConfig, ThrottleLimits } from './config.ts';
import { afterFailure } from './failure-counts.ts';
import { tooManyFailures } from './identity-errors.ts';
import { KINDS } from './shared-failures.ts';
import type { CountKind, SharedAttempt, SharedFailures } from './shared-failures.ts';

/** Distinct wrong passwords remembered per address and user. */
const WRONG_KEYS_MAX = 32;

export interface Attempt {
  /** The user's rev when this very password was found wrong before; undefined: not known yet. */
  readonly wrongAtRev: number | undefined;
  /** Resolves when it may go on, as far as the other servers know: may be asked while the password
   *  is computed, and nothing may follow from that before. @throws busy, with
   *  facts.retryAfterMs. */
  admit(): Promise<void>;
  /** It was right: forgives what this address got wrong for this user. */
  succeeded(): void;
  /** It was wrong for the user as of `userRev` (0 for a user who is not there). Counts here at
   *  once; resolves when it does at the other servers, and never rejects. */
  failed(userRev: number): Promise<void>;
  /** It was not decided: takes the count back. Calm when called twice. */
  abandoned(): void;
}

interface Score {
  count: number;
  countedAtMs: number;
  openAtMs: number;
}

interface Pair extends Score {
  /** Keys of wrong passwords, with the user's rev as of then; PENDING while it is being decided. */
  wrong: Map<string, number>;
}

/** Whose failures are counted together with those of other servers. */
export interface CountedTogether {
  readonly failures: SharedFailures;
  readonly scope: string;
}

const PENDING = -1;

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #pairs = new Map<string, Pair>();
  readonly #addresses = new Map<string, Score>();
  readonly #users = new Map<string, Score>();
  /** Pairs that succeeded. */
  readonly #known = new Map<string, true>();

  readonly #together: CountedTogether | undefined;

  /** `together` is left out where there is one server. */
  constructor(clock: Clock, config: IdentityConfig, together?: CountedTogether) {
    this.#clock = clock;
    this.#config = config;
    this.#together = together;
  }

  /** Begins an attempt. `passwordKey` is a keyed hash of user and password, never the password;
   *  `secret` is what was typed, of which some bits are kept where servers count together.
   *  @throws busy, with facts.retryAfterMs. */
  begin(address: string, user: string, passwordKey: string, secret = passwordKey): Attempt {
    const name = pairName(address, user);
    const pair = this.#pairs.get(name);
    const seen = pair?.wrong.get(passwordKey);
    if (seen === undefined) return this.#beginNew(address, user, { passwordKey, secret });
    return {
      wrongAtRev: seen === PENDING ? undefined : seen,
      admit: () => Promise.resolve(), // Whoever counted it asks.
      succeeded: () => this.succeeded(address, user),
      failed: async (userRev) => {
        if (pair !== undefined) remember(pair.wrong, passwordKey, userRev);
      },
      abandoned: () => undefined, // Whoever counted it takes it back.
    };
  }

  /** Also for what needs no attempt, such as an app password. */
  succeeded(address: string, user: string): void {
    const name = pairName(address, user);
    this.#pairs.delete(name);
    this.#touch(this.#known, name, true);
  }

  #beginNew(
    address: string, user: string,
    { passwordKey, secret }: { passwordKey: string; secret: string },
  ): Attempt {
    const name = pairName(address, user);
    const pair = this.#scoreOf(this.#pairs, name, () => {
      return { ...this.#zero(), wrong: new Map<string, number>() };
    });
    const wide: [Score, ThrottleLimits][] = this.#known.has(name) ? [] : [
      [this.#scoreOf(this.#addresses, address, () => this.#zero()), this.#config.throttleAddress],
      [this.#scoreOf(this.#users, user, () => this.#zero()), this.#config.throttleUser],
    ];
    const counted: [Score, ThrottleLimits][] = [[pair, this.#config.throttlePair], ...wide];
    const waitMs = Math.max(...counted.map(([score]) => score.openAtMs - this.#clock.monotonic()));
    if (waitMs > 0) throw tooManyFailures('identity/authenticate', Math.ceil(waitMs));
    let undo = counted.map(([score, limits]) => this.#count(score, limits));
    const forget = (): void => {
      pair.wrong.delete(passwordKey);
      for (const takeBack of undo) takeBack();
      undo = [];
    };
    remember(pair.wrong, passwordKey, PENDING);
    const config = this.#config;
    const shared = this.#together?.failures.begin({
      scope: this.#together.scope, address, user, secret, config,
    });
    return {
      wrongAtRev: undefined,
      admit: async () => {
        if (shared === undefined) return;
        await this.#admit(shared, { name, forget, scores: counted.map(([score]) => score) });
      },
      succeeded: () => {
        forget();
        shared?.succeeded();
        this.succeeded(address, user);
      },
      failed: async (userRev) => {
        remember(pair.wrong, passwordKey, userRev);
        await shared?.failed();
      },
      abandoned: () => {
        forget();
        shared?.abandoned();
      },
    };
  }

  /** What the others say is kept here, too: who has to wait is refused before anything is computed
   *  the next time. */
  async #admit(
    shared: SharedAttempt,
    { name, forget, scores }: { name: string; forget: () => void; scores: readonly Score[] },
  ): Promise<void> {
    const admission = await shared.admit(this.#known.has(name));
    if (admission === undefined) return;
    const { waitMs, isKnown } = admission;
    if (isKnown) this.#touch(this.#known, name, true);
    const longestMs = Math.max(...KINDS.map((kind: CountKind) => waitMs[kind]));
    if (longestMs <= 0) return;
    forget();
    const nowMs = this.#clock.monotonic();
    for (const [at, score] of scores.entries()) {
      const kind = KINDS[at];
      if (kind !== undefined) score.openAtMs = Math.max(score.openAtMs, nowMs + waitMs[kind]);
    }
    throw tooManyFailures('identity/authenticate', Math.ceil(longestMs));
  }

  #zero(): Score {
    const nowMs = this.#clock.monotonic();
    return { count: 0, countedAtMs: nowMs, openAtMs: nowMs };
  }

  /** Counts one failure; answers what takes it back. */
  #count(score: Score, limits: ThrottleLimits): () => void {
    const nowMs = this.#clock.monotonic();
    const { count, waitMs } = afterFailure({
      count: score.count, ageMs: nowMs - score.countedAtMs,
    }, limits, this.#config.throttleHalfLifeMs);
    score.count = count;
    score.countedAtMs = nowMs;
    const openAtMs = nowMs + waitMs;
    score.openAtMs = openAtMs;
    return () => {
      score.count = Math.max(0, score.count - 1);
      if (score.openAtMs === openAtMs) score.openAtMs = nowMs;
    };
  }

  #scoreOf<S extends Score>(table: Map<string, S>, name: string, make: () => S): S {
    const score = table.get(name) ?? make();
    this.#touch(table, name, score);
    return score;
  }

  /** A Map keeps the order of insertion: inserted anew, an entry is the last to go. */
  #touch<V>(table: Map<string, V>, name: string, value: V): void {
    table.delete(name);
    table.set(name, value);
    if (table.size <= this.#config.throttleEntriesMax) return;
    for (const oldest of table.keys()) {
      table.delete(oldest);
      break;
    }
  }
}

function pairName(address: string, user: string): string {
  return `${user} ${address}`; // User names hold no space.
}

function remember(wrong: Map<string, number>, key: string, rev: number): void {
  wrong.set(key, rev);
  if (wrong.size <= WRONG_KEYS_MAX) return;
  for (const oldest of wrong.keys()) {
    wrong.delete(oldest);
    break;
  }
}
