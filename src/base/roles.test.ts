import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROLES, isAtLeast, isRole, strongerRole, weakerRole } from './roles.ts';

describe('Roles', () => {
  it('are ordered, and every pair has a stronger and a weaker one', () => {
    for (const [low, a] of ROLES.entries()) {
      for (const [high, b] of ROLES.entries()) {
        assert.equal(isAtLeast(b, a), high >= low);
        assert.equal(strongerRole(a, b), ROLES[Math.max(low, high)]);
        assert.equal(weakerRole(a, b), ROLES[Math.min(low, high)]);
      }
    }
  });

  it('are told from other words', () => {
    assert.ok(isRole('viewer'));
    assert.ok(!isRole('Viewer'));
    assert.ok(!isRole('toString'));
  });
});
