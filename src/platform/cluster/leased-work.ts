/**
 * Work that one node of several does: it goes on while this node has the lease, and ends in good
 * time when the lease cannot be renewed.
 *
 * A lease is renewed long before it runs out. After two thirds of its time without a renewal, by a
 * clock that never jumps and counted from when the last successful one was sent, the work is told
 * to end: the last third is what it has for that. A process that was stopped as a whole cannot
 * keep this promise, so what must never be done twice asks `Leases.holds` right before.
 */
import type { Clock } from '../clock.ts';
import type { Lease, Leases } from './leases.ts';

const RENEWALS_PER_TTL = 5;
const TRUSTED_SHARE = 2 / 3;

export interface LeasedWorkOptions {
  leases: Leases;
  clock: Clock;
  name: string;
  /** This node. */
  holder: string;
  ttlMs: number;
  /** Begins the work; what it answers ends it, and resolves when nothing goes on any more. */
  begin: (lease: Lease) => Promise<{ stop: () => Promise<void> }>;
  /** It is tried again by itself. */
  onTrouble: (error: unknown) => void;
}

export class LeasedWork {
  readonly #options: LeasedWorkOptions;
  #lease: Lease | undefined;
  #trustedUntilMs = 0;
  #work: { stop: () => Promise<void> } | undefined;
  #cancelTick = (): void => undefined;
  #cancelDeadline = (): void => undefined;
  /** Beginning and ending come one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #ticking: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: LeasedWorkOptions) {
    this.#options = options;
  }

  /** Whether this node has the lease, as far as may be trusted without asking. */
  get isHeld(): boolean {
    return this.lease !== undefined;
  }

  get lease(): Lease | undefined {
    return this.#options.clock.monotonic() < this.#trustedUntilMs ? this.#lease : undefined;
  }

  /** Tries at once, and from then on again and again. Resolves after the first try. */
  async start(): Promise<void> {
    await this.#tick();
  }

  /** Ends the work and gives the lease back, so that another node begins at once. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    await this.#ticking;
    const lease = this.#lease;
    await this.#end();
    if (lease === undefined) return;
    try {
      await this.#options.leases.release(lease);
    } catch (error) {
      this.#options.onTrouble(error); // It runs out by itself.
    }
  }

  #tick(): Promise<void> {
    this.#ticking ??= this.#look().catch(this.#options.onTrouble).finally(() => {
      this.#ticking = undefined;
      const { clock, ttlMs } = this.#options;
      if (this.#isStopped) return;
      this.#cancelTick = clock.after(ttlMs / RENEWALS_PER_TTL, () => void this.#tick());
    });
    return this.#ticking;
  }

  async #look(): Promise<void> {
    const { leases, clock, name, holder, ttlMs } = this.#options;
    const sentMs = clock.monotonic();
    if (this.#lease !== undefined) {
      if (await leases.renew(this.#lease, ttlMs)) this.#trust(sentMs);
      else await this.#end();
      return;
    }
    await this.#changing; // What went on under the lease before has ended.
    const lease = await leases.take(name, holder, ttlMs);
    if (lease === undefined) return;
    this.#lease = lease;
    this.#trust(sentMs);
    await this.#inTurn(async () => {
      if (this.#lease !== lease || this.#isStopped) return;
      this.#work = await this.#options.begin(lease);
    }).catch(async (error: unknown) => {
      this.#forget();
      await leases.release(lease);
      throw error;
    });
  }

  #trust(sentMs: number): void {
    const { clock, ttlMs } = this.#options;
    this.#trustedUntilMs = sentMs + ttlMs * TRUSTED_SHARE;
    this.#cancelDeadline();
    const leftMs = Math.max(0, this.#trustedUntilMs - clock.monotonic());
    this.#cancelDeadline = clock.after(leftMs, () => {
      this.#end().catch(this.#options.onTrouble);
    });
  }

  #forget(): void {
    this.#lease = undefined;
    this.#trustedUntilMs = 0;
    this.#cancelDeadline();
  }

  #end(): Promise<void> {
    this.#forget();
    return this.#inTurn(async () => {
      const work = this.#work;
      this.#work = undefined;
      await work?.stop();
    });
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(act);
    this.#changing = done.catch(() => undefined); // Who asked hears of it.
    return done;
  }
}
