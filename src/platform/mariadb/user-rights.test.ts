import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rightsMissing, rightsTooMany } from './user-rights.ts';

it('The rights of a user are compared with what serving takes', () => {
  const usage = 'GRANT USAGE ON *.* TO `hf_app`@`%` IDENTIFIED BY PASSWORD \'*0123\'';
  const tooMany = (grants: readonly string[], movesTenants = true): string[] =>
    rightsTooMany(grants, { movesTenants });
  assert.deepEqual(tooMany([
    usage, 'GRANT SELECT, INSERT, UPDATE, DELETE ON `holdfast`.* TO `hf_app`@`%`',
  ]), []);
  assert.deepEqual(tooMany([
    usage, 'GRANT SELECT, INSERT (a, b), TRIGGER, DROP ON `holdfast`.* TO `hf_app`@`%`',
    'GRANT SELECT, FILE ON *.* TO `hf_app`@`%` IDENTIFIED BY PASSWORD \'*0123\'',
  ]), ['DROP on holdfast.*', 'SELECT on *.*', 'FILE on *.*']);
  assert.deepEqual(tooMany([
    'GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'GRANT PROXY ON \'\'@\'%\' TO \'root\'@\'localhost\' WITH GRANT OPTION',
  ]), ['ALL PRIVILEGES on *.*', 'GRANT OPTION on *.*', 'PROXY on \'\'@\'%\'',
    'GRANT OPTION on \'\'@\'%\'']);
  // MySQL's rights of a kind of their own stand close together.
  assert.deepEqual(tooMany([
    'GRANT SELECT, SUPER ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'GRANT BINLOG_ADMIN,CLONE_ADMIN ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'REVOKE SELECT ON `secret`.* FROM `root`@`localhost`',
  ]), ['SELECT on *.*', 'SUPER on *.*', 'GRANT OPTION on *.*', 'BINLOG_ADMIN on *.*',
    'CLONE_ADMIN on *.*', 'GRANT OPTION on *.*']);
  const moves = 'GRANT SELECT, TRIGGER ON `holdfast`.* TO `hf_app`@`%`';
  assert.deepEqual([tooMany([moves]), tooMany([moves], false)], [[], ['TRIGGER on holdfast.*']]);
});

it('What the user of tables lacks is found in grants on its database, and on all', () => {
  const few = 'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `hold\\_fast`.* TO `d`@`%`';
  assert.deepEqual(rightsMissing([few], 'hold_fast'), ['DROP', 'INDEX', 'TRIGGER']);
  assert.deepEqual(rightsMissing([few, 'GRANT ALL PRIVILEGES ON `other`.* TO `d`@`%`',
    'GRANT DROP, INDEX, TRIGGER ON `hold%`.* TO `d`@`%`'], 'hold_fast'), []);
  assert.deepEqual(rightsMissing(['GRANT ALL PRIVILEGES ON *.* TO `d`@`%`'], 'x'), []);
  assert.equal(rightsMissing([few], 'holdXfast').length, 9);
  assert.deepEqual(rightsMissing([few, 'GRANT `keepers` TO `d`@`%`'], 'hold_fast'), []);
});
