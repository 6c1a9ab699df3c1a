import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import {
  CURSOR_LENGTH_MAX, FEED_HIDDEN_MAX, FEED_SPACES_MAX, formatCursor, parseCursor,
} from './feed-cursor.ts';
import type { FeedCursor, FeedPosition } from './feed-cursor.ts';

const OWNER = { installation: 'here', user: 'anna' };
const NUMBER = fc.maxSafeNat();
const PLAIN = { noNullPrototype: true };
const POSITION: fc.Arbitrary<FeedPosition> = fc.record({
  rev: NUMBER, print: fc.nat(2 ** 32 - 1), accessRev: NUMBER, lapsedPrint: fc.nat(2 ** 32 - 1),
}, PLAIN);
const CURSOR: fc.Arbitrary<FeedCursor> = fc.record({
  at: NUMBER, groupsRev: NUMBER, holdMark: fc.stringMatching(/^[a-z0-9]{0,20}$/),
  isComplete: fc.boolean(), own: POSITION,
  others: fc.array(fc.tuple(fc.nat().map((id) => id as SpaceId), POSITION))
    .map((all) => new Map(all.toSorted(([a], [b]) => a - b))),
  hidden: fc.array(fc.nat()).map((all) => new Set(all.toSorted((a, b) => a - b) as NodeId[])),
}, PLAIN);

describe('A cursor of a feed', () => {
  it('says what it was made of, to its owner on this installation alone', () => {
    fc.assert(fc.property(CURSOR, (cursor) => {
      const text = formatCursor(cursor, OWNER);
      assert.deepEqual(parseCursor(text, OWNER), cursor);
      assert.equal(parseCursor(text, { ...OWNER, user: 'ben' }), undefined);
      assert.equal(parseCursor(text, { ...OWNER, installation: 'there' }), undefined);
    }), { numRuns: 50 });
  });

  it('is not taken when it is damaged, or nonsense', () => {
    const [cursor] = fc.sample(CURSOR, 1);
    const text = formatCursor(cursor ?? assert.fail(), OWNER);
    for (let at = 0; at < text.length - 1; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const damaged = text.slice(0, at) + other + text.slice(at + 1);
      assert.equal(parseCursor(damaged, OWNER), undefined, `character ${at}`);
    }
    const tooLong = 'A'.repeat(CURSOR_LENGTH_MAX + 1);
    for (const nonsense of ['', 'x', text.slice(1), `${text}AAAA`, tooLong]) {
      assert.equal(parseCursor(nonsense, OWNER), undefined);
    }
  });

  it('has room for as much as a feed may follow', () => {
    const position = {
      rev: 5_000_000, print: 2 ** 32 - 1, accessRev: 5_000_000, lapsedPrint: 0,
    };
    const cursor: FeedCursor = {
      at: Date.UTC(2040, 1), groupsRev: 1_000_000, holdMark: '', isComplete: true, own: position,
      others: new Map(Array.from({ length: FEED_SPACES_MAX }, (_, at) =>
        [(at * 100 + 1) as SpaceId, position])),
      hidden: new Set(Array.from({ length: FEED_HIDDEN_MAX }, (_, at) => (at * 1_000) as NodeId)),
    };
    const text = formatCursor(cursor, OWNER);
    assert.ok(text.length <= CURSOR_LENGTH_MAX, `${text.length} characters`);
    assert.deepEqual(parseCursor(text, OWNER), cursor);
  });
});
