/** How much verifiers have looked at on each of the last days, kept in their notes. */
import type { Clock } from '../../platform/index.ts';
import type { VerifierId } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

const KEY = 'days';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Days that are kept. */
export const TALLY_DAYS_MAX = 31;
/** What was not written down is lost with the process: so much time's worth of it. */
const WRITE_EVERY_MS = 60_000;

export interface DayFigure {
  /** 2026-11-21, in UTC. */
  day: string;
  /** In the verifier's unit. */
  checked: number;
}

/** Of one verifier, while it works. */
export class DayTally {
  readonly #store: Pick<VerifyStore, 'findNote' | 'putNote'>;
  readonly #verifier: VerifierId;
  readonly #clock: Clock;
  #sum = 0;
  #writtenAt: number;

  constructor(
    store: Pick<VerifyStore, 'findNote' | 'putNote'>, verifier: VerifierId, clock: Clock,
  ) {
    this.#store = store;
    this.#verifier = verifier;
    this.#clock = clock;
    this.#writtenAt = clock.now();
  }

  add(amount: number): void {
    this.#sum += amount;
    if (this.#clock.now() - this.#writtenAt >= WRITE_EVERY_MS) this.flush();
  }

  flush(): void {
    this.#writtenAt = this.#clock.now();
    if (this.#sum === 0) return;
    const today = dayOf(this.#writtenAt);
    const days = readDays(this.#store, this.#verifier, this.#writtenAt);
    const last = days.at(-1);
    if (last?.day === today) last.checked += this.#sum;
    else days.push({ day: today, checked: this.#sum });
    this.#store.putNote(this.#verifier, KEY, days);
    this.#sum = 0;
  }
}

/** Of the last TALLY_DAYS_MAX days, oldest first; without those on which nothing was checked. */
export function readDays(
  store: Pick<VerifyStore, 'findNote'>, verifier: VerifierId, nowMs: number,
): DayFigure[] {
  const oldest = dayOf(nowMs - (TALLY_DAYS_MAX - 1) * DAY_MS);
  const known = store.findNote(verifier, KEY) as DayFigure[] | undefined ?? [];
  return known.filter(({ day }) => day >= oldest).map((one) => ({ ...one }));
}

function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
