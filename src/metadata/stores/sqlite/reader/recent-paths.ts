/**
 * Paths that were followed since the last commit was reported, with what was found.
 *
 * A read must see every change that was reported before it began, and nobody but this process
 * writes. So an answer stays right until the next report, which moves `generation` on. Where
 * nothing is written, hot files cost no statement at all; where much is written, the way to a
 * folder into which many files go is followed once per group commit and not once per file.
 */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import type { NodeRecord } from '../../../records.ts';

const PATHS_MAX = 32_000;

/** Where a path begins: at a node, or at the root. */
export interface PathStart {
  spaceId: SpaceId;
  from: NodeId | undefined;
}

export interface ParentPath {
  /** From the start to the folder that the path lies in. */
  chain: NodeRecord[];
  casePolicy: CasePolicy;
}

export class RecentPaths {
  readonly #generation: () => number;
  readonly #chains = new Map<string, NodeRecord[]>();
  readonly #parents = new Map<string, ParentPath>();
  #asOf = -1;

  constructor(generation: () => number) {
    this.#generation = generation;
  }

  find(start: PathStart, path: readonly Name[]): NodeRecord[] | undefined {
    this.#freshen();
    return this.#chains.get(keyOf(start, path));
  }

  note(start: PathStart, path: readonly Name[], chain: NodeRecord[]): void {
    if (this.#chains.size >= PATHS_MAX) this.#chains.clear();
    this.#chains.set(keyOf(start, path), [...chain]);
  }

  findParent(start: PathStart, path: readonly Name[]): ParentPath | undefined {
    this.#freshen();
    return this.#parents.get(keyOf(start, path.slice(0, -1)));
  }

  noteParent(start: PathStart, path: readonly Name[], parent: ParentPath): void {
    if (this.#parents.size >= PATHS_MAX) this.#parents.clear();
    this.#parents.set(keyOf(start, path.slice(0, -1)), parent);
  }

  #freshen(): void {
    const generation = this.#generation();
    if (generation === this.#asOf) return;
    this.#asOf = generation;
    this.#chains.clear();
    this.#parents.clear();
  }
}

/** No name holds a slash; 0 is no node's id. */
function keyOf({ spaceId, from }: PathStart, path: readonly Name[]): string {
  return `${spaceId}:${from ?? 0}/${path.join('/')}`;
}
