import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { describeError, openLog } from './log.ts';
import type { Logger } from './log.ts';

function memoryLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const target = { write: (line: string) => void lines.push(line) };
  return { log: openLog({ level: 'info', target }).log, lines };
}

describe('The log', () => {
  it('writes one JSON object a line, with level, time, facts and message', () => {
    const { log, lines } = memoryLog();
    log.child({ requestId: 'r1' }).warn({ spaceId: 7 }, 'slow');
    log.debug({}, 'not at this level');
    assert.equal(lines.length, 1);
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.ok(!Number.isNaN(Date.parse(String(line['time']))));
    delete line['time'];
    assert.deepEqual(line, { level: 'warn', requestId: 'r1', spaceId: 7, msg: 'slow' });
  });

  it('writes an error by kind, op, code, facts and cause, and quotes nothing foreign', () => {
    const { log, lines } = memoryLog();
    const cause = new Error("ENOENT: no such file, open '/data/secret plans.txt'");
    const options = { code: 'gone', facts: { blockCount: 3 }, cause };
    log.error({ err: new HoldfastError('corrupt', 'storage/get', 'Damaged.', options) }, 'failed');
    const { err } = JSON.parse(lines[0] ?? '') as { err: Record<string, unknown> };
    assert.deepEqual(
      [err['kind'], err['op'], err['code'], err['facts']],
      ['corrupt', 'storage/get', 'gone', { blockCount: 3 }],
    );
    assert.match(String(err['stack']), /^ +at /);
    assert.ok(!(lines[0] ?? '').includes('secret plans'));
  });

  it('masks what is handed over under the name of a secret', () => {
    const { log, lines } = memoryLog();
    log.info({ password: 'hunter2', headers: { authorization: 'Bearer hunter2' } }, 'oops');
    assert.ok(!(lines[0] ?? '').includes('hunter2'));
  });
});

it('describeError ends with causes that point at each other', () => {
  const first = new Error('first');
  first.cause = new Error('second', { cause: first });
  assert.ok(JSON.stringify(describeError(first)).length < 20_000);
});
