/**
 * Makes the first step of the fixture's expand on a shard, and stands still on the way until it is
 * woken (SIGCONT): right before its statement, or right after the turn was taken. Its clock stands
 * still meanwhile, as that of a machine does that is put to sleep. Prints how it ended: the
 * outcome, or the kind of the refusal.
 *
 * Its argument is the shard's address, the directory's, the name of the turn and the place where it
 * stands still, as JSON.
 */
import { HoldfastError } from '../../src/base/errors.ts';
import { MariadbLeases } from '../../src/platform/cluster/stores/mariadb/mariadb-leases.ts';
import { armFailpoint, systemClock } from '../../src/platform/index.ts';
import type { Clock, Lease } from '../../src/platform/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import {
  MariadbSchemaTarget,
} from '../../src/schema/stores/mariadb/mariadb-schema-target.ts';
import { PERSON_EXPAND } from '../../src/schema/testing/index.ts';

const LOOK_MS = 100;
/** Whoever was not awake for so long has slept. */
const SLEPT_MS = 2_000;

const { address, directory, name, place } = JSON.parse(process.argv[2] ?? '') as {
  address: ServerAddress; directory: ServerAddress; name: string; place: 'statement' | 'turn';
};

let seenMs = systemClock.monotonic();
let sleptMs = 0;
function monotonic(): number {
  const nowMs = systemClock.monotonic();
  if (nowMs - seenMs > SLEPT_MS) sleptMs += nowMs - seenMs;
  seenMs = nowMs;
  return nowMs - sleptMs;
}
setInterval(monotonic, LOOK_MS);
const clock: Clock = {
  now: () => systemClock.now(), monotonic, after: (ms, act) => systemClock.after(ms, act),
};

class StoppingLeases extends MariadbLeases {
  #takenCount = 0;

  override async take(...args: Parameters<MariadbLeases['take']>): Promise<Lease | undefined> {
    const lease = await super.take(...args);
    if (lease !== undefined) this.#takenCount += 1;
    // First it is waited for, then taken to be kept.
    if (place === 'turn' && this.#takenCount === 2) process.kill(process.pid, 'SIGSTOP');
    return lease;
  }
}

const target = await MariadbSchemaTarget.open(address, {
  name, clock, openLeases: () => new StoppingLeases({ address: directory, clock }),
});
// The first makes the table of notes.
if (place === 'statement') armFailpoint('schema.before-statement:2:stop');
const ended = await target.runStep(PERSON_EXPAND, 0, 1).catch((error: unknown) => {
  if (error instanceof HoldfastError) return `${error.kind} ${error.message}`;
  return `failed ${String(error)}`;
});
process.stdout.write(`ended ${ended}\n`);
process.exit(0);
