/** A shard that is one SQLite file. A step and its note are one transaction, so a runner that is
 *  killed leaves both or none. */
import { HoldfastError } from '../../../base/errors.ts';
import { failpoint } from '../../../platform/index.ts';
import { isDone } from '../../catalogue.ts';
import type { Catalogue } from '../../catalogue.ts';
import { stepsOf } from '../../change.ts';
import type { SchemaChange } from '../../change.ts';
import { currentVersion } from '../../row-upgrades.ts';
import type { RowUpgrades, SqlValue } from '../../row-upgrades.ts';
import type { SchemaTarget, StepNote, StepOutcome, SweptRows } from '../../schema-target.ts';
import {
  NOTES_COLUMNS, NOTES_TABLE, countOldText, listNotes, noteStep, sweepRows,
} from '../sql/shard-notes.ts';
import { readSqliteCatalogue } from './sqlite-catalogue.ts';
import { SqliteSession } from './sqlite-session.ts';

const OP = 'schema/SqliteSchemaTarget';
const HAS_NOTES = `/* holdfast:hasStepNotes */ SELECT COUNT(*) FROM sqlite_master
  WHERE type = 'table' AND name = '${NOTES_TABLE}'`;

export class SqliteSchemaTarget implements SchemaTarget {
  readonly #session: SqliteSession;

  private constructor(session: SqliteSession) {
    this.#session = session;
  }

  /** With `readonly` it describes and counts only. @throws unavailable; corrupt. */
  static async open(
    file: string, { readonly = false }: { readonly?: boolean } = {},
  ): Promise<SqliteSchemaTarget> {
    return new SqliteSchemaTarget(await SqliteSession.open(file, { create: false, readonly }));
  }

  async runStep(change: SchemaChange, step: number, nowMs: number): Promise<StepOutcome> {
    const wanted = stepsOf(change)[step];
    if (wanted === undefined) throw new HoldfastError('internal', OP, 'There is no such step.');
    if (await this.#isNoted(change.id, step)) return 'known'; // Without waiting for any writer.
    return this.#session.atomically(async () => {
      if (await this.#isNoted(change.id, step)) return 'known';
      const how = await this.#shows(wanted.effect) ? 'found' : 'made';
      if (how === 'made') {
        await this.#session.alter(wanted.sqlite);
        if (!await this.#shows(wanted.effect)) throw withoutEffect(change.id, step);
      }
      failpoint('schema.after-statement');
      await this.#ensureNotes();
      await noteStep(this.#session, { change, step, how, nowMs });
      return how;
    });
  }

  async noteSwept(change: SchemaChange, nowMs: number): Promise<void> {
    await this.#session.atomically(async () => {
      if (await this.#isNoted(change.id, 0)) return;
      await this.#ensureNotes();
      await noteStep(this.#session, { change, step: 0, how: 'made', nowMs });
    });
  }

  async #hasNotes(): Promise<boolean> {
    const [[count] = []] = await this.#session.query(HAS_NOTES);
    return Number(count) > 0;
  }

  async #ensureNotes(): Promise<void> {
    if (await this.#hasNotes()) return;
    await this.#session.alter(`CREATE TABLE ${NOTES_TABLE} (${NOTES_COLUMNS}) WITHOUT ROWID`);
  }

  async #isNoted(changeId: string, step: number): Promise<boolean> {
    const notes = await this.listNotes();
    return notes.some((note) => note.changeId === changeId && note.step === step);
  }

  async #shows(effect: Parameters<typeof isDone>[0]): Promise<boolean> {
    return isDone(effect, { catalogue: await this.readCatalogue(), engine: 'sqlite' });
  }

  async listNotes(): Promise<StepNote[]> {
    return await this.#hasNotes() ? listNotes(this.#session) : [];
  }

  async readCatalogue(): Promise<Catalogue> {
    return readSqliteCatalogue((text, values = []) => this.#session.read(text, values));
  }

  async countOld(rows: RowUpgrades): Promise<number> {
    const [[count] = []] = await this.#session.query(countOldText(rows), [currentVersion(rows)]);
    return Number(count);
  }

  sweep(
    rows: RowUpgrades, options: { limit: number; after: readonly SqlValue[] | undefined },
  ): Promise<SweptRows> {
    return sweepRows(this.#session, rows, { ...options, lock: '' });
  }

  /** A file has one writer at a time: who is busy with it makes us wait for the lock. */
  async findLoad(): Promise<string | undefined> {
    return undefined;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

export function withoutEffect(changeId: string, step: number): HoldfastError {
  const message = `Step ${step} of ${changeId} was made, and the catalogue does not show it.`;
  return new HoldfastError('internal', OP, message);
}
