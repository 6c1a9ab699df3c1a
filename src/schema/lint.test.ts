import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Algorithm, Expand, SchemaChange, SchemaStep } from './change.ts';
import { CHANGES } from './changes.ts';
import { lint } from './lint.ts';
import { PERSON_CHANGES, PERSON_CONTRACT, PERSON_GOLDENS } from './testing/fixture-changes.ts';

const problems = (...changes: SchemaChange[]): string[] => (
  lint(changes, PERSON_GOLDENS).map(({ problem }) => problem));

function expand(mariadb: string, more: {
  effect?: SchemaStep['effect']; algorithm?: Algorithm; sqlite?: string;
} = {}): Expand {
  const { effect = { table: 'person', column: 'age' }, algorithm = 'instant' } = more;
  const { sqlite = 'ALTER TABLE person ADD COLUMN age INTEGER' } = more;
  return {
    id: 'one', kind: 'expand', family: 'metadata', minCode: '1.0.0', title: 'One', algorithm,
    isNeeded: false, steps: [{ effect, sqlite, mariadb }],
  };
}

const complains = (change: SchemaChange, pattern: RegExp): void => {
  const found = problems(change);
  assert.ok(found.some((problem) => pattern.test(problem)), `${pattern}: ${found.join('\n')}`);
};

describe('lint', () => {
  it('has nothing to say about the changes of this program, and of the fixture', () => {
    assert.deepEqual(lint(CHANGES, PERSON_GOLDENS), []);
    assert.deepEqual(problems(...PERSON_CHANGES), []);
    assert.deepEqual(problems(expand('ALTER TABLE person ADD COLUMN age INT NULL')), []);
  });

  it('refuses to take away or rename within an expand', () => {
    complains(expand('ALTER TABLE person DROP COLUMN age'), /DROP does not belong/);
    complains(expand('ALTER TABLE person RENAME COLUMN id TO age'), /RENAME does not belong/);
    assert.deepEqual(problems(...PERSON_CHANGES.slice(0, 2), PERSON_CONTRACT), []);
  });

  it('refuses a type that holds less than before, and takes one that holds more', () => {
    const effect = { table: 'person', column: 'form' };
    const sqlite = 'ALTER TABLE person ADD COLUMN form';
    const to = (type: string, column = 'form') => expand(
      `ALTER TABLE person MODIFY COLUMN ${column} ${type}`, {
        effect: { ...effect, column }, algorithm: 'copy', sqlite: sqlite.replace('form', column),
      });
    complains(to('TINYINT'), /form would shrink from smallint to tinyint/);
    complains(to('VARCHAR(10)', 'given_name'), /would shrink from varchar\(255\) to varchar\(10\)/);
    complains(to('TEXT', 'given_name'), /would shrink/);
    complains(to('INT', 'nobody'), /is not there/);
    assert.deepEqual(problems(to('BIGINT')), []);
    assert.deepEqual(problems(to('VARCHAR(300)', 'given_name')), []);
  });

  it('refuses statements that cost more than they say', () => {
    const modify = 'ALTER TABLE person MODIFY COLUMN age BIGINT';
    complains(expand(modify), /writes the table anew and is not instant: say copy/);
    complains(expand(modify, { algorithm: 'inplace' }), /is not inplace: say copy/);
    const index = 'CREATE INDEX person_by_age ON person (age)';
    const effect = { table: 'person', index: 'person_by_age' };
    complains(expand(index, { effect, sqlite: index }), /not instant: say inplace/);
    assert.deepEqual(problems(expand(index, { effect, sqlite: index, algorithm: 'inplace' })), []);
    complains(expand('ALTER TABLE person ADD COLUMN age INT, ALGORITHM = COPY'),
      /the runner itself says/);
  });

  it('refuses rows that are written by a whole statement', () => {
    const effect = { table: 'person', column: 'form' };
    for (const text of ['UPDATE person SET form = 0', 'DELETE FROM person WHERE form = 0']) {
      complains(expand(text, { effect, sqlite: text }), /by a backfill, in chunks/);
    }
  });

  it('refuses tables without a key, and texts that are compared in another way', () => {
    const effect = { table: 'pet' };
    const sqlite = 'CREATE TABLE pet (id INTEGER NOT NULL PRIMARY KEY)';
    const made = (columns: string, end = 'ENGINE = InnoDB COLLATE utf8mb4_nopad_bin') => (
      expand(`CREATE TABLE pet (${columns}) ${end}`, { effect, sqlite }));
    assert.deepEqual(problems(made('id INT NOT NULL, PRIMARY KEY (id)')), []);
    complains(made('id INT NOT NULL'), /needs a primary key/);
    complains(made('id INT NOT NULL PRIMARY KEY', 'ENGINE = InnoDB'), /names its collation/);
    complains(made('id INT NOT NULL PRIMARY KEY', 'ENGINE = MyISAM COLLATE utf8mb4_nopad_bin'),
      /names its engine/);
    complains(made('id INT NOT NULL PRIMARY KEY', 'ENGINE = InnoDB COLLATE utf8mb4_general_ci'),
      /utf8mb4_general_ci compares texts in another way/);
    complains(expand('ALTER TABLE person ADD COLUMN age TEXT COLLATE utf8mb4_bin'),
      /utf8mb4_bin compares/);
  });

  it('refuses new columns that the version before cannot leave out', () => {
    complains(expand('ALTER TABLE person ADD COLUMN age INT NOT NULL'), /needs a DEFAULT/);
    assert.deepEqual(
      problems(expand('ALTER TABLE person ADD COLUMN age INT NOT NULL DEFAULT 0')), []);
  });

  it('refuses several statements in one, and effects that are those of another statement', () => {
    complains(expand('ALTER TABLE person ADD COLUMN age INT; DROP TABLE person'), /one statement/);
    complains(expand('ALTER TABLE person ADD COLUMN size INT'),
      /names age, the statement does not/);
  });

  it('refuses changes out of order, and rows that cannot be swept', () => {
    const good = expand('ALTER TABLE person ADD COLUMN age INT NULL');
    assert.deepEqual(problems(good, good), ['this id is taken by an earlier change']);
    complains({ ...good, after: 'later' }, /later does not stand before it/);
    complains({ ...good, id: 'Not So' }, /small letters/);
    complains({ ...good, minCode: '2' }, /is a version/);
    const { after, rows, ...contract } = PERSON_CONTRACT;
    assert.ok(after !== undefined && rows !== undefined);
    complains(contract, /names the change that it ends/);
    complains({ ...PERSON_CONTRACT, rows: { ...rows, key: ['form'] } },
      /the key of person is \(id\)/);
    complains({ ...PERSON_CONTRACT, rows: { ...rows, versionColumn: 'given_name' } },
      /must be NOT NULL DEFAULT 0/);
    complains({ ...PERSON_CONTRACT, rows: { ...rows, table: 'pet' } }, /there is no table pet/);
  });
});
