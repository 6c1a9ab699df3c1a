import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diffLines, stretchesOf } from './line-diff.ts';
import type { DiffLine } from './line-diff.ts';

const SIGNS = { same: ' ', removed: '-', added: '+' } as const;
const shown = (lines: DiffLine[] | undefined): string[] | undefined => {
  return lines?.map(({ kind, text }) => `${SIGNS[kind]}${text}`);
};

describe('A comparison line by line', () => {
  it('shows what was taken away and what was added, and little else', () => {
    const lines = diffLines('a\nb\nc\nd\n', 'a\nc\nx\nd');
    assert.deepEqual(shown(lines), [' a', '-b', ' c', '+x', ' d']);
    assert.deepEqual(shown(diffLines('', 'a')), ['+a']);
    assert.deepEqual(shown(diffLines('a\r\n', 'a\n')), [' a']);
  });

  it('tells both texts in full, and changes as few lines as can be', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(fc.property(text, text, (before, after) => {
      const lines = diffLines(before.join('\n'), after.join('\n')) ?? [];
      const side = (other: DiffLine['kind']): string[] => {
        return lines.filter(({ kind }) => kind !== other).map((line) => line.text);
      };
      assert.deepEqual(side('added'), before);
      assert.deepEqual(side('removed'), after);
      const same = lines.filter(({ kind }) => kind === 'same').length;
      assert.equal(same, longestCommon(before, after));
    }));
  });

  it('gives up on what is too long or too different', () => {
    const many = (start: string): string => {
      return Array.from({ length: 2_001 }, (_, n) => `${start}${n}`).join('\n');
    };
    assert.equal(diffLines(many('a'), many('b')), undefined);
    assert.equal(diffLines('x\n'.repeat(20_001), ''), undefined);
    assert.ok(diffLines(many('a'), `${many('a')}\nb`) !== undefined);
  });

  it('leaves out long stretches that are the same', () => {
    const lines = diffLines('1\n2\n3\n4\n5\n6\n7\n8\n9', '1\n2\n3\n4\n5\n6\n7\n8\nx') ?? [];
    assert.deepEqual(stretchesOf(lines).map((one) => {
      return one.kind === 'skipped' ? one.count : shown([...one.lines]);
    }), [5, [' 6', ' 7', ' 8', '-9', '+x']]);
  });
});

/** The obvious way. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    b.forEach((y, at) => {
      next.push(x === y ? (row[at] ?? 0) + 1 : Math.max(row[at + 1] ?? 0, next[at] ?? 0));
    });
    row = next;
  }
  return row.at(-1) ?? 0;
}
