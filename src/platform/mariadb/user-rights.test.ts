import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rightsTooMany } from './user-rights.ts';

it('The rights of a user are compared with what serving takes', () => {
  const usage = 'GRANT USAGE ON *.* TO `hf_app`@`%` IDENTIFIED BY PASSWORD \'*0123\'';
  assert.deepEqual(rightsTooMany([
    usage, 'GRANT SELECT, INSERT, UPDATE, DELETE ON `holdfast`.* TO `hf_app`@`%`',
  ]), []);
  assert.deepEqual(rightsTooMany([
    usage, 'GRANT SELECT, INSERT (a, b), TRIGGER, DROP ON `holdfast`.* TO `hf_app`@`%`',
    'GRANT SELECT, FILE ON *.* TO `hf_app`@`%` IDENTIFIED BY PASSWORD \'*0123\'',
  ]), ['DROP on holdfast.*', 'SELECT on *.*', 'FILE on *.*']);
  assert.deepEqual(rightsTooMany([
    'GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'GRANT PROXY ON \'\'@\'%\' TO \'root\'@\'localhost\' WITH GRANT OPTION',
  ]), ['ALL PRIVILEGES on *.*', 'GRANT OPTION on *.*', 'PROXY on \'\'@\'%\'',
    'GRANT OPTION on \'\'@\'%\'']);
});
