/** ChangeHints in a table of the directory database: one statement to tell, one to read. */
import type { Clock } from '../../../clock.ts';
import { OneSession } from '../../../mariadb/index.ts';
import type { ServerAddress } from '../../../mariadb/index.ts';
import type { ChangeHints, HintPage } from '../../change-hints.ts';
import { HINTS_MAX, HINT_SQL as SQL } from './cluster-schema.ts';

const WORDS = { op: 'platform/MariadbChangeHints', database: 'directory database' };
/** Numbers are given before transactions end, so a smaller one may come later: so many numbers are
 *  read again each time. */
const OVERLAP = 256;

export class MariadbChangeHints implements ChangeHints {
  readonly #session: OneSession;
  /** Of the overlap, what was handed on already. */
  #seen = new Set<number>();

  /** Its tables must be there: see ensureClusterTables. Nothing is asked of the server yet. */
  constructor(parts: { address: ServerAddress; clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS });
  }

  async tell(spaces: readonly number[]): Promise<void> {
    for (let at = 0; at < spaces.length; at += HINTS_MAX) {
      const page = JSON.stringify(spaces.slice(at, at + HINTS_MAX));
      await this.#session.transact((ask) => ask(SQL.tellHints, page));
    }
  }

  async read(after: number | undefined): Promise<HintPage> {
    return this.#session.transact(async (ask) => {
      if (after === undefined) {
        const { rows: [[last] = [0]] } = await ask(SQL.lastHint);
        return { spaces: [], next: Number(last) };
      }
      const { rows } = await ask(SQL.readHints, after - OVERLAP);
      const fresh = (rows as [number, number][]).filter(([number]) =>
        number > after || (this.#seen.size > 0 && !this.#seen.has(number)));
      this.#seen = new Set(rows.map(([number]) => Number(number)));
      const next = Math.max(after, ...this.#seen);
      return { spaces: [...new Set(fresh.map(([, space]) => space))], next };
    });
  }

  async prune(): Promise<void> {
    await this.#session.transact(async (ask) => {
      const [[first] = []] = (await ask(SQL.firstHint)).rows as [number?][];
      const [[last] = []] = (await ask(SQL.lastOldHint)).rows as [number?][];
      if (first === undefined || last === undefined) return;
      // The rest goes the next time.
      await ask(SQL.pruneHints, first - 1, Math.min(last, first - 1 + HINTS_MAX));
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
