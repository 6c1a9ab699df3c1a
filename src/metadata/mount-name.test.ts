import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NAME_BYTES_MAX, parseName } from '../base/names.ts';
import { mountName } from './mount-name.ts';

describe('The name of a mount', () => {
  it('gets a number, before the extension of a file and at the end of a folder', () => {
    assert.equal(mountName(parseName('plan.pdf'), 1, true), 'plan.pdf');
    assert.equal(mountName(parseName('plan.pdf'), 2, true), 'plan (2).pdf');
    assert.equal(mountName(parseName('v1.5'), 2, false), 'v1.5 (2)');
    assert.equal(mountName(parseName('.profile'), 3, true), '.profile (3)');
  });

  it('stays within the bytes that a name may have, and never cuts a character', () => {
    const long = parseName('\u{1F600}'.repeat(63));
    for (const [name, isFile] of [[long, false], [parseName(`${'x'.repeat(251)}.jpg`), true],
      [parseName(`a.${'y'.repeat(250)}`), true]] as const) {
      const made = mountName(name, 1_000, isFile);
      assert.ok(Buffer.byteLength(made) <= NAME_BYTES_MAX && made.isWellFormed());
      assert.ok(made.includes(' (1000)'));
    }
  });
});
