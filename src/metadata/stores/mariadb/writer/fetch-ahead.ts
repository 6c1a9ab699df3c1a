/**
 * Reads at the begin of a batch what its changes are going to ask one by one: the node that each is
 * about, and what stands under the name that each is to take. Two statements for the whole batch,
 * in place of one or two for every change.
 *
 * What is fetched here is only a guess at the questions: a wrong one costs a row, never an answer.
 */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import type { WriterChange } from '../../sqlite/messages.ts';
import type { LinkClient } from '../link/link-client.ts';
import type { Step } from '../link/link-messages.ts';
import type { SqlValue } from '../named-sql.ts';
import type { LinkedStatements } from './linked-statements.ts';

const NODE = `n.id, n.parent_id, n.canon, n.name, n.kind, n.size_bytes, n.modified_at,
  n.created_at, n.mark, n.content_rev, n.checksums`;
const COUNTS = [8, 32, 128, 512] as const;
const FILLER: readonly SqlValue[] = [0, 0, ''];

function sqlFor(name: string, on: string, count: number): string {
  const rows = `SELECT ? AS v0, ? AS v1, ? AS v2${' UNION ALL SELECT ?, ?, ?'.repeat(count - 1)}`;
  return `/* holdfast:${name} */ SELECT n.space_id, ${NODE.replaceAll(/\s+/g, ' ')}
    FROM (${rows}) v STRAIGHT_JOIN node n ON n.space_id = v.v0 AND ${on}`;
}

const TEXTS = new Map(COUNTS.map((count) => [count, {
  children: sqlFor('fetchChildren', 'n.parent_id = v.v1 AND n.canon = v.v2', count),
  nodes: sqlFor('fetchNodes', 'n.id = v.v1 AND v.v2 = \'\'', count),
}]));

interface Wanted {
  children: Map<string, [SpaceId, NodeId, string]>;
  nodes: Map<string, [SpaceId, NodeId]>;
}

type Policies = ReadonlyMap<SpaceId, CasePolicy>;

interface Place {
  spaceId: SpaceId;
  parentId: NodeId;
  name: Name;
}

function placeOf(change: WriterChange): Place | undefined {
  switch (change.op) {
    case 'put-file':
    case 'make-folder':
    case 'mount': return change;
    case 'move':
    case 'copy': {
      const { spaceId, toSpaceId = spaceId, toParentId: parentId, toName: name } = change;
      return { spaceId: toSpaceId, parentId, name };
    }
    case 'restore': {
      const { spaceId, toParentId: parentId, toName: name } = change;
      return { spaceId, parentId, name };
    }
    default: return undefined;
  }
}

function wantedBy(changes: readonly WriterChange[], policies: Policies): Wanted {
  const wanted: Wanted = { children: new Map(), nodes: new Map() };
  for (const change of changes) {
    const place = placeOf(change);
    const casePolicy = place && policies.get(place.spaceId);
    if (place !== undefined && casePolicy !== undefined) {
      const { spaceId, parentId, name } = place;
      const canon = canonicalName(name, casePolicy);
      wanted.children.set(JSON.stringify([spaceId, parentId, canon]), [spaceId, parentId, canon]);
    }
    if (!('nodeId' in change) || !('spaceId' in change) || change.op === 'restore') continue;
    const { spaceId, nodeId } = change;
    wanted.nodes.set(JSON.stringify([spaceId, nodeId]), [spaceId, nodeId]);
  }
  return wanted;
}

function stepFor(kind: 'children' | 'nodes', keys: readonly SqlValue[][]): Step | undefined {
  const count = COUNTS.find((each) => each >= keys.length);
  const texts = count === undefined ? undefined : TEXTS.get(count);
  if (keys.length < 2 || count === undefined || texts === undefined) return undefined;
  const rows = Array.from({ length: count }, (_, at) => keys[at] ?? FILLER);
  return { text: texts[kind], values: rows.flat() };
}

const policiesKnown = new Map<SpaceId, CasePolicy>();
const POLICIES_MAX = 10_000;

/** How names are compared in a space never changes, so it is asked for once. */
function policiesOf(statements: LinkedStatements, changes: readonly WriterChange[]): Policies {
  for (const change of changes) {
    const spaceId = placeOf(change)?.spaceId;
    if (spaceId === undefined || policiesKnown.has(spaceId)) continue;
    const row = statements.sql.getSpace.get(spaceId) as unknown[] | undefined;
    if (row === undefined) continue;
    if (policiesKnown.size >= POLICIES_MAX) policiesKnown.clear();
    policiesKnown.set(spaceId, row[4] as CasePolicy);
  }
  return policiesKnown;
}

export function fetchAhead(
  link: LinkClient, statements: LinkedStatements, changes: readonly WriterChange[],
): void {
  if (changes.length < 2) return;
  const { children, nodes } = wantedBy(changes, policiesOf(statements, changes));
  const childKeys = [...children.values()];
  const nodeKeys = [...nodes.values()].map(([spaceId, nodeId]) => [spaceId, nodeId, '']);
  const childStep = stepFor('children', childKeys);
  const nodeStep = stepFor('nodes', nodeKeys);
  const steps = [childStep, nodeStep].filter((step) => step !== undefined);
  const answers = link.run(steps);
  if (childStep !== undefined) {
    const found = byKey(answers[0]?.rows ?? [], ([, parentId, canon]) => [parentId, canon]);
    for (const [key, values] of children) {
      statements.remember('getChild', values, found.get(key) ?? []);
    }
  }
  if (nodeStep !== undefined) {
    const found = byKey(answers.at(-1)?.rows ?? [], ([id]) => [id]);
    for (const [key, values] of nodes) {
      statements.remember('getNode', values, found.get(key) ?? []);
    }
  }
}

/** Rows that begin with their space, as the statements of the writer would answer each. */
function byKey(
  rows: readonly unknown[][], keyOf: (row: unknown[]) => unknown[],
): Map<string, unknown[][]> {
  return new Map(rows.map(([spaceId, ...row]) =>
    [JSON.stringify([spaceId, ...keyOf(row)]), [row]]));
}
