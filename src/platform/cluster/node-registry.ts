/** The nodes of an installation: processes that serve on one database. */

export interface NodeEntry {
  /** As the settings say. Never of two processes at a time. */
  readonly name: string;
  /** Another one with each start. */
  readonly incarnation: string;
  /** Of the program. */
  readonly version: string;
  /** The machine and the data directory, which one process at a time has locked. */
  readonly place: string;
}

export interface NodeRecord extends NodeEntry {
  readonly startedAtMs: number;
  /** For how long it has not told that it is there. */
  readonly silentMs: number;
  /** See NodeRegistry.beat. */
  readonly quietRound: number;
}

/** A node that was silent for so long is taken for dead, until it is heard again. */
export const NODE_DEAD_MS = 10_000;
/** For so long what a node may have begun is waited for when it fell silent without a farewell. */
export const NODE_AWAITED_MS = 24 * 60 * 60 * 1000;

/**
 * Kept where all nodes look, and judged by the clock there. All methods may run concurrently.
 * Durability: an answer survives a power cut. Errors: `unavailable` and `busy` from every method;
 * doing it again is right.
 */
export interface NodeRegistry {
  /** A node begins to serve. In place of an earlier process of its name, when that had the same
   *  place or is dead. @throws conflict `node-name-taken`: it is alive elsewhere. */
  enter(node: NodeEntry, quietRound: number): Promise<void>;

  /** It is there. `quietRound`: everything that goes on in it began after it had read the round of
   *  the list of leaving blocks with this number (see storage/shared). False: it was forgotten, or
   *  another process has its name: then it must enter anew, or end. */
  beat(node: Pick<NodeEntry, 'name' | 'incarnation'>, quietRound: number): Promise<boolean>;

  /** It has ended, and nothing goes on in it. Calm when it is gone already. */
  leave(node: Pick<NodeEntry, 'name' | 'incarnation'>): Promise<void>;

  /** By name, the dead ones included. */
  list(): Promise<NodeRecord[]>;

  /** Calm when called twice. From then on every method is refused with `unavailable`. */
  close(): Promise<void>;
}

/** What everything that goes on in any node began after. Nodes that were silent for a day count no
 *  more: they take no uploads by then. */
export function quietRoundOf(nodes: readonly NodeRecord[]): number {
  const awaited = nodes.filter(({ silentMs }) => silentMs < NODE_AWAITED_MS);
  return Math.min(Number.MAX_SAFE_INTEGER, ...awaited.map(({ quietRound }) => quietRound));
}
