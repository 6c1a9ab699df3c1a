import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { formatNumber, formatReport, formatTable, jsonRows } from './report.ts';
import type { ReportInput } from './report.ts';
import type { Measurement, Outcome } from './measurement.ts';
import type { ServerName } from './servers/bench-server.ts';

function measured(value: number, extra: Partial<Measurement> = {}): Outcome {
  const median: Measurement = { value, unit: '/s', ...extra };
  return { kind: 'measured', median, all: [median] };
}

const INPUT: ReportInput = {
  items: [{ id: 'put-1k', title: 'PUT 1 KiB c32' }],
  servers: ['holdfast', 'nginx', 'apache', 'rclone'],
  results: new Map([['put-1k', new Map<ServerName, Outcome>([
    ['holdfast', measured(6000, { p50Ms: 4.56789, driverBusy: 0.95 })],
    ['nginx', measured(5000)],
    ['apache', { kind: 'missing', reason: 'not installed' }],
    ['rclone', { kind: 'failed', reason: '3 errors, first: PUT answered 500' }],
  ])]]),
  syncs: new Map<ServerName, string>([['holdfast', 'yes (5)'], ['nginx', 'no (0)']]),
};

function rowOf(server: string): string {
  return formatReport(INPUT).split('\n').find((line) => line.includes(`| ${server} `)) ?? '';
}

describe('the report', () => {
  it('shows the rate, the ratio and both verdicts', () => {
    assert.match(rowOf('holdfast'), /6000 \/s, client-bound +\| 4\.57/);
    assert.match(rowOf('holdfast'), /yes \(5\).*1 x nginx: MET.*1\.5 x nginx: MISSED/);
    assert.match(rowOf('nginx'), /5000 \/s .*no \(0\).*1\.2 x/);
  });

  it('names what is missing and what failed instead of leaving it out', () => {
    assert.match(rowOf('apache'), /missing: not installed/);
    assert.match(rowOf('rclone'), /failed: 3 errors, first: PUT answered 500/);
    assert.deepEqual(jsonRows(INPUT).map(({ server, outcome, bar }) => [server, outcome, bar]), [
      ['holdfast', 'measured', 'met'], ['nginx', 'measured', undefined],
      ['apache', 'missing', undefined], ['rclone', 'failed', undefined],
    ]);
  });

  it('says open, not met, when the peer of a bar was not measured', () => {
    const alone = new Map([['put-1k', new Map<ServerName, Outcome>([['holdfast', measured(9)]])]]);
    assert.match(formatReport({ ...INPUT, results: alone }), /1 x nginx: open/);
  });

  it('keeps three digits and never an exponent', () => {
    assert.deepEqual([0.00123456, 0.5, 12.345, 1234.5, 7_654_321].map(formatNumber),
      ['0.00123', '0.5', '12.3', '1235', '7654321']);
    assert.deepEqual([formatNumber(Number.NaN), formatNumber(undefined)], ['-', '-']);
  });

  it('has lines of one width', () => {
    const table = formatTable(['a', 'long heading'], [['wide cell', 'x'], ['y']]);
    assert.equal(new Set(table.split('\n').map(({ length }) => length)).size, 1);
  });
});
