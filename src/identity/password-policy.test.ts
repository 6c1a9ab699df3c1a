import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { parseUserId } from '../base/ids.ts';
import { checkPassword } from './password-policy.ts';

const USER = parseUserId('alexandria');

describe('checkPassword', () => {
  for (const password of ['tencharact', '    spaces    ', 'ünïcödé äö', 'x'.repeat(1024)]) {
    it(`accepts ${JSON.stringify(password.slice(0, 20))} (${password.length})`, () => {
      checkPassword(password, USER);
    });
  }

  const refused: [string, string][] = [
    ['', 'password-too-short'],
    ['ninechars', 'password-too-short'],
    ['😀'.repeat(9), 'password-too-short'],
    ['äöüäö'.normalize('NFD'), 'password-too-short'],
    ['x'.repeat(1025), 'password-too-long'],
    ['ü'.repeat(513), 'password-too-long'],
    ['alexandria', 'password-is-name'],
    ['ALEXandria', 'password-is-name'],
    ['nul inside \0', 'password-characters'],
    ['half a pair \ud800', 'password-characters'],
  ];
  for (const [password, code] of refused) {
    it(`refuses ${JSON.stringify(password.slice(0, 20))} as ${code}, without repeating it`, () => {
      assert.throws(() => checkPassword(password, USER), (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.kind, 'invalid');
        return error.code === code && (password === '' || !error.message.includes(password));
      });
    });
  }
});
