/** Leases in the directory database, judged by the server's clock. */
import type { Clock } from '../../../clock.ts';
import { OneSession } from '../../../mariadb/index.ts';
import type { ServerAddress } from '../../../mariadb/index.ts';
import type { Lease, LeaseRecord, Leases } from '../../leases.ts';
import { LEASE_SQL as SQL } from './cluster-schema.ts';

const WORDS = { op: 'platform/MariadbLeases', database: 'directory database' };

export class MariadbLeases implements Leases {
  readonly #session: OneSession;

  /** Its tables must be there: see ensureClusterTables. Nothing is asked of the server yet. */
  constructor(parts: { address: ServerAddress; clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS, isKnown: true });
  }

  take(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#session.transact(async (ask) => {
      const values = { name, holder, ttl: ttlMs };
      let { changes } = await ask(SQL.takeLease, values);
      if (changes === 0) {
        const { changes: made } = await ask(SQL.makeLease, name);
        if (made > 0) ({ changes } = await ask(SQL.takeLease, values));
      }
      if (changes === 0) return undefined;
      const { rows: [[epoch] = []] } = await ask(SQL.epochOfLease, name);
      return { name, holder, epoch: Number(epoch) };
    });
  }

  renew(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.#session.transact(async (ask) =>
      (await ask(SQL.renewLease, { ...lease, ttl: ttlMs })).changes > 0);
  }

  release(lease: Lease): Promise<void> {
    return this.#session.transact(async (ask) => {
      await ask(SQL.releaseLease, { ...lease });
    });
  }

  holds(lease: Lease): Promise<boolean> {
    return this.#session.transact(async (ask) =>
      (await ask(SQL.holdsLease, { ...lease })).rows.length > 0);
  }

  list(): Promise<LeaseRecord[]> {
    return this.#session.transact(async (ask) => {
      const rows = (await ask(SQL.listLeases)).rows as [string, string, number, number][];
      return rows.map(([name, holder, epoch, leftMs]) => ({ name, holder, epoch, leftMs }));
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
