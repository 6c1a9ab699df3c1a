/** Whether shards have the tables that this program knows: by a digest over the whole catalogue,
 *  and then by table and column. */
import { HoldfastError } from '../base/errors.ts';
import { differences, digestOf, ordered, without } from './catalogue.ts';
import type { Drift } from './catalogue.ts';
import { noteCountOf, stepsOf } from './change.ts';
import type { SchemaChange } from './change.ts';
import type { Goldens } from './lint.ts';
import type { SchemaShard } from './schema-target.ts';

export interface ShardDrift {
  readonly shard: string;
  readonly digest: string;
  /** Empty when the digests agree. */
  readonly drifts: readonly Drift[];
  /** Why it could not be looked at; else undefined. Then nothing is known about it. */
  readonly problem: string | undefined;
}

const AT_ONCE = 4;

/** In the order of the shards. What a change adds or takes away counts from the moment on at which
 *  the shard notes the change: before, both are right. */
export async function findDrift(
  shards: readonly SchemaShard[],
  { changes, goldens, signal }: {
    changes: readonly SchemaChange[]; goldens: Goldens; signal?: AbortSignal;
  },
): Promise<ShardDrift[]> {
  const found = new Map<string, ShardDrift>();
  const waiting = [...shards];
  const lane = async (): Promise<void> => {
    for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
      if (signal?.aborted === true) return;
      found.set(shard.name, await driftOf(shard, { changes, goldens }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return shards.flatMap(({ name }) => found.get(name) ?? []);
}

async function driftOf(
  shard: SchemaShard, { changes, goldens }: {
    changes: readonly SchemaChange[]; goldens: Goldens;
  },
): Promise<ShardDrift> {
  try {
    const target = await shard.open();
    try {
      const notes = await target.listNotes();
      const open = changes.filter((change) => change.family === shard.family
        && notes.filter(({ changeId }) => changeId === change.id).length < noteCountOf(change));
      const effects = open.flatMap((change) => stepsOf(change).map(({ effect }) => effect));
      const actual = without(await target.readCatalogue(), effects);
      const beside = (shard.beside ?? []).filter(({ name }) => (
        shard.besideAlways?.includes(name) === true
          || actual.some((table) => table.name === name)));
      const golden = ordered([...without(goldens[shard.family][shard.engine], effects), ...beside]);
      const digest = digestOf(actual);
      const isSame = digest === digestOf(golden);
      const drifts = isSame ? [] : differences(golden, actual);
      return { shard: shard.name, digest, drifts, problem: undefined };
    } finally {
      await target.close();
    }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { shard: shard.name, digest: '', drifts: [], problem: error.message };
  }
}

/** One line for people: `shard-3: node.size_bytes is missing`. */
export function driftText(shard: string, { table, column, index, problem }: Drift): string {
  const of = column === undefined ? '' : `.${column}`;
  return `${shard}: ${table}${of} ${index === undefined ? '' : `index ${index} `}${problem}`;
}
