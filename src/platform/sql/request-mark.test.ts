import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asRequest, currentRequest, isMarked, markReads } from './request-mark.ts';

it('marks changes, and reads as well once there is a server to be told', async () => {
  assert.equal(isMarked('PUT'), true);
  assert.equal(isMarked('PROPFIND'), true);
  assert.equal(isMarked('GET'), false);
  assert.equal(isMarked('HEAD'), false);
  markReads();
  assert.equal(isMarked('GET'), true);
  assert.equal(isMarked('HEAD'), true);
});

it('knows the request through all that is awaited, and none outside of it', async () => {
  const seen = await asRequest('r-1', async () => {
    await new Promise(setImmediate);
    return currentRequest();
  });
  assert.equal(seen, 'r-1');
  assert.equal(currentRequest(), undefined);
});
