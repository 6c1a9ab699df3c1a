/** Reads for followers of many journals: much at once, with few statements. */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { CHAINS_MAX, STANDINGS_MAX } from '../../../following.ts';
import type { SpaceStanding } from '../../../following.ts';
import type { NodeRecord } from '../../../records.ts';
import { outOfRange } from '../../../refusals.ts';
import { toNodeRecord, toNodeRow, toTarget } from '../rows.ts';
import type { NodeTuple } from '../rows.ts';
import { FEW, MANY } from './follow-reads.ts';
import { onSnapshot } from './read-statements.ts';
import type { ReadStatements } from './read-statements.ts';

/** Stands for no id where there are fewer than a statement takes. */
const NO_ID = 0;
const NODE_COLUMNS = 11;
const CHAIN_MAX = 100_000;

export type ChainTuple = [
  ...node: NodeTuple, mark: number | null, sizeBytes: number | null, changedAt: number | null,
  targetSpace: number | null, targetNode: number | null,
];
type StandingTuple = [
  id: number, rev: number, accessRev: number, revFloor: number | null, nodeId: number | null,
  at: number | null,
];

export class FollowReader {
  readonly #reads: ReadStatements;

  constructor(reads: ReadStatements) {
    this.#reads = reads;
  }

  /** See FollowStore. */
  findChains(spaceId: SpaceId, nodeIds: readonly NodeId[]): Map<NodeId, NodeRecord[]> {
    if (nodeIds.length > CHAINS_MAX) throw outOfRange('nodeIds');
    const records = new Map<number, NodeRecord>();
    this.#inParts(nodeIds, (ids) => {
      const reads = ids.length === FEW ? this.#reads.listFewChains : this.#reads.listManyChains;
      for (const row of reads.all(ids, { space: spaceId }) as ChainTuple[]) {
        records.set(row[0], toRecord(spaceId, row));
      }
    });
    const chains = new Map<NodeId, NodeRecord[]>();
    for (const id of nodeIds) {
      const chain = chainIn(records, id);
      if (chain !== undefined) chains.set(id, chain);
    }
    return chains;
  }

  /** See FollowStore. */
  listStandings(spaceIds: readonly SpaceId[]): Map<SpaceId, SpaceStanding> {
    if (spaceIds.length > STANDINGS_MAX) throw outOfRange('spaceIds');
    const found = new Map<SpaceId, SpaceStanding>();
    this.#inParts(spaceIds, (ids) => {
      const { listFewStandings, listManyStandings } = this.#reads;
      const reads = ids.length === FEW ? listFewStandings : listManyStandings;
      for (const [id, rev, accessRev, revFloor, nodeId, at] of reads.all(ids) as StandingTuple[]) {
        const newest = nodeId === null || at === null ? undefined
          : { nodeId: nodeId as NodeId, at };
        found.set(id as SpaceId, { rev, accessRev, revFloor: revFloor ?? 0, newest });
      }
    });
    return found;
  }

  #inParts(ids: readonly number[], read: (ids: number[]) => void): void {
    if (ids.length === 0) return;
    if (ids.length <= FEW) {
      read(filledUp(ids, FEW));
      return;
    }
    onSnapshot(this.#reads, () => {
      for (let from = 0; from < ids.length; from += MANY) {
        read(filledUp(ids.slice(from, from + MANY), MANY));
      }
    });
  }
}

function filledUp(ids: readonly number[], length: number): number[] {
  return [...ids, ...Array.from({ length: length - ids.length }, () => NO_ID)];
}

export function toRecord(spaceId: SpaceId, row: ChainTuple): NodeRecord {
  const [mark, sizeBytes, changedAt, targetSpace, targetNode] = row.slice(NODE_COLUMNS) as
    (number | null)[];
  const figures = typeof mark === 'number' && typeof sizeBytes === 'number'
    && typeof changedAt === 'number' ? { mark, sizeBytes, changedAt } : undefined;
  const target = typeof targetSpace === 'number' && typeof targetNode === 'number'
    ? toTarget([targetSpace, targetNode]) : undefined;
  return toNodeRecord(spaceId, toNodeRow(row as unknown as NodeTuple), figures, target);
}

/** From the root to the node; undefined where a folder above is missing: then it is not live. */
function chainIn(records: ReadonlyMap<number, NodeRecord>, id: NodeId): NodeRecord[] | undefined {
  const chain: NodeRecord[] = [];
  for (let next: NodeId | undefined = id; next !== undefined && chain.length < CHAIN_MAX;) {
    const record = records.get(next);
    if (record === undefined) return undefined;
    chain.push(record);
    next = record.parentId;
  }
  return chain.reverse();
}
