import assert from 'node:assert/strict';
import { it } from 'node:test';
import { digestOf } from '../../catalogue.ts';
import { mariadbGolden } from './mariadb-golden.ts';

it('the golden catalogue of MariaDB is read from the texts that make the tables', () => {
  const [pet, ...others] = mariadbGolden({
    pet: `id BIGINT NOT NULL, name VARCHAR(12) NULL, digest BINARY(32) NOT NULL,
      seen SMALLINT NOT NULL DEFAULT 0, PRIMARY KEY (id), UNIQUE KEY pet_by_name (name, id),
      KEY pet_by_seen (seen)`,
  }, 'utf8mb4_nopad_bin');
  assert.deepEqual(others, []);
  assert.equal(pet?.traits, 'innodb dynamic utf8mb4_nopad_bin');
  assert.deepEqual(pet?.columns.map(({ name, type, isNullable, default: given, collation }) => (
    [name, type, isNullable, given, collation])), [
    ['id', 'bigint', false, null, ''], ['name', 'varchar(12)', true, null, 'utf8mb4_nopad_bin'],
    ['digest', 'binary(32)', false, null, ''], ['seen', 'smallint', false, '0', ''],
  ]);
  assert.deepEqual(pet?.indexes.map(({ name, columns, isUnique }) => [name, columns, isUnique]), [
    ['PRIMARY', ['id'], true], ['pet_by_name', ['name', 'id'], true],
    ['pet_by_seen', ['seen'], false],
  ]);
  assert.equal(digestOf([pet]).length, 64);
  assert.throws(() => mariadbGolden({ pet: 'id BIGINT NOT NULL CHECK (id > 0)' }, 'x'),
    /cannot be read: id BIGINT NOT NULL CHECK/);
});
