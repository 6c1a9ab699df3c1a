/**
 * Failed sign-ins, counted for all servers together: so a guesser has no more tries with many
 * servers than with one.
 *
 * Each server goes on counting for itself (login-throttle.ts); that holds also while nobody can be
 * asked for the others. Beside it, while a password is computed, the common counts are read: one
 * question by key, and nothing is written. Only a wrong password is written down; and an attempt
 * that would have to wait after it is counted before it is decided: of many servers that are asked
 * in the same moment one goes on, not all. Where there were failures, a success forgives those of
 * its address for its user and is kept, so that no other server slows this address down for what
 * strangers do.
 *
 * A client with an outdated password tries it at every server; it counts once. So that this can be
 * known, sixteen bits of a keyed hash of what was wrong are kept: enough to tell, far too few to
 * find out what it was.
 */
import { createHmac } from 'node:crypto';
import type { Clock } from '../platform/index.ts';
import type { IdentityConfig, ThrottleLimits } from './config.ts';
import { TAG_DIGITS, TAGS_MAX, afterFailure, faded } from './failure-counts.ts';
import type { CountsNow, FailureCount, FailureCounts, KeptCount } from './failure-counts.ts';

/** Beyond that a server relies on what it has counted itself. */
const UNDER_WAY_MAX = 100;
const ANSWER_MS_MAX = 1_000;
const KEPT_HALF_LIVES = 12;
const KNOWN_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const TELL_AGAIN_MS = 60_000;

export const KINDS = ['pair', 'address', 'user'] as const;
export type CountKind = (typeof KINDS)[number];

export interface SharedFailuresParts {
  /** Open; `close` closes it. */
  readonly counts: FailureCounts;
  readonly clock: Clock;
  /** The same at all servers. */
  readonly key: Uint8Array;
  /** Told of what could not be counted, once a minute at most. */
  readonly onFault: (error: unknown) => void;
}

/** What somebody tries. */
export interface Guess {
  /** Whose failures are counted together, such as `password` and `code`. */
  readonly scope: string;
  readonly address: string;
  readonly user: string;
  readonly secret: string;
  readonly config: IdentityConfig;
}

export interface Admission {
  /** How long each kind has to wait; all 0: it may go on. */
  readonly waitMs: Readonly<Record<CountKind, number>>;
  /** This address is known to be this user's. */
  readonly isKnown: boolean;
}

export class SharedFailures {
  readonly #parts: SharedFailuresParts;
  readonly #underWay = new Set<Promise<unknown>>();
  #toldAtMs = -Infinity;

  constructor(parts: SharedFailuresParts) {
    this.#parts = parts;
  }

  begin(guess: Guess): SharedAttempt {
    const { key } = this.#parts;
    const named = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
    const { scope, address, user, secret } = guess;
    const whose = `${scope} ${user.length} ${user}`;
    return new SharedAttempt(this, guess, {
      pair: named(`pair ${whose} ${address}`), address: named(`address ${scope} ${address}`),
      user: named(`user ${whose}`), known: named(`known ${whose} ${address}`),
      tag: named(`tag ${whose} ${secret}`).slice(0, TAG_DIGITS),
    });
  }

  /** undefined: it could not be asked in time, so what this server has counted has to do. Never
   *  rejects. */
  async ask<T>(act: (counts: FailureCounts) => Promise<T>): Promise<T | undefined> {
    const { counts, clock } = this.#parts;
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#tell(new Error('Too many failed sign-ins at once to count them for all servers.'));
      return undefined;
    }
    const late = Promise.withResolvers<undefined>();
    const cancel = clock.after(ANSWER_MS_MAX, () => {
      this.#tell(new Error('Failed sign-ins of all servers could not be looked at in time.'));
      late.resolve(undefined);
    });
    const asked = act(counts).catch((error: unknown) => {
      this.#tell(error);
      return undefined;
    }).finally(() => {
      this.#underWay.delete(asked);
      cancel();
    });
    this.#underWay.add(asked);
    return Promise.race([asked, late.promise]);
  }

  #tell(error: unknown): void {
    const nowMs = this.#parts.clock.monotonic();
    if (nowMs - this.#toldAtMs < TELL_AGAIN_MS) return;
    this.#toldAtMs = nowMs;
    this.#parts.onFault(error);
  }

  async close(): Promise<void> {
    await Promise.all(this.#underWay);
    await this.#parts.counts.close();
  }
}

type Names = Readonly<Record<CountKind | 'known' | 'tag', string>>;

export class SharedAttempt {
  readonly #shared: SharedFailures;
  readonly #guess: Guess;
  readonly #names: Names;
  /** What it was counted as before it was decided: until when others wait for it. */
  #claimed: ReadonlyMap<string, number> | undefined;
  #hasFailures = false;
  #isKnown = false;

  constructor(shared: SharedFailures, guess: Guess, names: Names) {
    this.#shared = shared;
    this.#guess = guess;
    this.#names = names;
  }

  /** `isKnown`: this server knows the address as this user's. */
  async admit(isKnown: boolean): Promise<Admission | undefined> {
    const { pair, address, user, known } = this.#names;
    const found = await this.#shared.ask((counts) => counts.read([pair, address, user, known]));
    if (found === undefined) return undefined;
    this.#isKnown = isKnown || found.counts.has(known);
    this.#hasFailures = [pair, address, user].some((name) => found.counts.has(name));
    const admission = this.#admission(found);
    const mustClaim = this.#counted().some(([name, limits]) =>
      this.#fadedAt(found, name) + 1 > limits.freeCount);
    if (isClosed(admission) || !mustClaim) return admission;
    return await this.#claim() ?? admission;
  }

  /** Resolves when it counts, or cannot be told. */
  async failed(): Promise<void> {
    if (this.#claimed !== undefined) return;
    await this.#shared.ask((counts) => counts.update(this.#countedNames(), (now) =>
      this.#isRepeated(now) ? new Map() : this.#onceMore(now)));
  }

  succeeded(): void {
    if (!this.#hasFailures && this.#claimed === undefined) return;
    const { pair, known } = this.#names;
    const nothing = { count: 0, tags: [], keepMs: KNOWN_KEPT_MS };
    void this.#shared.ask(async (counts) => {
      await this.#takeBack(counts);
      await counts.update([pair, known], ({ nowMs }) => new Map([
        [pair, undefined], [known, { ...nothing, countedAtMs: nowMs, openAtMs: nowMs }],
      ]));
    });
  }

  abandoned(): void {
    if (this.#claimed === undefined) return;
    void this.#shared.ask((counts) => this.#takeBack(counts));
  }

  /** Counts it as failed already, if nothing has to wait. */
  async #claim(): Promise<Admission | undefined> {
    let admission: Admission | undefined;
    let claimed: ReadonlyMap<string, number> | undefined;
    await this.#shared.ask((counts) => counts.update(this.#countedNames(), (now) => {
      admission = this.#admission(now);
      claimed = undefined;
      if (isClosed(admission) || this.#isRepeated(now)) return new Map();
      const more = this.#onceMore(now);
      claimed = new Map([...more].map(([name, { openAtMs }]) => [name, openAtMs]));
      return more;
    }));
    this.#claimed = claimed;
    return admission;
  }

  async #takeBack(counts: FailureCounts): Promise<void> {
    const claimed = this.#claimed;
    if (claimed === undefined) return;
    this.#claimed = undefined;
    const { config: { throttleHalfLifeMs } } = this.#guess;
    const { tag } = this.#names;
    await counts.update([...claimed.keys()], (now) => new Map([...now.counts].map(([name, row]) => {
      const isOurs = row.openAtMs === claimed.get(name);
      return [name, {
        count: Math.max(0, this.#fadedAt(now, name) - 1), countedAtMs: now.nowMs,
        openAtMs: isOurs ? now.nowMs : row.openAtMs,
        tags: row.tags.filter((each) => each !== tag),
        keepMs: KEPT_HALF_LIVES * throttleHalfLifeMs,
      }];
    })));
  }

  #onceMore(now: CountsNow): Map<string, KeptCount> {
    const { config: { throttleHalfLifeMs } } = this.#guess;
    const { pair, tag } = this.#names;
    return new Map(this.#counted().map(([name, limits]) => {
      const row: FailureCount | undefined = now.counts.get(name);
      const { count, waitMs } = afterFailure({
        count: row?.count ?? 0, ageMs: now.nowMs - (row?.countedAtMs ?? now.nowMs),
      }, limits, throttleHalfLifeMs);
      const tags = name === pair ? [...row?.tags ?? [], tag].slice(-TAGS_MAX) : [];
      return [name, {
        count, countedAtMs: now.nowMs, tags, openAtMs: now.nowMs + waitMs,
        keepMs: waitMs + KEPT_HALF_LIVES * throttleHalfLifeMs,
      }];
    }));
  }

  #isRepeated({ counts }: CountsNow): boolean {
    const { pair, tag } = this.#names;
    return counts.get(pair)?.tags.includes(tag) === true;
  }

  #admission({ counts, nowMs }: CountsNow): Admission {
    const counted = new Set(this.#countedNames());
    const waitOf = (kind: CountKind): number => {
      const name = this.#names[kind];
      return counted.has(name) ? Math.max(0, (counts.get(name)?.openAtMs ?? 0) - nowMs) : 0;
    };
    const waitMs = { pair: waitOf('pair'), address: waitOf('address'), user: waitOf('user') };
    return { waitMs, isKnown: this.#isKnown };
  }

  #fadedAt({ counts, nowMs }: CountsNow, name: string): number {
    const row = counts.get(name);
    const { throttleHalfLifeMs } = this.#guess.config;
    return row === undefined ? 0 : faded(row.count, nowMs - row.countedAtMs, throttleHalfLifeMs);
  }

  #countedNames(): string[] {
    return this.#counted().map(([name]) => name);
  }

  /** An address that is known to be the user's is judged by its own failures alone. */
  #counted(): [string, ThrottleLimits][] {
    const { throttlePair, throttleAddress, throttleUser } = this.#guess.config;
    const { pair, address, user } = this.#names;
    const own: [string, ThrottleLimits] = [pair, throttlePair];
    if (this.#isKnown) return [own];
    return [own, [address, throttleAddress], [user, throttleUser]];
  }
}

function isClosed({ waitMs }: Admission): boolean {
  return KINDS.some((kind) => waitMs[kind] > 0);
}
