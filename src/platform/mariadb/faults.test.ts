/** Fed with what servers have answered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import {
  RetriesSpent, explainedFault, isPassing, isOutcomeUnknown, serverFault, toFault,
} from './faults.ts';
import type { ServerFault } from './faults.ts';

const WORDS = { op: 'test', database: 'metadata database' };

/** As the driver gives it. */
function answered(errno: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { errno, code });
}

function faultOf(error: Error): ServerFault {
  return serverFault(error) ?? assert.fail('it is the server\'s');
}

const OF_BOTH: readonly (readonly [error: Error, kind: string, code?: string])[] = [
  [answered(1205, 'ER_LOCK_WAIT_TIMEOUT',
    'Lock wait timeout exceeded; try restarting transaction'), 'busy'],
  [answered(1213, 'ER_LOCK_DEADLOCK',
    'Deadlock found when trying to get lock; try restarting transaction'), 'busy'],
  [answered(1290, 'ER_OPTION_PREVENTS_STATEMENT', 'The MySQL server is running with the '
    + '--super-read-only option so it cannot execute this statement'), 'unavailable'],
  [answered(1419, 'ER_BINLOG_CREATE_ROUTINE_NEED_SUPER', 'You do not have the SUPER privilege and '
    + 'binary logging is enabled (you *might* want to use the less safe '
    + 'log_bin_trust_function_creators variable)'), 'unavailable', 'database-refused'],
];
const OF_MYSQL: readonly (readonly [error: Error, kind: string, code?: string])[] = [
  [answered(3024, 'ER_QUERY_TIMEOUT', 'Query execution was interrupted, maximum statement '
    + 'execution time exceeded'), 'busy'],
  [answered(1370, 'ER_PROCACCESS_DENIED_ERROR', 'execute command denied to user '
    + '\'hf_ddl\'@\'127.0.0.1\' for routine \'metadata1.MD5\''), 'unavailable',
  'database-refused'],
  [answered(3101, 'ER_TRANSACTION_ROLLBACK_DURING_COMMIT', 'Plugin instructed the server to '
    + 'rollback the current transaction.'), 'unavailable', 'database-away'],
  [answered(4031, 'ER_CLIENT_INTERACTION_TIMEOUT', 'The client was disconnected by the server '
    + 'because of inactivity.'), 'unavailable', 'database-away'],
];

describe('What a server answers in place of doing it', () => {
  for (const [error, kind, code] of [...OF_BOTH, ...OF_MYSQL]) {
    it(`is ${kind}: ${error.message}`, () => {
      const fault = toFault(error, WORDS);
      assert.deepEqual([fault.kind, fault.code], [kind, code]);
      assert.match(fault.message, /metadata database/);
    });
  }

  it('says what to set, where a binary log keeps triggers from being made', () => {
    const [error] = OF_BOTH.at(-1) ?? [];
    assert.ok(error !== undefined);
    assert.match(toFault(error, WORDS).message, /log_bin_trust_function_creators = ON/);
  });

  it('is tried again where that may help, on another connection if this one is over', () => {
    const of = (errno: number): readonly boolean[] => {
      const error = [...OF_BOTH, ...OF_MYSQL].find(([each]) => 'errno' in each
        && each.errno === errno)?.[0];
      const fault = faultOf(error ?? assert.fail(String(errno)));
      return [isPassing(fault), fault.isLost, isOutcomeUnknown(fault)];
    };
    assert.deepEqual([1205, 1213, 3101].map(of), Array(3).fill([true, false, true]));
    assert.deepEqual(of(4031), [true, true, true]);
    // Nor is a question that took too long asked again: it would take as long.
    assert.deepEqual([1290, 1370, 1419, 3024].map(of), Array(4).fill([false, false, true]));
  });

  it('keep their kind when they were not tried again, and have a code that says so', () => {
    for (const [errno, kind] of [[1213, 'busy'], [1205, 'busy'], [1047, 'unavailable']] as const) {
      const error = answered(errno, `ER_${errno}`, 'passes');
      const spent = new RetriesSpent(faultOf(error), error);
      assert.deepEqual(toFault(spent, WORDS), {
        ...toFault(error, WORDS), kind, code: 'database-retries-spent',
      });
      const crossed = explainedFault(spent, WORDS);
      assert.ok(crossed instanceof HoldfastError && crossed.retryable && crossed.cause === spent);
    }
  });
});
