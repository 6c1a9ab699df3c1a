/**
 * The promises of the brake over random work of one device. The same work is done on a second tree
 * without a brake, which says what the device must see: its own tree with all its changes made.
 * Everybody else must see every old file with its old content, wherever the device has moved it.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import type { MetadataStore } from '../../metadata/index.ts';
import { pathOf } from '../testing/share-site.ts';
import { BrakeSite, laptop, phone } from './testing/brake-site.ts';

const FILES = ['a', 'b', 'c', 'box/a', 'box/b', 'box/in/a', 'other/a'];
const FOLDERS = ['box', 'box/in', 'other'];
const PLACES = [...FILES, ...FOLDERS, 'new', 'box/new', 'other/new', 'box/in/new', 'fresh'];

const place = fc.constantFrom(...PLACES);
const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('folder' as const), at: place }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('remove' as const), at: place }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), at: place, to: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy' as const), at: place, to: place }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;
const TAPE = fc.array(STEP, { minLength: 1, maxLength: 30, size: 'max' });

/** Refusals that a tree without a brake does not know. */
const SOFT = 'locked held-clash';

async function done(site: BrakeSite, step: Step, text: string): Promise<string> {
  try {
    switch (step.do) {
      case 'write': await site.write(laptop, step.at, text); break;
      case 'folder': await site.folder(laptop, step.at); break;
      case 'remove': await site.remove(laptop, step.at); break;
      case 'move': await site.move(laptop, step.at, step.to); break;
      default: await site.copy(laptop, step.at, step.to);
    }
    return 'done';
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return `${error.kind} ${error.code}`;
  }
}

interface Run {
  braked: BrakeSite;
  free: BrakeSite;
  /** Old files by node, as they were. */
  old: ReadonlyMap<number, string>;
}

async function prepare(
  makeStore: () => Promise<MetadataStore>, { isOpen }: { isOpen: boolean },
): Promise<Run> {
  const braked = new BrakeSite({ metadata: await makeStore(), policy: { limit: 2 } });
  const free = new BrakeSite({ metadata: await makeStore(), policy: { limit: 0 } });
  for (const site of [braked, free]) {
    for (const path of FOLDERS) await site.folder(phone, path);
    for (const path of FILES) await site.write(phone, path);
    if (isOpen) for (const name of ['x', 'y', 'z']) await site.write(phone, name);
    site.age();
    if (isOpen) for (const name of ['x', 'y', 'z']) await site.remove(laptop, name);
  }
  const old = new Map<number, string>();
  for (const path of FILES) {
    const { node } = await braked.files.get(phone, pathOf(path));
    old.set(node.id, path);
  }
  return { braked, free, old };
}

/** Every old file is there for others, with what it held. */
async function checkOthers({ braked, old }: Run): Promise<void> {
  for (const [id, text] of old) {
    const found = await braked.files.findById(phone, id as never);
    assert.ok(found !== undefined, `${text} is still there for others`);
    assert.ok((await braked.tree(phone)).includes(
      `${found.path.join('/')} = ${text}`), `${text} is as it was`);
  }
}

async function play(run: Run, tape: readonly Step[], reached: Set<string>): Promise<void> {
  const { braked, free } = run;
  for (const [index, step] of tape.entries()) {
    braked.site.now += 1;
    free.site.now += 1;
    const outcome = await done(braked, step, `text ${index}`);
    reached.add(`${step.do} ${outcome}`);
    // What is refused softly is not made; the client would try again later.
    if (outcome === SOFT) continue;
    assert.equal(outcome, await done(free, step, `text ${index}`), JSON.stringify(step));
    assert.deepEqual(await braked.tree(laptop), await free.tree(laptop), JSON.stringify(step));
  }
}

export interface ModelRuns {
  numRuns: number;
  /** Whether the work goes on until everything was reached. */
  isThorough: boolean;
}

const REACHED = [
  'write done', 'folder done', 'remove done', 'move done', 'copy done', `write ${SOFT}`,
  `move ${SOFT}`, `folder ${SOFT}`, 'kept', 'undone',
];

export function testBrakeModel(
  name: string, makeStore: () => Promise<MetadataStore>, { numRuns, isThorough }: ModelRuns,
): void {
  it(`a braked device on ${name} sees its own tree, others the old one, whatever it does and `
    + 'whatever is decided', async () => {
    const reached = new Set<string>();
    const model = fc.asyncProperty(TAPE, fc.boolean(), async (tape, isKept) => {
      const run = await prepare(makeStore, { isOpen: true });
      const { braked, free } = run;
      await play(run, tape, reached);
      await checkOthers(run);
      if (isKept) {
        const { skippedCount } = await braked.keep();
        assert.equal(skippedCount, 0);
        assert.deepEqual(await braked.tree(phone), await free.tree(phone), 'kept: as if made');
      } else {
        await braked.undo();
        await checkOthers(run);
      }
      reached.add(isKept ? 'kept' : 'undone');
      assert.deepEqual(await braked.tree(laptop), await braked.tree(phone));
      for (const site of [braked, free]) await site.metadata.close();
    });
    const missed = (): string[] => REACHED.filter((each) => !reached.has(each));
    for (let more = 0; more < 20 && (more === 0 || missed().length > 0); more += 1) {
      await fc.assert(model, { numRuns });
      if (!isThorough) return;
    }
    assert.deepEqual(missed(), [], 'what the work never reached');
  });
}
