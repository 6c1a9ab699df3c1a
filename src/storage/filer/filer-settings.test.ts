import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filerRoots, filerSlice, KEEP_TRASH_MS } from './filer-settings.ts';

const DEFAULTS = {
  clusterKeyPath: undefined, filerListen: { host: '127.0.0.1', port: 0 }, filerDisks: [],
  filerAdoptsEmpty: false, filerKeepTrashSeconds: filerSlice.settings.filerKeepTrashSeconds.default,
  filerUnencrypted: false, filerCaPath: undefined,
};

describe('the disks of a filer', () => {
  it('let go of an emptied volume when they are asked to, after fourteen days', () => {
    assert.equal(KEEP_TRASH_MS, 14 * 24 * 60 * 60 * 1000);
    const named = filerRoots({ ...DEFAULTS, filerDisks: ['/one', '/two'] }, '/data');
    const own = filerRoots(DEFAULTS, '/data');
    assert.deepEqual(named.map(({ path }) => path), ['/one', '/two']);
    assert.deepEqual(own.map(({ path }) => path), ['/data/disk']);
    for (const { eraseTrashAfterMs } of [...named, ...own]) {
      assert.equal(eraseTrashAfterMs, KEEP_TRASH_MS);
    }
  });

  it('may be told to keep it longer, and never shorter', () => {
    const { parse } = filerSlice.settings.filerKeepTrashSeconds;
    assert.throws(() => parse('13d'));
    assert.equal(parse('30d'), 30 * 24 * 60 * 60);
  });
});
