/** Every statement that runs on DATA/verify.db, prepared once. */
import type { Database, Statement } from 'better-sqlite3';

export interface FindingRow {
  id: number;
  verifier: string;
  kind: string;
  place: string;
  scope: string;
  facts: string;
  severity: string;
  state: string;
  first_seen: number;
  last_seen: number;
  changed: number;
  times: number;
}

export interface UnitRow {
  name: string;
  size: number;
  checked: number;
  checked_at: number | null;
  waiting_since: number | null;
  resume: string | null;
}

export interface SampleRow {
  id: string;
  address: string;
  sha256: string;
  size_bytes: number;
  written_at: number;
  step: number;
  due: number;
}

const UPDATE_FINDING = `
UPDATE finding SET last_seen = @last_seen, times = times + 1, scope = @scope, facts = @facts,
  changed = CASE state WHEN 'fixed' THEN @last_seen ELSE changed END,
  state = CASE state WHEN 'fixed' THEN 'open' ELSE state END
WHERE verifier = @verifier AND kind = @kind AND place = @place`;

const ADD_FINDING = `
INSERT INTO finding (verifier, kind, place, scope, facts, severity, state, first_seen, last_seen,
  changed, times)
VALUES (@verifier, @kind, @place, @scope, @facts, @severity, 'open', @last_seen, @last_seen,
  @last_seen, 1)`;

const LIST_FINDINGS = `
SELECT * FROM finding WHERE (@state IS NULL OR state = @state)
ORDER BY CASE state WHEN 'open' THEN 0 WHEN 'explained' THEN 1 ELSE 2 END, severity, last_seen DESC,
  id DESC LIMIT @limit`;

const SETTLE = `
UPDATE finding SET state = 'fixed', changed = @at
WHERE verifier = @verifier AND state = 'open' AND last_seen < @since
  AND (@scope IS NULL OR scope = @scope)`;

const FORGET_FIXED = `
DELETE FROM finding WHERE state = 'fixed' AND id IN (
  SELECT id FROM finding WHERE state = 'fixed' ORDER BY changed DESC LIMIT -1 OFFSET ?)`;

const PUT_UNIT = `
INSERT INTO unit (verifier, name, size, checked, checked_at, waiting_since, resume)
VALUES (@verifier, @name, @size, @checked, @checked_at, @waiting_since, @resume)
ON CONFLICT (verifier, name) DO UPDATE SET size = @size, checked = @checked,
  checked_at = @checked_at, waiting_since = @waiting_since, resume = @resume`;

const PUT_NOTE = `
INSERT INTO note (verifier, name, value) VALUES (?, ?, ?)
ON CONFLICT (verifier, name) DO UPDATE SET value = excluded.value`;

const LIST_NOTES = `
SELECT name, value FROM note
WHERE verifier = ? AND name > ? AND substr(name, 1, length(?)) = ? ORDER BY name LIMIT ?`;

const ADD_SAMPLE = `
INSERT INTO sample (id, address, sha256, size_bytes, written_at, step, due)
VALUES (@id, @address, @sha256, @size_bytes, @written_at, @step, @due)
ON CONFLICT (id) DO NOTHING`;

export function prepareVerifyStatements(database: Database) {
  const rows = <Bind extends unknown[], Row>(sql: string): Statement<Bind, Row> =>
    database.prepare<Bind, Row>(sql);
  return {
    updateFinding: rows<[Record<string, unknown>], never>(UPDATE_FINDING),
    addFinding: rows<[Record<string, unknown>], never>(ADD_FINDING),
    countOpenOfKind: rows<[string, string], number>(
      `SELECT COUNT(*) FROM finding WHERE verifier = ? AND kind = ? AND state = 'open'`,
    ).pluck(),
    settle: rows<[Record<string, unknown>], never>(SETTLE),
    forgetFixed: rows<[number], never>(FORGET_FIXED),
    listFindings: rows<[Record<string, unknown>], FindingRow>(LIST_FINDINGS),
    countFindings: rows<[], { verifier: string; kind: string; state: string; count: number }>(
      `SELECT verifier, kind, state, COUNT(*) AS count FROM finding GROUP BY verifier, kind, state`,
    ),
    setState: rows<[string, number, number], never>(
      'UPDATE finding SET state = ?, changed = ? WHERE id = ?',
    ),

    listUnits: rows<[string], UnitRow>('SELECT * FROM unit WHERE verifier = ? ORDER BY name'),
    findUnit: rows<[string, string], UnitRow>(
      'SELECT * FROM unit WHERE verifier = ? AND name = ?',
    ),
    putUnit: rows<[Record<string, unknown>], never>(PUT_UNIT),
    dropUnit: rows<[string, string], never>('DELETE FROM unit WHERE verifier = ? AND name = ?'),

    findNote: rows<[string, string], string>(
      'SELECT value FROM note WHERE verifier = ? AND name = ?',
    ).pluck(),
    putNote: rows<[string, string, string], never>(PUT_NOTE),
    dropNotes: rows<[string, string, string], never>(
      'DELETE FROM note WHERE verifier = ? AND substr(name, 1, length(?)) = ?',
    ),
    dropNote: rows<[string, string], never>('DELETE FROM note WHERE verifier = ? AND name = ?'),
    listNotes: rows<[string, string, string, string, number], { name: string; value: string }>(
      LIST_NOTES,
    ),

    addSample: rows<[SampleRow], never>(ADD_SAMPLE),
    dueSamples: rows<[number, number], SampleRow>(
      'SELECT * FROM sample WHERE due <= ? ORDER BY due, id LIMIT ?',
    ),
    moveSample: rows<[number, number, string], never>(
      'UPDATE sample SET step = ?, due = ? WHERE id = ?',
    ),
    dropSample: rows<[string], never>('DELETE FROM sample WHERE id = ?'),
    countSamples: rows<[], { count: number; oldest: number | null }>(
      'SELECT COUNT(*) AS count, MIN(due) AS oldest FROM sample',
    ),
  };
}

export type VerifyStatements = ReturnType<typeof prepareVerifyStatements>;
