/**
 * argon2id, a few at a time.
 *
 * One computation takes some 30 to 100 ms, 19 MiB, and one of the four threads that all file access
 * of the process shares. Were they not limited, a few dozen sign-ins would stop all transfers and
 * take a gigabyte. So at most `atOnceMax` run, `waitingMax` wait, and the next is refused.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';
import type { HashCost } from './config.ts';
import { encodePhc, isSoundCost, parsePhc } from './phc.ts';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What is told to a caller who found the queue full. */
const RETRY_AFTER_MS = 2000;
const OP = 'identity/PasswordHasher';

export interface PasswordHasherOptions {
  cost: HashCost;
  atOnceMax: number;
  waitingMax: number;
}

export class PasswordHasher {
  readonly #cost: HashCost;
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;
  /** Stands in for the hash of a user who is not there, so that the answer takes as long. Nobody
   *  knows a password for it: the hash is random bytes. */
  readonly #decoy: string;

  /** @throws invalid: the cost is out of range. */
  constructor({ cost, atOnceMax, waitingMax }: PasswordHasherOptions) {
    if (!isSoundCost(cost)) {
      throw new HoldfastError('invalid', OP, 'The cost of password hashes is out of range.');
    }
    this.#cost = { ...cost };
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
    this.#decoy = encodePhc({
      cost: this.#cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES),
    });
  }

  /** A new PHC string. @throws busy. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#compute(password, salt, this.#cost, HASH_BYTES);
    return encodePhc({ cost: this.#cost, salt, hash });
  }

  /** Takes as long, and answers false, when there is no hash. @throws busy; corrupt: no PHC. */
  async verify(password: string, phc: string | undefined): Promise<boolean> {
    const { cost, salt, hash } = parsePhc(phc ?? this.#decoy);
    const computed = await this.#compute(password, salt, cost, hash.length);
    return timingSafeEqual(computed, hash) && phc !== undefined;
  }

  /** True when the stored hash is cheaper to attack than one made today would be. */
  isOutdated(phc: string): boolean {
    const { cost, hash } = parsePhc(phc);
    return (
      cost.memoryKib < this.#cost.memoryKib || cost.passes < this.#cost.passes ||
      cost.parallelism < this.#cost.parallelism || hash.length < HASH_BYTES
    );
  }

  async #compute(
    password: string, salt: Buffer, cost: HashCost, hashBytes: number,
  ): Promise<Buffer> {
    await this.#enter();
    try {
      // One person types a composed letter, another machine sends it decomposed.
      return await argon2id(password.normalize('NFC'), salt, cost, hashBytes);
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#runningCount < this.#atOnceMax) {
      this.#runningCount += 1;
      return;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      const message = 'Too many people sign in at this moment. Try again in a few seconds.';
      throw new HoldfastError('busy', OP, message, {
        code: 'sign-in-queue', facts: { retryAfterMs: RETRY_AFTER_MS },
      });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever waits longest takes over the place, so the count of running ones stays. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#runningCount -= 1;
    else next();
  }
}

function argon2id(
  message: string, nonce: Buffer, cost: HashCost, tagLength: number,
): Promise<Buffer> {
  const { memoryKib: memory, passes, parallelism } = cost;
  const parameters = { message, nonce, memory, passes, parallelism, tagLength };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, hash) => {
      if (!error) return resolve(hash);
      const message = 'The password could not be hashed. Try again.';
      return reject(new HoldfastError('internal', OP, message, { cause: error }));
    });
  });
}
