import type { Database } from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import { prepareTexts } from '../../../../platform/index.ts';
import { OPEN_PER_KIND_MAX, severityOf } from '../../finding.ts';
import type { Finding, FindingKind, FindingState, Report, Severity } from '../../finding.ts';
import type { VerifierId } from '../../verifier.ts';
import type {
  FindingCount, NoteOwner, SampleRecord, UnitRecord, VerifyStore,
} from '../../verify-store.ts';
import {
  explained, openVerifyDatabase, openVerifyDatabaseReadonly,
} from './open-verify-database.ts';
import { VERIFY_TEXTS } from './verify-statements.ts';
import type { FindingRow, SampleRow, UnitRow, VerifyStatements } from './verify-statements.ts';

/** Fixed findings kept as history. */
const FIXED_MAX = 1_000;

/** The verifiers' notes in one SQLite file. */
export class SqliteVerifyStore implements VerifyStore {
  /** A damaged file was put aside when this one was opened. */
  readonly wasDamaged: boolean;
  readonly #database: Database;
  readonly #sql: VerifyStatements;

  private constructor(database: Database, wasDamaged: boolean) {
    this.#database = database;
    this.#sql = prepareTexts(database, 'durability.verify', VERIFY_TEXTS);
    this.wasDamaged = wasDamaged;
  }

  /** @throws invalid: of a newer version; unavailable, full: the disk. */
  static open(file: string): SqliteVerifyStore {
    const { database, wasDamaged } = openVerifyDatabase(file);
    return new SqliteVerifyStore(database, wasDamaged);
  }

  /** On one that `openVerifyDatabase` has opened. */
  static on(database: Database): SqliteVerifyStore {
    return new SqliteVerifyStore(database, false);
  }

  /** For looking while a server may be writing; undefined when no verifier has ever run. */
  static openReadonly(file: string): SqliteVerifyStore | undefined {
    const database = openVerifyDatabaseReadonly(file);
    return database === undefined ? undefined : new SqliteVerifyStore(database, false);
  }

  report(report: Report, atMs: number): 'new' | 'again' | 'unlisted' {
    const { verifier, kind, scope, where, facts = {} } = report;
    const row = {
      verifier, kind, scope, place: where, facts: JSON.stringify(facts), last_seen: atMs,
    };
    return this.#do('report', () => {
      if (this.#sql.updateFinding.run(row).changes > 0) return 'again';
      const open = this.#sql.countOpenOfKind.get(verifier, kind) ?? 0;
      if (open >= OPEN_PER_KIND_MAX) return 'unlisted';
      this.#sql.addFinding.run({ ...row, severity: severityOf(kind) });
      return 'new';
    });
  }

  settle(
    verifier: VerifierId, settled: { scope?: string; sinceMs: number; atMs: number },
  ): number {
    const { scope, sinceMs, atMs } = settled;
    const values = { verifier, since: sinceMs, at: atMs };
    return this.#do('settle', () => {
      const { changes } = scope === undefined ? this.#sql.settle.run(values)
        : this.#sql.settleScope.run({ ...values, scope });
      if (changes > 0) this.#sql.forgetFixed.run(FIXED_MAX);
      return changes;
    });
  }

  listFindings({ state, limit }: { state?: FindingState; limit: number }): Finding[] {
    const filter = { state: state ?? null, limit };
    return this.#do('listFindings', () => this.#sql.listFindings.all(filter).map(findingOf));
  }

  countFindings(): FindingCount[] {
    return this.#do('countFindings', () => this.#sql.countFindings.all() as FindingCount[]);
  }

  setState(findingId: number, state: FindingState, atMs: number): void {
    const { changes } = this.#do('setState', () => this.#sql.setState.run(state, atMs, findingId));
    if (changes > 0) return;
    const message = 'There is no finding with this number.';
    throw new HoldfastError('not-found', 'durability/SqliteVerifyStore.setState', message);
  }

  listUnits(verifier: VerifierId): UnitRecord[] {
    return this.#do('listUnits', () => this.#sql.listUnits.all(verifier).map(unitOf));
  }

  findUnit(verifier: VerifierId, name: string): UnitRecord | undefined {
    const row = this.#do('findUnit', () => this.#sql.findUnit.get(verifier, name));
    return row === undefined ? undefined : unitOf(row);
  }

  putUnit(verifier: VerifierId, unit: UnitRecord): void {
    const { name, size, checked, checkedMs, waitingSinceMs, resume } = unit;
    this.#do('putUnit', () => this.#sql.putUnit.run({
      verifier, name, size, checked,
      checked_at: checkedMs ?? null,
      waiting_since: waitingSinceMs ?? null,
      resume: resume === undefined ? null : JSON.stringify(resume),
    }));
  }

  dropUnit(verifier: VerifierId, name: string): void {
    this.#do('dropUnit', () => this.#sql.dropUnit.run(verifier, name));
  }

  findNote(verifier: NoteOwner, key: string): unknown {
    const text = this.#do('findNote', () => this.#sql.findNote.get(verifier, key));
    return text === undefined ? undefined : JSON.parse(text);
  }

  putNote(verifier: NoteOwner, key: string, value: unknown): void {
    this.#do('putNote', () => this.#sql.putNote.run(verifier, key, JSON.stringify(value)));
  }

  dropNotes(verifier: NoteOwner, prefix: string): void {
    this.#do('dropNotes', () => this.#sql.dropNotes.run({ verifier, prefix }));
  }

  dropNote(verifier: NoteOwner, key: string): void {
    this.#do('dropNote', () => this.#sql.dropNote.run(verifier, key));
  }

  listNotes(
    verifier: NoteOwner, page: { prefix: string; after?: string; limit: number },
  ): { key: string; value: unknown }[] {
    const { prefix, after = '', limit } = page;
    const rows = this.#do('listNotes', () =>
      this.#sql.listNotes.all({ verifier, after, prefix, limit }));
    return rows.map(({ name, value }) => ({ key: name, value: JSON.parse(value) as unknown }));
  }

  addSamples(samples: readonly SampleRecord[]): void {
    this.together(() => {
      for (const { id, address, sha256, sizeBytes, writtenMs, step, dueMs } of samples) {
        const row: SampleRow = {
          id, address, sha256, size_bytes: sizeBytes, written_at: writtenMs, step, due: dueMs,
        };
        this.#sql.addSample.run(row);
      }
    });
  }

  dueSamples(atMs: number, limit: number): SampleRecord[] {
    return this.#do('dueSamples', () => this.#sql.dueSamples.all(atMs, limit).map(sampleOf));
  }

  rescheduleSample(sampleId: string, next: { step: number; dueMs: number } | undefined): void {
    this.#do('rescheduleSample', () => {
      if (next === undefined) this.#sql.dropSample.run(sampleId);
      else this.#sql.moveSample.run(next.step, next.dueMs, sampleId);
    });
  }

  countSamples(): { count: number; oldestDueMs: number | undefined } {
    const row = this.#do('countSamples', () => this.#sql.countSamples.get());
    return { count: row?.count ?? 0, oldestDueMs: row?.oldest ?? undefined };
  }

  together<T>(act: () => T): T {
    return this.#do('together', () => this.#database.transaction(act)());
  }

  close(): void {
    this.#database.close();
  }

  #do<T>(method: string, act: () => T): T {
    return explained(`durability/SqliteVerifyStore.${method}`, act);
  }
}

function findingOf(row: FindingRow): Finding {
  return {
    id: row.id,
    verifier: row.verifier as VerifierId,
    kind: row.kind as FindingKind,
    scope: row.scope,
    where: row.place,
    facts: JSON.parse(row.facts) as Finding['facts'],
    severity: row.severity as Severity,
    state: row.state as FindingState,
    firstSeenMs: row.first_seen,
    lastSeenMs: row.last_seen,
    changedMs: row.changed,
    times: row.times,
  };
}

function unitOf(row: UnitRow): UnitRecord {
  return {
    name: row.name,
    size: row.size,
    checked: row.checked,
    checkedMs: row.checked_at ?? undefined,
    waitingSinceMs: row.waiting_since ?? undefined,
    resume: row.resume === null ? undefined : (JSON.parse(row.resume) as unknown),
  };
}

function sampleOf(row: SampleRow): SampleRecord {
  return {
    id: row.id,
    address: row.address,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    writtenMs: row.written_at,
    step: row.step,
    dueMs: row.due,
  };
}
