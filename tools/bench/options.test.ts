import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { parseOptions } from './options.ts';

describe('the options of the bench', () => {
  it('measure all servers in three rounds unless told otherwise', () => {
    const options = parseOptions([]);
    assert.deepEqual(options.servers, ['holdfast', 'nginx', 'apache', 'rclone']);
    assert.deepEqual([options.rounds, options.secs, options.isTrace], [3, 2, true]);
    assert.deepEqual(options.only, []);
  });

  it('are shorter when quick, and still obey what is named', () => {
    assert.deepEqual(parseOptions(['--quick']).rounds, 1);
    const options = parseOptions(['--quick', '--secs', '0.5', '--repeat', '2']);
    assert.deepEqual([options.rounds, options.secs], [2, 0.5]);
  });

  it('never leave Holdfast out', () => {
    assert.deepEqual(parseOptions(['--peers', 'none']).servers, ['holdfast']);
    assert.deepEqual(parseOptions(['--peers', 'rclone, nginx']).servers,
      ['holdfast', 'nginx', 'rclone']);
  });

  it('refuse what cannot be', () => {
    assert.throws(() => parseOptions(['--peers', 'caddy']), /no peer caddy/);
    assert.throws(() => parseOptions(['--secs', '0']), /--secs/);
    assert.throws(() => parseOptions(['--repeat', 'many']), /--repeat/);
    assert.throws(() => parseOptions(['--fast']));
  });
});
