/**
 * What a change of permission has changed in what a caller sees of a space.
 *
 * The grants of then are those as of the revision in the cursor, at the instant in the cursor, so
 * that what expired between is seen too. Only nodes at which something else is said about the
 * caller than before can be where something appears or disappears.
 */
import type { NodeId } from '../../base/ids.ts';
import type { GrantRecord, Instant } from '../../metadata/index.ts';
import { isInForce } from '../access.ts';
import { GrantTable, Ground } from '../view/ground.ts';
import type { GroundParts } from '../view/received.ts';

/** More places at which permission has changed are taken for all there are. */
export const SWITCHES_MAX = 500;

/** Permission as it was, and where it has become another. */
export interface Switches {
  before: Ground;
  nodes: readonly NodeId[];
}

/** What somebody may have changed without an event: then all that is seen there is seen anew. */
export type SwitchAnswer = Switches | 'nothing' | 'anything';

export interface ThenOptions {
  at: Instant;
  /** Grants as they were. */
  grants: readonly GrantRecord[];
}

export function switchesBetween(
  { ground, table, subjects, lapsed }: GroundParts, { at, grants }: ThenOptions,
): SwitchAnswer {
  const tableBefore = new GrantTable(grants);
  const before = new Ground({
    owner: ground.owner, mark: '', table: tableBefore, subjects, now: at, lapsed,
  });
  const nodes = new Set<NodeId>();
  for (const { nodeId } of [...tableBefore.to(subjects), ...table.to(subjects)]) {
    const isOther = before.step('none', nodeId) !== ground.step('none', nodeId)
      || before.step('owner', nodeId) !== ground.step('owner', nodeId);
    if (isOther) nodes.add(nodeId);
  }
  if (nodes.size === 0) return 'nothing';
  return nodes.size > SWITCHES_MAX ? 'anything' : { before, nodes: [...nodes] };
}

/** Whether time alone has made another grant count for these subjects. */
export function hasExpired(
  { table, subjects }: Pick<GroundParts, 'table' | 'subjects'>, at: Instant, now: Instant,
): boolean {
  return table.to(subjects).some((grant) => isInForce(grant, at) !== isInForce(grant, now));
}
