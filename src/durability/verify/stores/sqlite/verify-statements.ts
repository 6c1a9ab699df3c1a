/** Every statement that runs on DATA/verify.db. */
import { sqliteText } from '../../../../platform/index.ts';
import type { PreparedTexts } from '../../../../platform/index.ts';

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
WHERE verifier = @verifier AND state = 'open' AND last_seen < @since`;

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

/** Of the names that begin so the largest ends in the last of all characters: by that they are
 *  found in the index, and `substr` says which they are. */
const BEGINS = `name >= @prefix AND name < @prefix || char(1114111)
  AND substr(name, 1, length(@prefix)) = @prefix`;

const LIST_NOTES = `
SELECT name, value FROM note
WHERE verifier = @verifier AND name > @after AND ${BEGINS} ORDER BY name LIMIT @limit`;

const ADD_SAMPLE = `
INSERT INTO sample (id, address, sha256, size_bytes, written_at, step, due)
VALUES (@id, @address, @sha256, @size_bytes, @written_at, @step, @due)
ON CONFLICT (id) DO NOTHING`;

/** Far more than there can be: OPEN_PER_KIND_MAX of each kind, and those that are fixed. */
const FINDINGS_MAX = 100_000;
/** Of one verifier. */
const NOTES_MAX = 1_000_000;

type Values = Record<string, unknown>;
interface Counted {
  verifier: string;
  kind: string;
  state: string;
  count: number;
}

export const VERIFY_TEXTS = {
  updateFinding: sqliteText<[Values]>(UPDATE_FINDING),
  addFinding: sqliteText<[Values]>(ADD_FINDING),
  countOpenOfKind: sqliteText<[string, string], number>(
    `SELECT COUNT(*) FROM finding WHERE verifier = ? AND kind = ? AND state = 'open'`,
    { rowAs: 'value' },
  ),
  settle: sqliteText<[Values]>(SETTLE, { rowsMax: FINDINGS_MAX }),
  settleScope: sqliteText<[Values]>(`${SETTLE} AND scope = @scope`, { rowsMax: FINDINGS_MAX }),
  forgetFixed: sqliteText<[number]>(FORGET_FIXED, { rowsMax: FINDINGS_MAX }),
  listFindings: sqliteText<[Values], FindingRow>(LIST_FINDINGS),
  countFindings: sqliteText<[], Counted>(
    `SELECT verifier, kind, state, COUNT(*) AS count FROM finding GROUP BY verifier, kind, state`,
  ),
  setState: sqliteText<[string, number, number]>(
    'UPDATE finding SET state = ?, changed = ? WHERE id = ?',
  ),

  listUnits: sqliteText<[string], UnitRow>('SELECT * FROM unit WHERE verifier = ? ORDER BY name'),
  findUnit: sqliteText<[string, string], UnitRow>(
    'SELECT * FROM unit WHERE verifier = ? AND name = ?',
  ),
  putUnit: sqliteText<[Values]>(PUT_UNIT),
  dropUnit: sqliteText<[string, string]>('DELETE FROM unit WHERE verifier = ? AND name = ?'),

  findNote: sqliteText<[string, string], string>(
    'SELECT value FROM note WHERE verifier = ? AND name = ?', { rowAs: 'value' },
  ),
  putNote: sqliteText<[string, string, string]>(PUT_NOTE),
  dropNotes: sqliteText<[Values]>(
    `DELETE FROM note WHERE verifier = @verifier AND ${BEGINS}`, { rowsMax: NOTES_MAX },
  ),
  dropNote: sqliteText<[string, string]>('DELETE FROM note WHERE verifier = ? AND name = ?'),
  listNotes: sqliteText<[Values], { name: string; value: string }>(LIST_NOTES),

  addSample: sqliteText<[SampleRow]>(ADD_SAMPLE),
  dueSamples: sqliteText<[number, number], SampleRow>(
    'SELECT * FROM sample WHERE due <= ? ORDER BY due, id LIMIT ?',
  ),
  moveSample: sqliteText<[number, number, string]>(
    'UPDATE sample SET step = ?, due = ? WHERE id = ?',
  ),
  dropSample: sqliteText<[string]>('DELETE FROM sample WHERE id = ?'),
  countSamples: sqliteText<[], { count: number; oldest: number | null }>(
    'SELECT COUNT(*) AS count, MIN(due) AS oldest FROM sample',
  ),
};

export type VerifyStatements = PreparedTexts<typeof VERIFY_TEXTS>;
