/**
 * One runner at a time on a database of a Galera cluster. A lock of the server (`GET_LOCK`) is
 * known to one node alone, and runners may be on several; so there a lease is held as well, in the
 * directory's database, and renewed while a statement takes its time.
 *
 * Who is killed leaves a lease that runs out, maybe before its statement has ended. Nobody
 * overtakes that: the cluster carries out statements that alter tables one after the other, in one
 * order on all nodes, and whoever looks into the catalogue waits for those that were sent before.
 *
 * Who sleeps must not say its statement when it wakes and somebody else has had the turn. A
 * statement that alters a table takes no condition. So the server decides: it ends a connection
 * that says nothing for three seconds as long as the turn lasts (ServerSession). The turn is
 * trusted for two thirds of its 15 s, and that is looked at right behind an answer on the
 * connection; so what comes at all comes 13 s after the last renewal at the latest, and nobody else
 * has the turn before 15 s. The clocks of the nodes may differ by the rest. A machine that is put
 * to sleep has clocks that stand still; so the turn is taken once more when the server watches.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { LeasedWork, systemRandom } from '../../../platform/index.ts';
import type { Clock, Lease, Leases } from '../../../platform/index.ts';
import { rest } from '../../../platform/mariadb/index.ts';

export interface ClusterTurnParts {
  /** Leases that all runners share; closed when the turn is over. */
  readonly openLeases: () => Leases;
  /** The same for all who alter this database, and for no other database. */
  readonly name: string;
  readonly clock: Clock;
}

/** @throws busy: the turn is not ours any more, as nobody could renew it. */
export type CheckTurn = () => void;

const OP = 'schema/ClusterTurn';
const TTL_MS = 15_000;
const WAIT_MAX_MS = 60_000;
const LOOK_EVERY_MS = 250;
const HOLDER_BYTES = 12;

/** `act` asks whether the turn is still its own right before it changes anything. What it changes
 *  is changed over a connection that whoever sleeps within `awake` loses.
 *  @throws busy: somebody else has the turn for too long; unavailable; as `act`. */
export async function inClusterTurn<T>(
  { openLeases, name, clock }: ClusterTurnParts, awake: (act: () => Promise<T>) => Promise<T>,
  act: (check: CheckTurn) => Promise<T>,
): Promise<T> {
  const leases = openLeases();
  const holder = systemRandom.token(HOLDER_BYTES);
  const work = new LeasedWork({
    leases, clock, name, holder, ttlMs: TTL_MS,
    begin: () => Promise.resolve({ stop: () => Promise.resolve() }),
    onTrouble: () => undefined, // It is tried again; when that is in vain, the turn is not ours.
  });
  const check = (): void => {
    if (!work.isHeld) throw notOurs();
  };
  try {
    await whenFree(clock, () => leases.take(name, holder, TTL_MS));
    return await awake(async () => {
      await work.start();
      check();
      return act(check);
    });
  } finally {
    await work.stop();
    await leases.close();
  }
}

/** LeasedWork looks every few seconds; here somebody waits. */
async function whenFree(clock: Clock, take: () => Promise<Lease | undefined>): Promise<void> {
  const latest = clock.monotonic() + WAIT_MAX_MS;
  for (;;) {
    try {
      if (await take() !== undefined) return;
    } catch (error) {
      if (!isKind(error, 'busy')) throw error; // Two at two nodes have asked at the same moment.
    }
    if (clock.monotonic() > latest) throw notOurs();
    await rest(clock, LOOK_EVERY_MS);
  }
}

function notOurs(): HoldfastError {
  return new HoldfastError('busy', OP, 'Somebody else is altering this database, at another node '
    + 'of its cluster. Try again when that has ended.', { code: 'schema-locked' });
}
