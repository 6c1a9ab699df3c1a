import assert from 'node:assert/strict';
import { it } from 'node:test';
import { numberedName } from './upload-item.ts';

it('puts the number before the ending, where there is one', () => {
  assert.equal(numberedName('a.txt', 2), 'a (2).txt');
  assert.equal(numberedName('.profile', 2), '.profile (2)');
  assert.equal(numberedName('Version 1. A very long sentence', 3),
    'Version 1. A very long sentence (3)');
});
