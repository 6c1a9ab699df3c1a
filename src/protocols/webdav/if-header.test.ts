import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import { IF_LISTS_MAX, parseIf } from './if-header.ts';

const token = (value: string, negated = false) => ({ negated, kind: 'token' as const, value });
const etag = (value: string, negated = false) => ({ negated, kind: 'etag' as const, value });

describe('an If header', () => {
  const readable: [string, ReturnType<typeof parseIf>][] = [
    ['(<urn:a>)', [{ tag: undefined, conditions: [token('urn:a')] }]],
    ['(<urn:a> ["e"])', [{ tag: undefined, conditions: [token('urn:a'), etag('"e"')] }]],
    ['(Not <DAV:no-lock>)', [{ tag: undefined, conditions: [token('DAV:no-lock', true)] }]],
    ['(not["e"])', [{ tag: undefined, conditions: [etag('"e"', true)] }]],
    ['([W/"e"])', [{ tag: undefined, conditions: [etag('W/"e"')] }]],
    ['(["a]b"])', [{ tag: undefined, conditions: [etag('"a]b"')] }]],
    ['(<a:1>) (<a:2>)', [
      { tag: undefined, conditions: [token('a:1')] },
      { tag: undefined, conditions: [token('a:2')] },
    ]],
    ['</x> (<a:1>)(["e"]) <http://h/y> (<a:2>)', [
      { tag: '/x', conditions: [token('a:1')] }, { tag: '/x', conditions: [etag('"e"')] },
      { tag: 'http://h/y', conditions: [token('a:2')] },
    ]],
    ['  </x>\t( <a:1> )  ', [{ tag: '/x', conditions: [token('a:1')] }]],
  ];
  for (const [raw, lists] of readable) {
    it(`is read: ${raw}`, () => assert.deepEqual(parseIf(raw), lists));
  }

  const unreadable = [
    '', ' ', '(', ')', '()', '( )', '<', '</x>', '</x> </y> (<a:1>)', '(<a:1>', '(<a:1)', '(["e")',
    '(["e]', '([e])', '(Not)', '(Not Not <a:1>)', 'x', '(<a:1>) x', '(<a:1>) </x>', '<> (<a:1>)',
    '(<a:1>) </x> (<a:2>)', '</x y> (<a:1>)', '<a:1>)', '(<>)', '(<a<b>)', '[W/"e"]', '(x)',
    '(<a:1>)'.repeat(IF_LISTS_MAX + 1),
  ];
  for (const raw of unreadable) {
    it(`is refused: ${JSON.stringify(raw.slice(0, 40))}`, () => {
      assert.throws(() => parseIf(raw), (error) =>
        error instanceof HoldfastError && error.kind === 'invalid');
    });
  }

  it('is read or refused in time that grows no faster than its length', () => {
    const pieces = fc.constantFrom('(', ')', '<', '>', '[', ']', '"', 'Not', 'W/', ' ', 'a:b');
    fc.assert(fc.property(fc.array(pieces, { maxLength: 60 }), (all) => {
      try {
        parseIf(all.join(''));
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.kind === 'invalid', String(error));
      }
    }), { numRuns: 2000 });
    const before = process.cpuUsage();
    for (const raw of ['<'.repeat(32_000), '(Not '.repeat(6000), '(["'.repeat(10_000)]) {
      assert.throws(() => parseIf(raw));
    }
    const { user, system } = process.cpuUsage(before); // Time that others take does not count.
    assert.ok(user + system < 1_000_000);
  });
});
