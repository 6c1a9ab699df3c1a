/**
 * Begins and ends the noting of what changes of a tenant that moves. One set of triggers serves all
 * tenants of a database that move at a time; it comes with the first and goes with the last.
 *
 * A set has a name of its own, and is never made anew: `move_log` says which one counts, and the
 * same transaction that ends the last capture says that none does. Triggers are made and dropped
 * outside of transactions, so whoever slept before that, or died, may do it at any time later: it
 * drops what counts no more, and nothing of those that move tenants by then. What is left over of
 * the dead goes with the next set that ends.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { TenantId } from '../../../base/ids.ts';
import { failpoint, systemRandom } from '../../../platform/index.ts';
import { createTriggers, dropTrigger, setOfTrigger } from './capture-sql.ts';
import { LOG_ROWS_MAX, NAMED_ROWS_MAX } from './row-sql.ts';
import type { Dialect, SqlStep } from './row-sql.ts';
import type { RowDatabase } from './row-database.ts';

/** Stands in `move_log` under a name that no tenant has. */
const SET = 'triggers:';
/** A set that was begun to be used, somebody else may have ended before it was. */
const TRIES_MAX = 10;

/** One transaction, with whatever guards it. */
export type WriteSteps = (steps: readonly SqlStep[]) => Promise<unknown>;

export class Capture {
  readonly #database: RowDatabase;
  /** In this process one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: RowDatabase) {
    this.#database = database;
  }

  begin(tenant: TenantId, write: WriteSteps): Promise<void> {
    return this.#inTurn(async () => {
      for (let tried = 0; tried < TRIES_MAX; tried += 1) {
        const set = await this.#current() ?? await this.#name(write);
        if (set === undefined) continue;
        await this.#database.alter(createTriggers(this.#database.dialect, set));
        failpoint('metadata.move-captured');
        await write([captureStep(this.#database.dialect, tenant, set)]);
        // Once the tenant is captured nobody ends the set.
        if (await this.has(tenant) && await this.#current() === set) return;
      }
      throw new HoldfastError('busy', 'metadata/TenantRows.beginCapture', 'Others begin and end '
        + 'moves of tenants on this shard all the time. Try again shortly.');
    });
  }

  async has(tenant: TenantId): Promise<boolean> {
    const text = 'SELECT tenant FROM move_capture WHERE tenant = ?';
    return (await this.#database.read({ text, values: [tenant] })).length > 0;
  }

  end(tenant: TenantId, write: WriteSteps): Promise<void> {
    return this.#inTurn(async () => {
      await write([
        { text: 'DELETE FROM move_capture WHERE tenant = ?', values: [tenant] },
        {
          text: 'DELETE FROM move_log WHERE tenant = ?', values: [tenant],
          rowsMax: LOG_ROWS_MAX,
        },
        {
          text: `DELETE FROM move_log WHERE tenant = ?
            AND (SELECT COUNT(*) FROM move_capture) = 0`,
          values: [SET], rowsMax: NAMED_ROWS_MAX,
        },
      ]);
      const over = await this.#over();
      failpoint('metadata.move-uncaptured');
      if (over.length > 0) await this.#database.alter(over.map(dropTrigger));
    });
  }

  /** Triggers of sets that count no more. They are listed before it is asked which one counts: so
   *  the set of each was named before, and will not be again. */
  async #over(): Promise<string[]> {
    const names = await this.#database.triggers();
    const current = await this.#current();
    const [[count] = []] = await this.#database.read({
      text: 'SELECT COUNT(*) FROM move_capture', values: [],
    });
    return names.filter((name) => {
      const set = setOfTrigger(name);
      // Of an earlier version, which has one set: a tenant may still be on its way by it.
      if (set === 'unnamed') return count === 0;
      return set !== undefined && set !== current;
    });
  }

  async #name(write: WriteSteps): Promise<string | undefined> {
    await write([{
      text: "INSERT INTO move_log (tenant, name, row_key) VALUES (?, 'triggers', ?)",
      values: [SET, newName()],
    }]);
    return this.#current();
  }

  /** Of two that were named at once, the first. */
  async #current(): Promise<string | undefined> {
    const [[set] = []] = await this.#database.read({
      text: 'SELECT row_key FROM move_log WHERE tenant = ? ORDER BY seq LIMIT 1', values: [SET],
    });
    return set === undefined ? undefined : String(set);
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => undefined); // Who asked hears of it.
    return done;
  }
}

function captureStep(dialect: Dialect, tenant: TenantId, set: string): SqlStep {
  const words = dialect === 'sqlite' ? 'INSERT OR IGNORE' : 'INSERT IGNORE';
  return {
    text: `${words} INTO move_capture (tenant) SELECT ? FROM move_log
      WHERE tenant = ? AND row_key = ?`,
    values: [tenant, SET, set],
  };
}

/** Databases take names of triggers for the same that differ in large and small letters alone. */
function newName(): string {
  return Array.from({ length: 12 }, () => systemRandom.below(16).toString(16)).join('');
}
