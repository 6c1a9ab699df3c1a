import type { Clock } from '../../../clock.ts';
import { clusterClosed, nodeNameTaken } from '../../cluster-refusals.ts';
import { NODE_DEAD_MS } from '../../node-registry.ts';
import type { NodeEntry, NodeRecord, NodeRegistry } from '../../node-registry.ts';

interface Row extends NodeEntry {
  startedAtMs: number;
  seenAtMs: number;
  quietRound: number;
}

/** A NodeRegistry in the memory of one process, for tests. */
export class MemoryNodeRegistry implements NodeRegistry {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async enter(node: NodeEntry, quietRound: number): Promise<void> {
    this.#check();
    const now = this.#clock.now();
    const there = this.#rows.get(node.name);
    const isAlive = there !== undefined && now - there.seenAtMs < NODE_DEAD_MS;
    if (isAlive && there.place !== node.place) throw nodeNameTaken(node.name, there.place);
    this.#rows.set(node.name, { ...node, startedAtMs: now, seenAtMs: now, quietRound });
  }

  async beat(
    { name, incarnation }: Pick<NodeEntry, 'name' | 'incarnation'>, quietRound: number,
  ): Promise<boolean> {
    this.#check();
    const row = this.#rows.get(name);
    if (row?.incarnation !== incarnation) return false;
    row.seenAtMs = this.#clock.now();
    row.quietRound = quietRound;
    return true;
  }

  async leave({ name, incarnation }: Pick<NodeEntry, 'name' | 'incarnation'>): Promise<void> {
    this.#check();
    if (this.#rows.get(name)?.incarnation === incarnation) this.#rows.delete(name);
  }

  async list(): Promise<NodeRecord[]> {
    this.#check();
    const rows = [...this.#rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return rows.map(({ seenAtMs, ...row }) => ({ ...row, silentMs: this.#clock.now() - seenAtMs }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #check(): void {
    if (this.#isClosed) throw clusterClosed();
  }
}
