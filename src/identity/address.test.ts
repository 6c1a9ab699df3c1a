import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addressGroup } from './address.ts';

const CASES: [address: string, group: string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::'],
  ['2001:DB8:1:2:ffff::1', '2001:db8:1:2::'],
  ['2001:db8::1', '2001:db8:0:0::'],
  ['2001:db8::9:9:1', '2001:db8:0:0::'],
  ['fe80::1%eth0', 'fe80:0:0:0::'],
  ['::1', '0:0:0:0::'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::'],
  ['', 'unknown'],
  ['x'.repeat(1000), 'x'.repeat(64)],
];

for (const [address, group] of CASES) {
  it(`counts failures of ${JSON.stringify(address.slice(0, 30))} under ${group}`, () => {
    assert.equal(addressGroup(address), group);
  });
}
