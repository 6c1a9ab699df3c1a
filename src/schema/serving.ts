/** Whether a program and the shards fit together: looked at before it serves. */
import { HoldfastError } from '../base/errors.ts';
import { NODE_DEAD_MS } from '../platform/index.ts';
import type { Catalogue } from './catalogue.ts';
import { isDone } from './catalogue.ts';
import { compareVersions, stepsOf } from './change.ts';
import type { Contract, Expand, SchemaChange } from './change.ts';
import type { Nodes } from './contract.ts';
import type { SchemaBook } from './schema-book.ts';
import type { SchemaShard, SchemaTarget } from './schema-target.ts';

const OP = 'schema/checkServing';

export interface ServingParts {
  readonly changes: readonly SchemaChange[];
  readonly shards: readonly SchemaShard[];
  /** Left out where nobody can work on shards while this program runs. */
  readonly book?: SchemaBook;
  /** This program among them: it has entered before it looks here. Left out: it is alone. */
  readonly nodes?: Nodes;
  readonly version: string;
  /** Makes nothing, even when it could. */
  readonly looksOnly?: boolean;
  readonly clock: { now(): number };
}

export interface Served {
  readonly madeCount: number;
  /** Shards that did not answer: nothing is known about them, and the others are served. */
  readonly unreached: readonly { shard: string; problem: string }[];
}

/**
 * Looks at every shard. One that lacks what this program needs is brought up to it here, when this
 * is the only node and the change is instant: a small installation need not know that there is
 * such a thing. One that does not answer is passed over, and has to be looked at when it does.
 * @throws precondition `schema-behind`: changes are to be applied first; invalid `schema-ahead`: a
 * newer program has taken away what this one reads, or has begun to. Then it must not serve.
 */
export async function checkServing(parts: ServingParts): Promise<Served> {
  // A contract that has begun anywhere keeps older programs out of everywhere.
  for (const { minCode } of await parts.book?.listChanges() ?? []) {
    checkVersion(parts.version, minCode);
  }
  const nodes = await parts.nodes?.list() ?? [];
  const isAlone = parts.looksOnly !== true
    && nodes.filter(({ silentMs }) => silentMs < NODE_DEAD_MS).length <= 1;
  let madeCount = 0;
  const unreached: { shard: string; problem: string }[] = [];
  for (const shard of parts.shards) {
    try {
      madeCount += await checkShard(shard, parts, isAlone);
    } catch (error) {
      if (!(error instanceof HoldfastError && error.retryable)) throw error;
      unreached.push({ shard: shard.name, problem: error.message });
    }
  }
  return { madeCount, unreached };
}

function checkVersion(version: string, minCode: string): void {
  if (minCode === '' || compareVersions(version, minCode) >= 0) return;
  throw new HoldfastError('invalid', OP, `The metadata is kept in a form that only Holdfast `
    + `${minCode} and newer can read; this is ${version}. Start the newer version.`,
  { code: 'schema-ahead', facts: { minCode } });
}

async function checkShard(
  shard: SchemaShard, { changes, version, clock }: ServingParts, isAlone: boolean,
): Promise<number> {
  const target = await shard.open();
  try {
    const notes = await target.listNotes();
    for (const { minCode } of notes) checkVersion(version, minCode);
    const madeCount = await bringUp(target, shard, { changes, clock, isAlone });
    const isNoted = ({ id }: SchemaChange) => notes.some(({ changeId }) => changeId === id);
    for (const change of changes) {
      if (change.family !== shard.family || change.kind !== 'contract' || isNoted(change)) continue;
      await checkRows(target, change, { shard: shard.name, version });
    }
    return madeCount;
  } finally {
    await target.close();
  }
}

/** From the version on that a contract names, a program reads rows of the new form only. */
async function checkRows(
  target: SchemaTarget, { id, rows, minCode }: Contract,
  { shard, version }: { shard: string; version: string },
): Promise<void> {
  if (rows === undefined || compareVersions(version, minCode) < 0) return;
  const count = await target.countOld(rows);
  if (count === 0) return;
  throw new HoldfastError('precondition', OP, `Shard ${shard} has ${count} rows of ${rows.table} `
    + `in a form that this version of Holdfast reads no more (${id}). Stop what is older than the `
    + 'version before this one, and run: holdfast schema apply --yes', { code: 'schema-behind' });
}

async function bringUp(
  target: SchemaTarget, shard: SchemaShard,
  { changes, clock, isAlone }: Pick<ServingParts, 'changes' | 'clock'> & { isAlone: boolean },
): Promise<number> {
  const needed = changes.filter((change): change is Expand => (
    change.family === shard.family && change.kind === 'expand' && change.isNeeded));
  if (needed.length === 0) return 0;
  const catalogue = await target.readCatalogue();
  const lacking = needed.filter((change) => !isThere(change, { catalogue, shard }));
  if (lacking.length === 0) return 0;
  const mayMake = isAlone && lacking.every(({ algorithm }) => algorithm === 'instant');
  if (!mayMake) throw behind(shard.name, lacking);
  return make(target, lacking, { shard: shard.name, nowMs: clock.now() });
}

function isThere(
  change: Expand, { catalogue, shard: { engine } }: { catalogue: Catalogue; shard: SchemaShard },
): boolean {
  return stepsOf(change).every(({ effect }) => isDone(effect, { catalogue, engine }));
}

function behind(shard: string, lacking: readonly Expand[], cause?: unknown): HoldfastError {
  const ids = lacking.map(({ id }) => id).join(', ');
  return new HoldfastError('precondition', OP, `Shard ${shard} lacks what this version of Holdfast `
    + `needs (${ids}). Run: holdfast schema apply --yes`, { code: 'schema-behind', cause });
}

/** What cannot be made here, because rights are missing or the server goes away, is still missing:
 *  the shard must not be served. */
async function make(
  target: SchemaTarget, lacking: readonly Expand[],
  { shard, nowMs }: { shard: string; nowMs: number },
): Promise<number> {
  let madeCount = 0;
  try {
    for (const change of lacking) {
      for (const step of change.steps.keys()) {
        if (await target.runStep(change, step, nowMs) === 'made') madeCount += 1;
      }
    }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw behind(shard, lacking, error);
  }
  return madeCount;
}
