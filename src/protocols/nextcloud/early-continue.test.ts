import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { wantsEarlyContinue } from './early-continue.ts';

const DESKTOP = 'Mozilla/5.0 (Linux) mirall/3.7.3 (Nextcloud, linux-6.18)';

function request(headers: Record<string, string>, minor = 1): IncomingMessage {
  return { headers, httpVersionMajor: 1, httpVersionMinor: minor } as unknown as IncomingMessage;
}

describe('an early 100 Continue', () => {
  it('goes to desktop clients that send a body', () => {
    assert.ok(wantsEarlyContinue(request({ 'user-agent': DESKTOP, 'content-length': '12' })));
    const chunked = { 'user-agent': DESKTOP, 'transfer-encoding': 'chunked' };
    assert.ok(wantsEarlyContinue(request(chunked)));
  });

  it('goes to nobody else', () => {
    const without = [
      request({ 'user-agent': DESKTOP }),
      request({ 'user-agent': DESKTOP, 'content-length': '0' }),
      request({ 'user-agent': DESKTOP, 'content-length': '12' }, 0),
      request({ 'user-agent': 'curl/8', 'content-length': '12' }),
      request({ 'content-length': '12' }),
    ];
    for (const req of without) assert.equal(wantsEarlyContinue(req), false);
  });
});
