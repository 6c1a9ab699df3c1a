/** A NodeRegistry in the directory database, judged by the server's clock. */
import type { Clock } from '../../../clock.ts';
import { OneSession } from '../../../mariadb/index.ts';
import type { ServerAddress } from '../../../mariadb/index.ts';
import { nodeNameTaken } from '../../cluster-refusals.ts';
import { NODE_DEAD_MS } from '../../node-registry.ts';
import type { NodeEntry, NodeRecord, NodeRegistry } from '../../node-registry.ts';
import { NODE_SQL as SQL } from './cluster-schema.ts';

const WORDS = { op: 'platform/MariadbNodeRegistry', database: 'directory database' };

export class MariadbNodeRegistry implements NodeRegistry {
  readonly #session: OneSession;

  /** Its tables must be there: see ensureClusterTables. Nothing is asked of the server yet. */
  constructor(parts: { address: ServerAddress; clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS, isKnown: true });
  }

  enter({ name, incarnation, version, place }: NodeEntry, quietRound: number): Promise<void> {
    return this.#session.transact(async (ask) => {
      const { rows: [there] } = await ask(SQL.lockNode, name);
      const [knownPlace, silentMs] = (there ?? [place, 0]) as [string, number];
      const isAlive = silentMs < NODE_DEAD_MS;
      if (isAlive && knownPlace !== place) throw nodeNameTaken(name, knownPlace);
      await ask(SQL.enterNode, { name, incarnation, version, place, round: quietRound });
    });
  }

  beat(
    { name, incarnation }: Pick<NodeEntry, 'name' | 'incarnation'>, quietRound: number,
  ): Promise<boolean> {
    return this.#session.transact(async (ask) =>
      (await ask(SQL.beatNode, { name, incarnation, round: quietRound })).changes > 0);
  }

  leave({ name, incarnation }: Pick<NodeEntry, 'name' | 'incarnation'>): Promise<void> {
    return this.#session.transact(async (ask) => {
      await ask(SQL.removeNode, name, incarnation);
    });
  }

  list(): Promise<NodeRecord[]> {
    return this.#session.transact(async (ask) => {
      const { rows } = await ask(SQL.listNodes);
      return (rows as [string, string, string, string, number, number, number][]).map(
        ([name, incarnation, version, place, startedAtMs, silentMs, quietRound]) =>
          ({ name, incarnation, version, place, startedAtMs, silentMs, quietRound }));
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
