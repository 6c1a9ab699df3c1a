import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { EagerBudget } from '../budget.ts';
import { LocalFolder } from './local-folder.ts';
import { CARRY_BYTES, PAGE_BYTES, SlabShelf } from './slab.ts';
import type { Slab } from './slab.ts';
import { StretchWindow } from './stretch-window.ts';
import type { StretchPlan } from './stretch-window.ts';
import type { ReadableVolume } from './volume-folder.ts';

const SIZE_BYTES = 300_123;
const bytes = Buffer.concat(Array.from({ length: SIZE_BYTES / 32 + 1 }, (_, at) =>
  createHash('sha256').update(`${at}`).digest())).subarray(0, SIZE_BYTES);
const shelf = new SlabShelf(8);
let root: string;
let folder: LocalFolder;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-window-'));
  await writeFile(join(root, 'volume'), bytes);
  folder = new LocalFolder(root);
});

after(() => rm(root, { recursive: true }));

interface Made {
  window: StretchWindow;
  /** What the slabs held, in the order in which they were left. */
  left: Buffer[];
}

function over(file: ReadableVolume, plan: StretchPlan): Made {
  const left: Buffer[] = [];
  const leaving = async ({ memory }: Slab): Promise<void> => {
    const then = Buffer.from(Buffer.from(memory));
    await new Promise(setImmediate);
    assert.ok(then.equals(Buffer.from(memory)), 'nobody writes into a slab that is being checked');
    left.push(then);
  };
  const pace = { budget: new EagerBudget(1024 * 1024), signal: new AbortController().signal };
  return {
    window: new StretchWindow({ file, sizeBytes: SIZE_BYTES, pace, plan, shelf, leaving }), left,
  };
}

const plans = fc.record({
  pages: fc.integer({ min: 1, max: 20 }), aheadMax: fc.integer({ min: 0, max: 3 }),
}).map(({ pages, aheadMax }): StretchPlan => ({
  stretchBytes: pages * PAGE_BYTES, aheadMax, slabsMax: aheadMax + 2,
}));

describe('StretchWindow', () => {
  for (const wish of ['any', 'disk'] as const) {
    it(`shows what the file holds, forwards and back, read from ${wish}`, async () => {
      const looks = fc.array(fc.tuple(
        fc.integer({ min: 0, max: SIZE_BYTES }), fc.integer({ min: 1, max: 90_000 }),
      ), { minLength: 1, maxLength: 12 });
      await fc.assert(fc.asyncProperty(plans, looks, fc.boolean(), async (plan, places, sorts) => {
        const file = await folder.open('volume', 'read', wish);
        const { window } = over(file, plan);
        if (sorts) places.sort(([a], [b]) => a - b);
        for (const [position, lengthBytes] of places) {
          const at = await window.at(position, lengthBytes);
          if (position + lengthBytes > SIZE_BYTES) assert.equal(at, -1);
          else {
            const seen = window.bytes.subarray(at, at + lengthBytes);
            assert.ok(seen.equals(bytes.subarray(position, position + lengthBytes)));
          }
        }
        await window.finish();
        await window.close();
        await file.close();
      }), { numRuns: 60 });
    });
  }

  it('hands on every byte that was passed, once and in order', async () => {
    const file = await folder.open('volume', 'read', 'disk');
    const plan = { stretchBytes: 8 * PAGE_BYTES, aheadMax: 2, slabsMax: 4 };
    const { window, left } = over(file, plan);
    for (let at = 0; at + 100 <= SIZE_BYTES; at += 100) await window.at(at, 100);
    await window.finish();
    const stretches = left.map((slab, index) => slab.subarray(
      CARRY_BYTES,
      CARRY_BYTES + Math.min(plan.stretchBytes, SIZE_BYTES - index * plan.stretchBytes),
    ));
    assert.ok(Buffer.concat(stretches).equals(bytes));
    await window.close();
    await file.close();
  });

  it('tells of a disk that refuses where it was to be read, and lets go of all', async () => {
    const refused = Object.assign(new Error('refused'), { code: 'EIO' });
    let under = 0;
    const file: ReadableVolume = {
      size: async () => SIZE_BYTES,
      read: async (into, position) => {
        under++;
        await new Promise(setImmediate);
        under--;
        if (position >= 100_000) throw refused;
        return bytes.copy(into, 0, position, position + into.length);
      },
      close: async () => undefined,
    };
    const { window } = over(file, { stretchBytes: PAGE_BYTES, aheadMax: 3, slabsMax: 5 });
    const walk = async (): Promise<void> => {
      for (let at = 0; at < SIZE_BYTES - 8; at += 1_000) await window.at(at, 8);
    };
    await assert.rejects(walk(), refused);
    await window.close();
    assert.equal(under, 0, 'no read is under way');
  });

  it('says that a file which was cut meanwhile does not hold so many bytes', async () => {
    const cut: ReadableVolume = {
      size: async () => SIZE_BYTES,
      read: async (into, position) => bytes.copy(into, 0, position, Math.min(
        position + into.length, 50_000,
      )),
      close: async () => undefined,
    };
    const { window } = over(cut, { stretchBytes: 4 * PAGE_BYTES, aheadMax: 1, slabsMax: 3 });
    assert.notEqual(await window.at(49_000, 1_000), -1);
    assert.equal(await window.at(49_000, 1_001), -1);
    await window.close();
  });
});
