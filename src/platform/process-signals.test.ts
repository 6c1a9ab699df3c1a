import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, it } from 'node:test';
import { ManualClock } from './clock.ts';
import { silentLog } from './log.ts';
import { watchSignals } from './process-signals.ts';

describe('watchSignals', () => {
  let events: EventEmitter;
  let told: string[];
  let unwatch: () => void;
  let clock: ManualClock;
  beforeEach(() => {
    events = new EventEmitter();
    told = [];
    clock = new ManualClock(0);
    unwatch = watchSignals({
      log: silentLog,
      events,
      clock,
      stop: (signal) => void told.push(`stop ${signal}`),
      reload: () => void told.push('reload'),
      exit: (code) => void told.push(`exit ${code}`),
    });
  });

  it('stops gently on the first signal and leaves at once on the second', () => {
    events.emit('SIGTERM');
    clock.advance(1000);
    events.emit('SIGINT');
    assert.deepEqual(told, ['stop SIGTERM', 'exit 130']);
  });

  it('takes signals that come together as one', () => {
    events.emit('SIGINT');
    clock.advance(20);
    events.emit('SIGINT');
    assert.deepEqual(told, ['stop SIGINT']);
  });

  it('reloads on SIGHUP', () => {
    events.emit('SIGHUP');
    assert.deepEqual(told, ['reload']);
  });

  it('leaves with an error on what nobody expected', () => {
    events.emit('unhandledRejection', new Error('lost'));
    assert.deepEqual(told, ['exit 70']);
  });

  it('listens no more once it is told so', () => {
    unwatch();
    assert.deepEqual(events.eventNames(), []);
  });
});
