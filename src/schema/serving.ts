/** Whether a program and the shards fit together: looked at before it serves. */
import { HoldfastError } from '../base/errors.ts';
import { isDone } from './catalogue.ts';
import { compareVersions, stepsOf } from './change.ts';
import type { Expand, SchemaChange } from './change.ts';
import type { LiveNode, SchemaBook } from './schema-book.ts';
import type { SchemaShard } from './schema-target.ts';

const OP = 'schema/checkServing';

export interface ServingParts {
  readonly changes: readonly SchemaChange[];
  readonly shards: readonly SchemaShard[];
  readonly book: SchemaBook;
  /** Announced with it; stays so when this resolves. */
  readonly node: LiveNode;
  readonly clock: { now(): number };
}

/**
 * Announces the node, and looks at every shard that answers. One that lacks what this program needs
 * is brought up to it here, when this is the only node and the change is instant: a small
 * installation need not know that there is such a thing. Answers how many steps were made.
 * @throws precondition `schema-behind`: changes are to be applied first; invalid `schema-ahead`: a
 * newer program has taken away what this one reads. The node has then left again.
 */
export async function checkServing(parts: ServingParts): Promise<{ madeCount: number }> {
  const { book, node } = parts;
  await book.announce(node);
  try {
    await checkBars(parts);
    const others = (await book.listNodes(parts.clock.now())).filter(({ id }) => id !== node.id);
    let madeCount = 0;
    for (const shard of parts.shards) {
      madeCount += await checkShard(shard, parts, others.length === 0);
    }
    return { madeCount };
  } catch (error) {
    await book.leave(node.id);
    throw error;
  }
}

/** A contract that has begun anywhere keeps older programs out of everywhere. */
async function checkBars({ book, node: { version } }: ServingParts): Promise<void> {
  for (const { minCode } of await book.listChanges()) checkVersion(version, minCode);
}

function checkVersion(version: string, minCode: string): void {
  if (minCode === '' || compareVersions(version, minCode) >= 0) return;
  throw new HoldfastError('invalid', OP, `The metadata is kept in a form that only Holdfast `
    + `${minCode} and newer can read; this is ${version}. Start the newer version.`,
  { code: 'schema-ahead', facts: { minCode } });
}

async function checkShard(
  shard: SchemaShard, { changes, node, clock }: ServingParts, isAlone: boolean,
): Promise<number> {
  const target = await shard.open();
  try {
    for (const { minCode } of await target.listNotes()) checkVersion(node.version, minCode);
    const needed = changes.filter((change): change is Expand => (
      change.family === shard.family && change.kind === 'expand' && change.isNeeded));
    if (needed.length === 0) return 0;
    const catalogue = await target.readCatalogue();
    const lacking = needed.filter((change) => !stepsOf(change).every(({ effect }) => (
      isDone(effect, { catalogue, engine: shard.engine }))));
    if (lacking.length === 0) return 0;
    if (!isAlone || lacking.some(({ algorithm }) => algorithm !== 'instant')) {
      const ids = lacking.map(({ id }) => id).join(', ');
      throw new HoldfastError('precondition', OP, `Shard ${shard.name} lacks what this version of `
        + `Holdfast needs (${ids}). Run: holdfast schema apply`, { code: 'schema-behind' });
    }
    let madeCount = 0;
    for (const change of lacking) {
      for (const step of change.steps.keys()) {
        if (await target.runStep(change, step, clock.now()) === 'made') madeCount += 1;
      }
    }
    return madeCount;
  } finally {
    await target.close();
  }
}
