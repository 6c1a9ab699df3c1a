import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SqlValue } from '../../../../platform/mariadb/index.ts';
import type { StatementName } from '../../sqlite/statements.ts';
import { PLACES, WRITER_STATEMENTS } from './writer-statements.ts';
import { WriteQueue } from './write-queue.ts';
import type { Touches } from './write-queue.ts';

function touchesOf(name: StatementName, values: readonly SqlValue[]): Touches {
  const keys = PLACES[name]?.(values) ?? [];
  return new Map(WRITER_STATEMENTS[name].tables.map((table) => {
    const own = keys.filter((key) => key.startsWith(`${table} `));
    return [table, own.length === 0 ? undefined : own];
  }));
}

class Writing {
  readonly queue = new WriteQueue();

  add(name: StatementName, ...values: SqlValue[]): void {
    this.queue.add(name, values, touchesOf(name, values));
  }

  meets(name: StatementName, ...values: SqlValue[]): boolean {
    return this.queue.meets(touchesOf(name, values));
  }

  /** Names of what is sent, each with how many values. */
  sent(): string[] {
    return this.queue.take().map(({ text, values }) => {
      const [, name] = /\.(\w+) f=/.exec(text) ?? [];
      return `${name} ${values.length}`;
    });
  }
}

const event = (space: number, rev: number): SqlValue[] =>
  [space, rev, 0, 1, 0, null, null, null, null, 0, 'anna', '', 0, null, null, null, null, null,
    null];
const node = (canon: string, id: number): SqlValue[] =>
  [1, 2, canon, id, null, 0, 1, 0, 0, 1, 1, '', 1];

describe('A queue of writes', () => {
  it('sends the same statements of many changes together', () => {
    const w = new Writing();
    for (let n = 1; n <= 4; n += 1) {
      w.add('insertEvent', ...event(1, n));
      w.add('insertNode', ...node(`f${n}`, n));
    }
    assert.deepEqual(w.sent(), ['insertEvent 76', 'insertNode 52']);
    assert.deepEqual(w.sent(), []);
  });

  it('lets no statement overtake one that touches the same row', () => {
    const w = new Writing();
    w.add('closeNode', 5, 1, 2, 'a');
    w.add('deleteNode', 1, 2, 'a');
    w.add('insertNode', ...node('a', 9));
    w.add('closeNode', 6, 1, 2, 'b');
    w.add('deleteNode', 1, 2, 'b');
    w.add('closeNode', 7, 1, 2, 'a');
    // What is done with `b` may go along with what is done with `a`; the last may not.
    assert.deepEqual(w.sent(), ['closeNode 8', 'deleteNode 6', 'insertNode 13', 'closeNode 4']);
  });

  it('lets none go with its like when what it touches was written in between', () => {
    const w = new Writing();
    w.add('deleteNode', 1, 2, 'c');
    w.add('insertNode', ...node('a', 9));
    w.add('deleteNode', 1, 2, 'a');
    assert.deepEqual(w.sent(), ['deleteNode 3', 'insertNode 13', 'deleteNode 3']);
  });

  it('never puts two changes of one row into one statement', () => {
    const w = new Writing();
    w.add('deleteNode', 1, 2, 'a');
    w.add('deleteNode', 1, 2, 'a');
    assert.deepEqual(w.sent(), ['deleteNode 3', 'deleteNode 3']);
  });

  it('sends only the last of several, where only that counts', () => {
    const w = new Writing();
    for (const value of [5, 6, 7]) w.add('setMeta', value, 'next_grant_id');
    w.add('setMeta', 9, 'next_batch_id');
    const [step, ...others] = w.queue.take();
    assert.deepEqual(step?.values, [7, 'next_grant_id', 9, 'next_batch_id']);
    assert.deepEqual(others, []);
  });

  it('knows which reads would miss something, by row where rows are known', () => {
    const w = new Writing();
    w.add('insertNode', ...node('a', 9));
    assert.equal(w.meets('getChild', 1, 2, 'a'), true);
    assert.equal(w.meets('getChild', 1, 2, 'b'), false);
    assert.equal(w.meets('getNode', 1, 9), true);
    assert.equal(w.meets('getNode', 1, 8), false);
    assert.equal(w.meets('listMembers', 1, 77, 10), true); // Rows unknown: the whole table.
    assert.equal(w.meets('listLocks', 1), false);
    w.add('deleteNode', 1, 2, 'c');
    assert.equal(w.meets('getNode', 1, 8), true); // Whoever is at that place may have this id.
  });

  it('splits what is too much for one packet', () => {
    const w = new Writing();
    const manifest = new Uint8Array(3 * 1024 * 1024);
    for (let n = 1; n <= 3; n += 1) {
      w.add('insertVersion', 1, n, 1, 1, 0, '', manifest, 0, 'anna');
    }
    assert.deepEqual(w.sent(), ['insertVersion 9', 'insertVersion 9', 'insertVersion 9']);
  });
});
