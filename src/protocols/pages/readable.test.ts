import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readableBytes, readableDay } from './readable.ts';

it('writes sizes with three digits at most', () => {
  const sizes: [number, string][] = [
    [0, '0 bytes'], [1, '1 byte'],
    [999, '999 bytes'], [1000, '1.0 kB'], [99_949, '99.9 kB'], [99_960, '100 kB'],
    [999_499, '999 kB'], [999_500, '1.0 MB'], [1.5e9, '1.5 GB'], [2e15, '2.0 PB'],
    [5e18, '5000 PB'],
  ];
  for (const [bytes, text] of sizes) assert.equal(readableBytes(bytes), text);
});

it('writes days by UTC', () => {
  assert.equal(readableDay(Date.UTC(2026, 10, 21, 23, 59)), '21 Nov 2026');
});
