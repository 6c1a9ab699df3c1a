/** Method: statements of each kind that must not, and that may, be sent, each written in several
 *  ways: capitals, blanks, comments, quotes, brackets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DANGEROUS, LEGAL } from './testing/statement-corpus.ts';
import { waysToWrite } from './testing/ways-to-write.ts';
import { SqlRefusal } from './sql-refusal.ts';
import { judge } from './statement-guard.ts';
import type { Judgement, StatementRules } from './statement-guard.ts';
import { tableKeys } from './table-keys.ts';

const tables = new Map([
  ['node', tableKeys(`space_id BIGINT NOT NULL, parent_id BIGINT NOT NULL,
    canon VARCHAR(512) NOT NULL, id BIGINT NOT NULL, name VARCHAR(255) NULL, size BIGINT NOT NULL,
    mark BIGINT NOT NULL, PRIMARY KEY (space_id, parent_id, canon),
    UNIQUE KEY node_by_id (space_id, id), KEY node_by_mark (mark)`)],
  ['space', tableKeys(`id BIGINT NOT NULL, tenant VARCHAR(255) NOT NULL, owner VARCHAR(255) NULL,
    rev BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE KEY space_by_owner (owner),
    KEY space_by_tenant (tenant, id)`)],
  ['folder', tableKeys(`space_id BIGINT NOT NULL, id BIGINT NOT NULL, size BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)`)],
]);
const rules: StatementRules = { tables, rowsPerKey: 100 };

function outcome(text: string): Judgement | SqlRefusal {
  try {
    return judge(text, rules);
  } catch (error) {
    if (error instanceof SqlRefusal) return error;
    throw error;
  }
}

const dangerous = DANGEROUS.flatMap((text) => waysToWrite(text));
const legal = LEGAL.flatMap((text) => waysToWrite(text));

describe('The guard of statements', () => {
  it('refuses all of 300 and more dangerous ones', () => {
    assert.ok(dangerous.length >= 300 && new Set(dangerous).size === dangerous.length);
    assert.deepEqual(dangerous.filter((text) => !(outcome(text) instanceof SqlRefusal)), []);
  });

  it('lets pass all of 300 and more legal ones', () => {
    assert.ok(legal.length >= 300 && new Set(legal).size === legal.length);
    const refused = legal.flatMap((text) => {
      const found = outcome(text);
      return found instanceof SqlRefusal ? [`${found.reason}: ${text}`] : [];
    });
    assert.deepEqual(refused, []);
  });

  it('tells how many rows a statement can touch', () => {
    const rowsOf = (text: string): number => judge(text, rules).rowsMax;
    assert.equal(rowsOf('SELECT * FROM node'), 0);
    assert.equal(rowsOf('DELETE FROM node WHERE space_id = ? AND id = ?'), 1);
    assert.equal(rowsOf('DELETE FROM node WHERE space_id = ? AND id > ?'), 100);
    assert.equal(rowsOf('DELETE FROM node WHERE space_id = ? AND id IN (?, ?, ?)'), 3);
    assert.equal(rowsOf('DELETE FROM node WHERE (space_id, id) IN ((?, ?), (?, ?))'), 2);
    assert.equal(rowsOf('DELETE FROM node WHERE space_id IN (?, ?)'), 100);
    assert.equal(rowsOf('INSERT INTO folder (id, size) VALUES (?, ?), (?, ?), (?, ?)'), 3);
    assert.equal(rowsOf('DELETE FROM node WHERE mark < ? ORDER BY mark LIMIT 7'), 7);
    const replace = 'REPLACE INTO node (space_id, id) VALUES (?, ?), (?, ?)';
    assert.equal(judge(replace, { ...rules, mayReplace: 'an older state' }).rowsMax, 6);
    assert.equal(rowsOf(`INSERT INTO folder (id, size) VALUES (?, ?)
      ON DUPLICATE KEY UPDATE size = VALUES(size)`), 2);
    assert.equal(rowsOf(`DELETE n FROM (SELECT ? AS v0, ? AS v1 UNION ALL SELECT ?, ?) v
      JOIN node n ON n.space_id = v.v0 AND n.id = v.v1`), 2);
    assert.equal(rowsOf('UPDATE space s JOIN folder f ON f.space_id = s.id AND f.id = ? '
      + 'SET s.rev = ?, f.size = ? WHERE s.id = ?'), 2);
  });

  it('wants to be told how many rows, and why a table is written whole', () => {
    const text = 'DELETE FROM node WHERE space_id = ?';
    assert.throws(() => judge(text, { tables }), { rule: 'rows' });
    assert.equal(judge(text, { tables, rowsPerKey: 5 }).rowsMax, 5);
    const whole = 'DELETE FROM space WHERE rev < ?';
    assert.throws(() => judge(whole, { tables, rowsPerKey: 5 }), { rule: 'key' });
    const why = 'there are never more than a few';
    assert.equal(judge(whole, { tables, rowsPerKey: 5, withoutKey: why }).rowsMax, 5);
    assert.throws(() => judge('DELETE FROM space', { tables, rowsPerKey: 5, withoutKey: why }),
      { rule: 'where' });
  });

  it('throws nothing but its refusal, whatever it is given', () => {
    const words = [...DANGEROUS, ...LEGAL].flatMap((text) => text.split(/(\W)/));
    const mixture = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })),
      { maxLength: 40 }).map((parts) => parts.join(' '));
    const damaged = fc.tuple(fc.constantFrom(...DANGEROUS, ...LEGAL), fc.nat(200), fc.nat(8),
      fc.string({ maxLength: 4 })).map(([text, at, length, other]) =>
      text.slice(0, at) + other + text.slice(at + length));
    fc.assert(fc.property(fc.oneof(mixture, damaged, fc.string()), (text) => {
      outcome(text);
    }), { numRuns: 3_000 });
  });

  it('is not brought down by what is nested deep, or long', () => {
    for (const text of [
      `SELECT ${'('.repeat(5_000)}1${')'.repeat(5_000)}`, `SELECT ${'NOT '.repeat(5_000)}1`,
      `SELECT ${'-'.repeat(5_000)}1`, `SELECT ${'ABS('.repeat(5_000)}1`,
      `SELECT 1 ${'UNION ALL SELECT 1 '.repeat(200_000)}`, `SELECT '${'a'.repeat(300_000)}`,
      `SELECT ${'CASE '.repeat(5_000)}`, `SELECT * FROM ${'(SELECT * FROM '.repeat(5_000)}`,
      `WITH ${'a AS (WITH '.repeat(5_000)}`,
    ]) assert.ok(outcome(text) instanceof SqlRefusal, text.slice(0, 40));
    const arms = Array.from({ length: 5_000 }, () => 'a = ?').join(' OR ');
    outcome(`SELECT a FROM node WHERE ${arms}`);
  });
});
