/**
 * One runner at a time on a database of a Galera cluster. A lock of the server (`GET_LOCK`) is
 * known to one node alone, and runners may be on several; so there a lease is held as well, in the
 * directory's database, and renewed while a statement takes its time.
 *
 * Who is killed leaves a lease that runs out, maybe before its statement has ended. Nobody
 * overtakes that: the cluster carries out statements that alter tables one after the other, in one
 * order on all nodes, and whoever looks into the catalogue waits for those that were sent before.
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

/** `act` asks whether the turn is still its own right before it changes anything.
 *  @throws busy: somebody else has the turn for too long; unavailable; as `act`. */
export async function inClusterTurn<T>(
  { openLeases, name, clock }: ClusterTurnParts, act: (check: CheckTurn) => Promise<T>,
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
    await work.start();
    check();
    return await act(check);
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
    + 'of its cluster. Try again when that has ended.');
}
