import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lockKindOf, lockedAt, newLockToken } from './lock-token.ts';

const AT = Date.UTC(2026, 10, 21, 12);
const RANDOM = Buffer.alloc(10, 0xff);

describe('Names of locks', () => {
  it('say whose the lock is and when it was made', () => {
    for (const kind of ['token', 'person'] as const) {
      const token = newLockToken(kind, AT, RANDOM);
      assert.match(token, /^opaquelocktoken:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal(lockKindOf(token), kind);
      assert.equal(lockedAt(token), AT);
    }
  });

  it('are of programs, and of no known time, when they are of another make', () => {
    for (const token of ['t0', 'opaquelocktoken:6ba7b810-9dad-41d1-80b4-00c04fd430c8']) {
      assert.equal(lockKindOf(token), 'token');
      assert.equal(lockedAt(token), undefined);
    }
  });
});
