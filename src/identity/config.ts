/** The module's slice of the configuration. Times in milliseconds, every table with its bound. */

/** Cost of argon2id. A stored password with a smaller cost is hashed anew when next used. */
export interface HashCost {
  memoryKib: number;
  passes: number;
  parallelism: number;
}

/** How failures of one kind slow down what follows. See login-throttle.ts. */
export interface ThrottleLimits {
  /** Failures that cost nothing: people mistype. */
  freeCount: number;
  /** The delay after the first failure beyond; it doubles with each further one. */
  delayMs: number;
  delayMaxMs: number;
}

export interface IdentityConfig {
  hashCost: HashCost;
  /** Each takes `memoryKib` and a thread of the pool that the file system needs as well. */
  hashesAtOnceMax: number;
  hashesWaitingMax: number;
  verifiedCountMax: number;
  /** How long a verified password is not verified again while its user stays unchanged. */
  verifiedMs: number;
  sessionIdleMs: number;
  sessionAgeMaxMs: number;
  sessionsPerUserMax: number;
  appPasswordsPerUserMax: number;
  apiTokensPerUserMax: number;
  /** A use is noted when the last noted one is this old. */
  usedNoteEveryMs: number;
  setupLinkMs: number;
  /** How long setting up a second factor may take. */
  secondFactorSetupMs: number;
  flowMs: number;
  flowCountMax: number;
  throttlePair: ThrottleLimits;
  throttleAddress: ThrottleLimits;
  throttleUser: ThrottleLimits;
  throttleHalfLifeMs: number;
  throttleEntriesMax: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_IDENTITY_CONFIG: Readonly<IdentityConfig> = {
  hashCost: { memoryKib: 19 * 1024, passes: 2, parallelism: 1 }, // OWASP's first choice.
  hashesAtOnceMax: 2,
  hashesWaitingMax: 64,
  verifiedCountMax: 10_000,
  verifiedMs: 5 * MINUTE_MS,
  sessionIdleMs: 14 * DAY_MS,
  sessionAgeMaxMs: 90 * DAY_MS,
  sessionsPerUserMax: 100,
  appPasswordsPerUserMax: 200,
  apiTokensPerUserMax: 100,
  usedNoteEveryMs: HOUR_MS,
  setupLinkMs: DAY_MS,
  secondFactorSetupMs: HOUR_MS,
  flowMs: 20 * MINUTE_MS,
  flowCountMax: 10_000,
  throttlePair: { freeCount: 5, delayMs: SECOND_MS, delayMaxMs: 15 * MINUTE_MS },
  throttleAddress: { freeCount: 50, delayMs: SECOND_MS, delayMaxMs: 5 * MINUTE_MS },
  throttleUser: { freeCount: 20, delayMs: SECOND_MS, delayMaxMs: 30 * SECOND_MS },
  throttleHalfLifeMs: HOUR_MS,
  throttleEntriesMax: 10_000,
};
