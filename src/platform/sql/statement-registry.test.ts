import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fingerprintOf, normalForm } from './fingerprint.ts';
import { SqlRefusal } from './sql-refusal.ts';
import { StatementRegistry, markOf } from './statement-registry.ts';
import { tableKeys } from './table-keys.ts';

const owner = {
  owner: 'tests', tables: new Map([['t', tableKeys('a BIGINT NOT NULL, PRIMARY KEY (a)')]]),
};

describe('A fingerprint', () => {
  it('is the same for statements that differ in values, comments, blanks and capitals', () => {
    const same = [
      'SELECT a FROM t WHERE a = 5 AND b = \'x\'', 'select A from t where a=? and b = "y;"',
      '/* why */ SELECT  a\nFROM t -- and how\nWHERE a = 7.5 AND b = ?',
    ];
    assert.equal(new Set(same.map(fingerprintOf)).size, 1);
    assert.match(fingerprintOf('SELECT 1'), /^[0-9a-f]{8}$/);
    assert.notEqual(fingerprintOf('SELECT a FROM t'), fingerprintOf('SELECT b FROM t'));
  });

  it('is one for any number of values and rows of values', () => {
    assert.equal(normalForm('SELECT a FROM t WHERE a IN (1, 2, ?)'),
      normalForm('SELECT a FROM t WHERE a IN (?, ?)'));
    assert.equal(normalForm('INSERT INTO t (a, b) VALUES (1, 2), (3, 4)'),
      normalForm('INSERT INTO t (a, b) VALUES (?, ?), (?, ?), (?, ?)'));
    const rows = (count: number): string => `DELETE n FROM (SELECT ? AS v0, ? AS v1${
      ' UNION ALL SELECT ?, ?'.repeat(count)}) v JOIN t n ON n.a = v.v0`;
    assert.equal(normalForm(rows(1)), normalForm(rows(63)));
  });

  it('shows nothing of what people have written', () => {
    assert.ok(!normalForm('SELECT a FROM t WHERE b = \'secret\' /* secret */').includes('secret'));
  });
});

describe('A registry of statements', () => {
  it('finds what was entered by its text, and nothing else', () => {
    const registry = new StatementRegistry();
    const entered = registry.enter('find', 'SELECT a FROM t WHERE a = ?', owner);
    assert.deepEqual([entered.name, entered.kind, entered.rowsMax], ['tests.find', 'read', 0]);
    assert.ok(entered.text.startsWith(`/*hf op=tests.find f=${entered.fingerprint}*/ SELECT`));
    assert.equal(registry.get(entered.text), entered);
    assert.equal(registry.enter('find', 'SELECT a FROM t WHERE a = ?', owner), entered);
    assert.throws(() => registry.get('SELECT a FROM t WHERE a = ?'), { rule: 'unknown' });
    const other = new StatementRegistry();
    other.adopt(structuredClone(entered));
    assert.equal(other.get(entered.text).name, 'tests.find');
  });

  it('enters nothing that the guard refuses, and says of which statement it speaks', () => {
    const registry = new StatementRegistry();
    assert.throws(() => registry.enter('dropAll', 'DELETE FROM t WHERE 1 = 1', owner), (error) =>
      error instanceof SqlRefusal && error.rule === 'tautology'
        && error.message.includes('tests.dropAll'));
    assert.throws(() => registry.enter('a */ b', 'SELECT 1', owner), { rule: 'name' });
    assert.deepEqual([...registry], []);
  });

  it('lets no request id end the comment that it stands in', () => {
    assert.equal(markOf('tests.one', '01234567', 'a*/ DROP+3'),
      '/*hf op=tests.one f=01234567 r=aDROP+3*/');
  });
});
