import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VerifyWorld } from './testing/verify-world.ts';
import { ageText, verifyReport, verifyReportText } from './verify-report.ts';

it('the report shows share, age and findings, and never rounds up to all', () => {
  const { store, desk, clock } = new VerifyWorld();
  const unit = { waitingSinceMs: undefined, resume: undefined };
  const now = clock.now();
  store.putUnit('disk-scrubber', {
    ...unit, name: 'a', size: 10_000_000, checked: 9_999_999, checkedMs: now - 7_300_000,
  });
  desk.report({
    verifier: 'disk-scrubber', kind: 'payload-damaged', scope: 'a', where: 'disk local, volume 3',
  });
  const report = verifyReport(store, now);
  assert.equal(report.openDamage, 1);
  const text = verifyReportText(report).join('\n');
  assert.match(text, /disk-scrubber +99\.9 % of 9\.5 MiB +2 h +- +1\n/);
  assert.match(text, /metadata-scan +never ran/);
  assert.match(text, /never been proved/);
  assert.match(text, /#1 damage: stored bytes do not fit their checksum.*\n.*disk local, volume 3/);
});

it('ages are told in the unit that fits', () => {
  const ages = [0, 59_000, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000];
  assert.deepEqual(ages.map((ageMs) => ageText(0, ageMs)),
    ['0 s', '59 s', '119 s', '2 min', '119 min', '2 h', '2 d']);
  assert.equal(ageText(undefined, 5), '-');
});
