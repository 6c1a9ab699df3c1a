import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readTrace } from './sync-trace.ts';

describe('the sync trace', () => {
  it('counts a call once, though another thread interrupts it', () => {
    const trace = [
      '12 openat(AT_FDCWD, "/d/f1", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 9',
      '12 fdatasync(9 <unfinished ...>', '13 rename("/d/a", "/d/b") = 0',
      '12 <... fdatasync resumed>) = 0', '12 fsync(7) = 0',
    ].join('\n');
    assert.deepEqual(readTrace(trace), { syncs: 2, hasControl: true });
  });

  it('counts a file opened for synchronous writing', () => {
    assert.equal(readTrace('1 openat(AT_FDCWD, "/d/v", O_RDWR|O_DSYNC) = 3').syncs, 1);
  });

  it('has no control when no file was made', () => {
    const trace = '1 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3\n';
    assert.deepEqual(readTrace(trace), { syncs: 0, hasControl: false });
  });
});
