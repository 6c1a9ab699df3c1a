import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { BARS, describeGoal, judge } from './bars.ts';
import type { Goal } from './bars.ts';
import type { Measurement, Outcome, Results } from './measurement.ts';
import type { ServerName } from './servers/bench-server.ts';

function results(cells: readonly (readonly [string, ServerName, Measurement])[]): Results {
  const all = new Map<string, Map<ServerName, Outcome>>();
  for (const [item, server, median] of cells) {
    const row = all.get(item) ?? new Map<ServerName, Outcome>();
    all.set(item, row.set(server, { kind: 'measured', median, all: [median] }));
  }
  return all;
}

function barOf(item: string): readonly Goal[] {
  return BARS[item]?.bar ?? [];
}

describe('the bars', () => {
  it('compare rates so that the higher one wins', () => {
    const cells = (own: number): Results => results([
      ['put-4m', 'holdfast', { value: own, unit: '/s' }],
      ['put-4m', 'nginx', { value: 100, unit: '/s' }],
    ]);
    assert.equal(judge(cells(120), 'put-4m', barOf('put-4m')), 'met');
    assert.equal(judge(cells(119), 'put-4m', barOf('put-4m')), 'missed');
  });

  it('compare the listing with 15 properties with the peer that lists 5, by time', () => {
    const cells = (own: number): Results => results([
      ['list-15', 'holdfast', { value: own, unit: 'ms' }],
      ['list-5', 'holdfast', { value: 1, unit: 'ms' }],
      ['list-5', 'apache', { value: 200, unit: 'ms' }],
    ]);
    assert.equal(judge(cells(200), 'list-15', barOf('list-15')), 'met');
    assert.equal(judge(cells(201), 'list-15', barOf('list-15')), 'missed');
  });

  it('miss a time that is short but grows with the folder', () => {
    const cells = (large: number, small: number): Results => results([
      ['move-10k', 'holdfast', { value: large, unit: 'ms' }],
      ['move-100', 'holdfast', { value: small, unit: 'ms' }],
    ]);
    assert.equal(judge(cells(4, 3), 'move-10k', barOf('move-10k')), 'met');
    assert.equal(judge(cells(1.4, 0.5), 'move-10k', barOf('move-10k')), 'met');
    assert.equal(judge(cells(4, 1), 'move-10k', barOf('move-10k')), 'missed');
    assert.equal(judge(cells(6, 6), 'move-10k', barOf('move-10k')), 'missed');
  });

  it('stay open when a side was not measured in full, unless another goal is missed', () => {
    const alone = results([['put-1k', 'holdfast', { value: 9, unit: '/s' }]]);
    assert.equal(judge(alone, 'put-1k', barOf('put-1k')), 'open');
    assert.equal(judge(new Map(), 'start-empty', barOf('start-empty')), 'open');
    const short: Measurement = { value: 9, unit: 'MiB', isPartial: true };
    const partial = results([['memory-up-1g', 'holdfast', short]]);
    assert.equal(judge(partial, 'memory-up-1g', barOf('memory-up-1g')), 'open');
    const slow = results([['move-10k', 'holdfast', { value: 9, unit: 'ms' }]]);
    assert.equal(judge(slow, 'move-10k', barOf('move-10k')), 'missed');
  });

  it('are described in a few characters', () => {
    assert.deepEqual(barOf('move-10k').map(describeGoal), ['<= 5 ms', 'flat']);
    assert.deepEqual(barOf('put-4m').map(describeGoal), ['1.2 x nginx']);
  });
});
