/** Which node of each database cluster this process works on: told by what speaks to clusters, and
 *  read by who watches, who need not load that. */

/** One cluster, for as long as the process lives. */
export interface NodesInUse {
  /** Host and port of each, in the order of the settings. */
  readonly names: readonly string[];
  /** Of the node in use, in `names`. */
  place(): number;
  /** Grows with each return to a node that was left before. */
  returnedAt(): number;
}

const told: NodesInUse[] = [];

/** Once for each cluster. */
export function tellNodes(nodes: NodesInUse): void {
  told.push(nodes);
}

export function nodesInUse(): readonly NodesInUse[] {
  return told;
}
