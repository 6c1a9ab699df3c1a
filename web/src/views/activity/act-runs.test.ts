import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Act } from '../../../../src/wire/client.ts';
import { daysOf } from './act-runs.ts';

let lastId = 0;
function act(change: Act['change'], path: string, at: string, by = 'ada'): Act {
  lastId += 1;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { id: String(lastId), change, path, name, at, by, kind: 'file' };
}

const shown = (acts: Act[]): string[][] => daysOf(acts).map(({ runs }) => {
  return runs.map(({ act: { by, change }, count, folder }) => `${by} ${change} ${count} ${folder}`);
});

describe('What happened, told', () => {
  it('is one sentence for alike acts in a row, and one heading for each day', () => {
    assert.deepEqual(shown([
      act('added', '/Photos/3', '2026-11-21T12:02:00'),
      act('added', '/Photos/2', '2026-11-21T12:01:00'),
      act('added', '/Photos/1', '2026-11-21T12:00:00'),
      act('deleted', '/Photos/0', '2026-11-21T11:59:00'),
      act('added', '/Photos/9', '2026-11-21T11:58:00'),
      act('added', '/Photos/8', '2026-11-21T11:57:00', 'ben'),
      act('added', '/8', '2026-11-21T11:56:00', 'ben'),
      act('added', '/7', '2026-11-21T09:00:00', 'ben'),
      act('added', '/6', '2026-11-20T23:59:00', 'ben'),
    ]), [
      [
        'ada added 3 /Photos', 'ada deleted 1 /Photos', 'ada added 1 /Photos',
        'ben added 1 /Photos', 'ben added 1 /', 'ben added 1 /',
      ],
      ['ben added 1 /'],
    ]);
  });

  it('counts a file once, and does not tell that one was changed while it came', () => {
    assert.deepEqual(shown([
      act('changed', '/b', '2026-11-21T12:30:00'), act('changed', '/b', '2026-11-21T12:29:00'),
      act('changed', '/a', '2026-11-21T12:05:00'), act('added', '/a', '2026-11-21T12:04:00'),
    ]), [['ada changed 1 /', 'ada added 1 /']]);
  });
});
