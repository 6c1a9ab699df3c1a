import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import { RetriesSpent, ServerError } from './faults.ts';
import {
  RETRIES_AT_REST, RETRIES_FOR_MANY, RETRIES_PER_SECOND, RETRY_SHARE, RetryBudget,
} from '../retry-budget.ts';
import type { RetryRank } from '../retry-budget.ts';
import {
  BEATEN_PAUSE_MAX_MS, FAILING_MAX_MS, SLOWED_PAUSE_MAX_MS, TRIES_MAX, patiently,
} from './patience.ts';
import type { Patience } from './patience.ts';

const GONE = new ServerError({ code: 'ECONNRESET', errno: 0, message: 'gone', isLost: true });
const BEATEN = new ServerError({
  code: 'ER_LOCK_DEADLOCK', errno: 1213, message: 'beaten', isLost: false,
});
const WRONG = new ServerError({ code: 'ER_PARSE', errno: 1064, message: 'w', isLost: false });

/** Time passes only while somebody pauses, and with each try. */
class HurriedClock implements Clock {
  nowMs = 0;
  readonly pauses: number[] = [];
  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  after(delayMs: number, act: () => void): () => void {
    this.pauses.push(delayMs);
    this.nowMs += delayMs;
    setImmediate(act);
    return () => undefined;
  }
}

function patienceBy(clock: Clock, rank: RetryRank = 'many'): Patience & { clock: Clock } {
  return { clock, budget: RetryBudget.make(() => clock.monotonic()), rank };
}

async function triesOf(error: Error, tryMs = 0): Promise<{ tries: number; clock: HurriedClock }> {
  const clock = new HurriedClock();
  let tries = 0;
  await assert.rejects(patiently(patienceBy(clock), async () => {
    tries += 1;
    clock.nowMs += tryMs;
    throw error;
  }), error);
  return { tries, clock };
}

describe('Patience with a database server', () => {
  it('ends after a number of tries, with pauses that grow up to a bound', async () => {
    const { tries, clock: { pauses } } = await triesOf(GONE);
    assert.equal(tries, TRIES_MAX);
    assert.equal(pauses.length, TRIES_MAX - 1);
    for (const [at, pause] of pauses.entries()) {
      assert.ok(pause >= Math.min(25 * 2 ** at, 1_000) && pause <= 2_000, String(pauses));
    }
  });

  it('goes on without growing pauses while others come first, for as long as anybody may wait',
    async () => {
      const lost = { code: 'ELOST', errno: 0, message: 'undone at its end', isLost: true };
      for (const error of [BEATEN, new ServerError(lost, BEATEN)]) {
        const { tries, clock: { pauses, nowMs } } = await triesOf(error, 20);
        assert.ok(tries >= FAILING_MAX_MS / (BEATEN_PAUSE_MAX_MS + 20), `${tries} tries`);
        assert.ok(pauses.every((ms) => ms >= 10 && ms <= BEATEN_PAUSE_MAX_MS), String(pauses));
        assert.ok(nowMs <= FAILING_MAX_MS + BEATEN_PAUSE_MAX_MS + 20, `${nowMs} ms`);
      }
    });

  it('ends sooner when each try takes long', async () => {
    assert.equal((await triesOf(GONE, FAILING_MAX_MS + 1)).tries, 1);
    assert.equal((await triesOf(GONE, FAILING_MAX_MS * 0.6)).tries, 2);
  });

  it('has none with what does not pass', async () => {
    for (const error of [WRONG, new HoldfastError('denied', 'x', 'no'), new Error('a bug')]) {
      assert.equal((await triesOf(error)).tries, 1);
    }
  });

  it('answers what the first try that succeeds has answered', async () => {
    let tries = 0;
    const answer = await patiently(patienceBy(new HurriedClock()), async () => {
      tries += 1;
      if (tries < 3) throw GONE;
      return tries;
    });
    assert.equal(answer, 3);
  });
});

/** Many wait at once; time goes from one event to the next. */
class EventClock implements Clock {
  #nowMs = 0;
  #events: { dueMs: number; act: () => void }[] = [];
  readonly now = (): number => this.#nowMs;
  readonly monotonic = (): number => this.#nowMs;

  after(delayMs: number, act: () => void): () => void {
    const event = { dueMs: this.#nowMs + delayMs, act };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((other) => other !== event);
    };
  }

  /** Until there is nothing left to wait for. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      let [next] = this.#events;
      for (const event of this.#events) if (event.dueMs < (next?.dueMs ?? 0)) next = event;
      if (next === undefined) return;
      this.#events = this.#events.filter((other) => other !== next);
      this.#nowMs = next.dueMs;
      next.act();
    }
  }
}

const WELL = 'well';

/** A server that fails until `wellAtMs`, and what it was asked. */
class Trial {
  readonly clock = new EventClock();
  readonly budget = RetryBudget.make(this.clock.monotonic);
  readonly triedAtMs: number[] = [];
  readonly #wellAtMs: number;
  readonly #error: Error;

  constructor({ wellAtMs = Infinity, error = GONE }: { wellAtMs?: number; error?: Error } = {}) {
    this.#wellAtMs = wellAtMs;
    this.#error = error;
  }

  readonly work = (options: Omit<Partial<Patience>, 'clock'> = {}): Promise<string> =>
    patiently({ clock: this.clock, budget: this.budget, ...options }, async () => {
      this.triedAtMs.push(this.clock.now());
      if (this.clock.now() < this.#wellAtMs) throw this.#error;
      return WELL;
    });

  /** Each begins `everyMs` after the one before. */
  async each(
    count: number, everyMs: number, options: Omit<Partial<Patience>, 'clock'> = {},
  ): Promise<{ end: unknown; atMs: number }[]> {
    const works: Promise<{ end: unknown; atMs: number }>[] = [];
    for (let at = 0; at < count; at += 1) {
      this.clock.after(at * everyMs, () => {
        const ended = (end: unknown) => ({ end, atMs: this.clock.now() });
        works.push(this.work(options).then(ended, ended));
      });
    }
    await this.clock.run();
    return Promise.all(works);
  }
}

describe('The budget of retries of a whole process', () => {
  for (const [what, error, timesMin] of [['away', GONE, 4], ['beaten', BEATEN, 50]] as const) {
    it(`bounds what a server is asked that answers nothing: ${what}`, async () => {
      const [count, everyMs] = [500, 40];
      const trial = new Trial({ error });
      await trial.each(count, everyMs);
      const spanS = (trial.triedAtMs.at(-1) ?? 0) / 1_000;
      const floor = RETRIES_AT_REST + RETRIES_PER_SECOND * spanS;
      const tries = trial.triedAtMs.length;
      assert.ok(spanS >= 20 && tries > count, `${tries} tries in ${spanS} s`);
      assert.ok(tries <= (1 + RETRY_SHARE) * count + floor, `${tries} tries in ${spanS} s`);
      // What each would have had by itself.
      assert.ok(tries * timesMin < count * (error === GONE ? TRIES_MAX : 170));
      const { firstTries, retries } = trial.budget.figures;
      assert.deepEqual([firstTries, firstTries + retries], [count, tries]);
    });
  }

  it('holds nobody up in a failover of all who were at work', async () => {
    const trial = new Trial({ wellAtMs: 1 });
    const ends = await trial.each(RETRIES_AT_REST - RETRIES_FOR_MANY, 0);
    assert.ok(ends.every(({ end, atMs }) => end === WELL && atMs <= 50));
    assert.equal(trial.budget.figures.slowed, 0);
  });

  it('makes no error of a failover: whoever waits goes on soon after the server does', async () => {
    const wellAtMs = 3_000;
    const trial = new Trial({ wellAtMs });
    const ends = await trial.each(1_000, 5);
    assert.deepEqual(ends.filter(({ end }) => end !== WELL), []);
    const latestMs = Math.max(...ends.map(({ atMs }) => atMs));
    assert.ok(trial.budget.figures.slowed > 100, 'the budget was spent');
    assert.ok(latestMs <= 5_000 + 2 * SLOWED_PAUSE_MAX_MS, `the last after ${latestMs} ms`);
  });

  it('is left in part to those for whom others wait, and never keeps from asking how a commit went',
    async () => {
      const slowedOf = async (spentBy: RetryRank, rank: RetryRank): Promise<number> => {
        const trial = new Trial({ wellAtMs: 20 });
        while (trial.budget.take(spentBy));
        const [ended] = await trial.each(1, 0, { rank });
        assert.equal(ended?.end, WELL);
        return trial.budget.figures.slowed;
      };
      assert.deepEqual([await slowedOf('one', 'one'), await slowedOf('one', 'many')], [1, 0]);
      assert.deepEqual([await slowedOf('many', 'many'), await slowedOf('many', 'outcome')], [1, 0]);
    });

  it('says that it was spent when nobody can wait any longer, and not before', async () => {
    for (const [slowedMaxMs, leastMs] of [[undefined, FAILING_MAX_MS], [1_000, 1_000]] as const) {
      const trial = new Trial();
      const thief = (): void => {
        while (trial.budget.take('many'));
        if (trial.clock.now() < 2 * FAILING_MAX_MS) trial.clock.after(10, thief);
      };
      thief();
      const [ended] = await trial.each(1, 0, { ...(slowedMaxMs !== undefined && { slowedMaxMs }) });
      assert.ok(ended?.end instanceof RetriesSpent && ended.end.cause === GONE);
      const { atMs } = ended;
      assert.ok(atMs >= leastMs && atMs <= leastMs + SLOWED_PAUSE_MAX_MS, `after ${atMs} ms`);
      assert.deepEqual([trial.triedAtMs.length, trial.budget.figures.givenUp], [1, 1]);
    }
  });

  it('is not given back by what has waited for the server in vain', async () => {
    const silent = new HoldfastError('unavailable', 'x', 'does not answer');
    for (const [second, left] of [[silent, -1], [WRONG, 0]] as const) {
      const clock = new EventClock();
      const budget = RetryBudget.make(() => 0);
      while (budget.take('many'));
      for (let at = 0; at < 50; at += 1) budget.giveBack('many');
      let tries = 0;
      const work = patiently({ clock, budget, rank: 'many' }, async () => {
        tries += 1;
        throw tries === 1 ? GONE : second;
      });
      await Promise.all([assert.rejects(work, second), clock.run()]);
      let has = 0;
      while (budget.take('many')) has += 1;
      assert.deepEqual([tries, has], [2, 50 + left]);
    }
  });

  it('ends the waiting of work that nobody wants any more', async () => {
    const trial = new Trial();
    while (trial.budget.take('many'));
    const [ended] = await trial.each(1, 0, { isOver: () => true });
    assert.ok(ended?.end instanceof RetriesSpent && ended.atMs === 0);
  });
});
