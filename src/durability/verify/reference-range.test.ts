import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../../base/errors.ts';
import { collectReferences, findOrigins, findReferenced } from './reference-range.ts';
import type { ReferenceParts } from './reference-range.ts';
import { MemoryManifests } from './testing/verify-world.ts';
import { idOf } from './testing/memory-disk.ts';

const pace = { budget: undefined, signal: new AbortController().signal };

function partsOf(source: MemoryManifests, more: Partial<ReferenceParts> = {}): ReferenceParts {
  return {
    source, pace, readBlock: async () => undefined, onUnreadable: () => assert.fail(), ...more,
  };
}

const blockOf = (n: number) => ({ id: idOf(Buffer.from(`block ${n}`)), sizeBytes: 1 + (n % 50) });

async function allRanges(parts: ReferenceParts): Promise<{ id: string; sizeBytes: number }[]> {
  const found: { id: string; sizeBytes: number }[] = [];
  for (let from: string | undefined = ''; from !== undefined;) {
    const range = await collectReferences(from, parts);
    for (let index = 0; index < range.count; index++) found.push(range.at(index));
    from = range.range.to;
  }
  return found;
}

describe('collectReferences', () => {
  it('meets each reference once and in order, however little fits into memory', async () => {
    const numbers = fc.array(fc.array(fc.nat(60), { maxLength: 6 }), { maxLength: 40 });
    const few = fc.integer({ min: 4, max: 40 });
    await fc.assert(fc.asyncProperty(numbers, few, async (files, max) => {
      const source = new MemoryManifests();
      for (const [node, blocks] of files.entries()) source.add(node + 1, blocks.map(blockOf));
      const expected = [...new Set(files.flat())].map(blockOf)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const found = await allRanges(partsOf(source, { entriesMax: max }));
      assert.deepEqual(found, expected);
    }), { numRuns: 60 });
  });

  it('sorts many by groups just as few', async () => {
    const source = new MemoryManifests();
    const count = 9_000;
    for (let node = 1; node <= count; node++) source.add(node, [blockOf(node), blockOf(node + 1)]);
    const found = await allRanges(partsOf(source));
    assert.equal(found.length, count + 1);
    assert.ok(found.every(({ id }, at) => at === 0 || (found[at - 1]?.id ?? '') < id));
  });

  it('follows a list of blocks that is a block itself', async () => {
    const source = new MemoryManifests();
    const inner = [blockOf(1), blockOf(2)];
    const bytes = Buffer.alloc(72);
    for (const [index, { id, sizeBytes }] of inner.entries()) {
      bytes.write(id, index * 36, 32, 'hex');
      bytes.writeUInt32LE(sizeBytes, index * 36 + 32);
    }
    const list = { id: idOf(bytes), sizeBytes: 72 };
    source.add(1, [list]);
    const manifest = source.rows[0]?.manifest ?? new Uint8Array();
    manifest[2] = 1;
    const readBlock = async (id: string) => (id === list.id ? bytes : undefined);
    const found = await allRanges(partsOf(source, { readBlock }));
    const ids = [list, ...inner].map(({ id }) => id).sort();
    assert.deepEqual(found.map(({ id }) => id), ids);
  });
});

it('findOrigins says which versions need a block', async () => {
  const source = new MemoryManifests();
  source.add(7, [blockOf(1), blockOf(2)]);
  source.add(8, [blockOf(2)]);
  const origins = await findOrigins(new Set([blockOf(2).id, blockOf(3).id]), partsOf(source));
  assert.deepEqual([...origins], [
    [blockOf(2).id, [['version', 1, 7, 1], ['version', 1, 8, 1]]],
  ]);
});

it('findReferenced refuses to answer when a manifest cannot be read', async () => {
  const source = new MemoryManifests();
  source.add(1, [blockOf(1)]);
  source.rows.push({ key: ['version', 1, 2, 1], manifest: Buffer.from('rubbish') });
  const asked = findReferenced(new Set([blockOf(1).id]), partsOf(source));
  await assert.rejects(asked, (error) => isKind(error, 'corrupt'));
});
