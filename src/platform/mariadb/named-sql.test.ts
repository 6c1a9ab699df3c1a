import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvariantError } from '../../base/assert.ts';
import { keysOf, namedSql, valuesFor } from './named-sql.ts';

const tables = keysOf({
  t: 'a BIGINT NOT NULL, b BIGINT NULL, PRIMARY KEY (a)',
  node_past: 'a BIGINT NOT NULL, PRIMARY KEY (a)',
  node: 'id BIGINT NOT NULL, PRIMARY KEY (id)', folder: 'id BIGINT NOT NULL, PRIMARY KEY (id)',
});
const owner = { owner: 'tests', tables };

describe('A named statement', () => {
  it('takes its values by place, by number and by name, in any mixture', () => {
    const plain = namedSql('plain', 'SELECT a FROM t WHERE b = ? AND c = ?', owner);
    assert.match(plain.text,
      /^\/\*hf op=tests.plain f=[0-9a-f]{8}\*\/ SELECT a FROM t WHERE b = \? AND c = \?$/);
    assert.deepEqual(valuesFor(plain, [1, 'x']), [1, 'x']);
    const numbered = namedSql('numbered', 'SELECT a FROM t WHERE b > ?1 OR (b = ?1 AND c > ?2)',
      owner);
    assert.deepEqual(valuesFor(numbered, [5, null]), [5, 5, null]);
    const mixed = namedSql('mixed', 'SELECT a FROM t WHERE s = @space AND id IN (?, ?, @space)',
      owner);
    assert.deepEqual(valuesFor(mixed, [[7, 8], { space: 3 }]), [3, 7, 8, 3]);
  });

  it('keeps bytes as they are, and refuses to run without all its values', () => {
    const bytes = new Uint8Array([1, 2]);
    const statement = namedSql('put', 'INSERT INTO t (a, b) VALUES (?, ?)', owner);
    assert.deepEqual(valuesFor(statement, [bytes, '']), [bytes, '']);
    assert.throws(() => valuesFor(statement, [bytes]), InvariantError);
    assert.throws(() => valuesFor(statement, [bytes, undefined]), InvariantError);
  });

  it('knows which tables it touches', () => {
    const moved = namedSql('moved', `INSERT INTO node_past (a) SELECT a FROM node n
      JOIN folder f ON f.id = n.id WHERE n.id = ?`, owner);
    assert.deepEqual([...moved.tables].sort(), ['folder', 'node', 'node_past']);
  });
});
