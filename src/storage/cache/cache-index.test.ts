import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { BlockId } from '../../base/ids.ts';
import { diskBytesOf } from './cache-entry.ts';
import { CacheIndex, nameOf, parseName } from './cache-index.ts';
import type { CachedBlock } from './cache-index.ts';

const idOf = (digit: number): BlockId => digit.toString(16).repeat(64) as BlockId;

it('CacheIndex keeps the order of use, as a plain list would', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'use', 'drop'), digit: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const index = new CacheIndex();
    let model: CachedBlock[] = [];
    for (const [order, { what, digit }] of steps.entries()) {
      const id = idOf(digit);
      const known = model.find((each) => each.id === id);
      if (what === 'add' && known === undefined) {
        const block = { id, sizeBytes: 1 + digit * 5000, order, form: 'block' } as const;
        index.add(block);
        model.push(block);
      } else if (what === 'use') {
        assert.equal(index.use(id)?.order, known?.order);
        if (known !== undefined) model = [...model.filter((each) => each !== known), known];
      } else if (what === 'drop' && known !== undefined) {
        assert.equal(index.drop(known), true);
        model = model.filter((each) => each !== known);
      }
      assert.equal(index.oldest()?.id, model[0]?.id);
      const wanted = model.reduce((sum, { sizeBytes }) => sum + diskBytesOf(sizeBytes), 0);
      assert.deepEqual([index.blockCount, index.storedBytes], [model.length, wanted]);
    }
  }));
});

it('CacheIndex does not drop a later entry of the same block', () => {
  const index = new CacheIndex();
  const old = { id: idOf(1), sizeBytes: 10, order: 1, form: 'block' } as const;
  index.add(old);
  assert.equal(index.drop(old), true);
  index.add({ ...old, order: 2 });
  assert.equal(index.drop(old), false);
  assert.equal(index.find(old.id)?.order, 2);
});

it('The name of a cached file says all, and other names say nothing', () => {
  const block = {
    id: idOf(10), sizeBytes: 4_194_304, order: 123_456_789_012, form: 'block',
  } as const;
  const sealed = { ...block, form: 'sealed' } as const;
  for (const one of [block, sealed]) assert.deepEqual(parseName(nameOf(one)), one);
  const name = nameOf(block);
  const others = ['', 'x', `${name}.draft`, name.toUpperCase(), `a${name}`, name.slice(0, -6)];
  for (const other of others) assert.equal(parseName(other), undefined, other);
});
