import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from './errors.ts';
import { canonicalName, parseName, parsePath, PATH_DEPTH_MAX } from './names.ts';

const anyName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((raw) => !/[/\0]/.test(raw) && raw !== '.' && raw !== '..')
  .filter((raw) => Buffer.byteLength(raw) <= 255);

describe('a name', () => {
  it('is kept as it came', () => {
    fc.assert(fc.property(anyName, (raw) => assert.equal(parseName(raw), raw)));
  });

  it('can be 255 bytes long, and no longer', () => {
    for (const letter of ['a', 'é', '漢', '😀']) {
      const width = Buffer.byteLength(letter);
      const longest = letter.repeat(Math.floor(255 / width)) + 'a'.repeat(255 % width);
      assert.equal(parseName(longest), longest);
      assert.throws(() => parseName(`${longest}a`), (error) => isKind(error, 'invalid'));
    }
  });

  it('is refused when it is reserved or could not be written down', () => {
    for (const bad of ['', '.', '..', 'a/b', '/', 'a\0b', '\ud800', 'x\udfffy']) {
      assert.throws(() => parseName(bad), (error) => isKind(error, 'invalid'), JSON.stringify(bad));
    }
  });

  it('cannot lie deeper than the limit', () => {
    const deepest = Array.from({ length: PATH_DEPTH_MAX }, () => 'a');
    assert.equal(parsePath(deepest).length, PATH_DEPTH_MAX);
    assert.throws(() => parsePath([...deepest, 'a']), (error) => isKind(error, 'invalid'));
  });
});

describe('a canonical name', () => {
  it('is the same for the composed and the decomposed spelling, in every space', () => {
    for (const policy of ['sensitive', 'insensitive'] as const) {
      fc.assert(fc.property(anyName, (raw) => {
        const forms = [raw, raw.normalize('NFC'), raw.normalize('NFD')];
        const canonical = new Set(forms.map((form) => canonicalName(form, policy)));
        assert.equal(canonical.size, 1);
      }));
    }
  });

  it('does not change when it is made a second time', () => {
    for (const policy of ['sensitive', 'insensitive'] as const) {
      fc.assert(fc.property(anyName, (raw) => {
        const once = canonicalName(raw, policy);
        assert.equal(canonicalName(once, policy), once);
      }), { numRuns: 500 });
    }
  });

  it('tells case apart only where the space does', () => {
    assert.notEqual(canonicalName('Readme', 'sensitive'), canonicalName('README', 'sensitive'));
    const clashing = [['Readme', 'README'], ['Straße', 'STRASSE'], ['ΣΑΣ', 'σας'], ['İ', 'i̇']];
    for (const [one = '', other = ''] of clashing) {
      assert.equal(canonicalName(one, 'insensitive'), canonicalName(other, 'insensitive'), one);
    }
  });
});
