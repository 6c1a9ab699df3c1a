import assert from 'node:assert/strict';
import { it } from 'node:test';
import { auditCsv } from './audit-export.ts';

it('cells are quoted where they must be, and none is taken for a formula', () => {
  const text = auditCsv([
    { seq: 1, at: '2026-11-21T00:00:00.000Z', act: 'move', user: 'ada', name: 'a, "b"\nc' },
    { seq: 2, at: '2026-11-21T00:00:01.000Z', act: 'create', user: '', name: '=HYPERLINK("x")' },
  ]);
  const [head, ...rows] = text.split('\r\n');
  assert.equal(head?.startsWith('seq,at,act,user,'), true);
  assert.equal(rows[0], '1,2026-11-21T00:00:00.000Z,move,ada,,,,,,"a, ""b""\nc",,,');
  assert.equal(rows[1], '2,2026-11-21T00:00:01.000Z,create,,,,,,,"\'=HYPERLINK(""x"")",,,');
});
