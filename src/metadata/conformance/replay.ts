/**
 * Builds the tree anew from nothing but its events, as a reader of the journal would; looks up a
 * tree in a store in the same form. The two must be equal.
 *
 * A copy is one event. Whoever replays it needs the tree as it was at the revision the event names;
 * so this replayer remembers all of its earlier trees.
 */
import assert from 'node:assert/strict';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { canonicalName } from '../../base/names.ts';
import type { CasePolicy } from '../../base/names.ts';
import { compareCodePoints } from '../dead-properties.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { EventRecord, NodeKind, SpaceRecord } from '../records.ts';

interface Node {
  id: NodeId;
  /** undefined for the root, and for what was deleted. */
  parentId: NodeId | undefined;
  name: string;
  kind: NodeKind;
  contentRev: number;
}

type Tree = ReadonlyMap<NodeId, Node>;

function membersOf(tree: Tree, parentId: NodeId, policy: CasePolicy): Node[] {
  return [...tree.values()].filter((node) => node.parentId === parentId).toSorted((a, b) =>
    compareCodePoints(canonicalName(a.name, policy), canonicalName(b.name, policy)));
}

/** Adds what came with a copy: breadth first, consecutive ids, cut off after `nodeCount`. */
function addCopy(tree: Map<NodeId, Node>, past: Tree, event: EventRecord, policy: CasePolicy):
void {
  const { nodeId: fromId, nodeCount } = event.copiedFrom ?? { nodeId: event.nodeId, nodeCount: 1 };
  const originals = [past.get(fromId)];
  const copies = new Map<NodeId, NodeId>([[fromId, event.nodeId]]);
  for (let at = 0; at < originals.length && originals.length < nodeCount; at += 1) {
    const parent = originals[at];
    assert.ok(parent !== undefined);
    for (const member of membersOf(past, parent.id, policy)) {
      const id = event.nodeId + originals.length as NodeId;
      copies.set(member.id, id);
      tree.set(id, { ...member, id, parentId: copies.get(parent.id) });
      originals.push(member);
    }
  }
  assert.equal(originals.length, nodeCount, 'a copy event names the right number of nodes');
}

function replay(events: readonly EventRecord[], space: SpaceRecord): Tree {
  const root: Node = { id: space.rootId, parentId: undefined, name: '', kind: 'folder',
    contentRev: 0 };
  const tree = new Map<NodeId, Node>([[root.id, root]]);
  const history: Tree[] = [new Map(tree)];
  for (const [index, event] of events.entries()) {
    const { rev, nodeId, nodeKind, parentAfter, nameAfter, contentRev, kind } = event;
    assert.equal(rev, index + 1, 'revisions have no gaps');
    if (parentAfter !== undefined) assert.ok(tree.has(parentAfter), 'parents are born first');
    if (kind === 'create') assert.ok(!tree.has(nodeId), 'an id is used once');
    const known = tree.get(nodeId);
    const name = nameAfter ?? known?.name ?? '';
    tree.set(nodeId, { id: nodeId, parentId: parentAfter, name, kind: nodeKind, contentRev });
    const past = history[event.copiedFrom?.rev ?? 0];
    if (event.copiedFrom !== undefined && past !== undefined) {
      addCopy(tree, past, event, space.casePolicy);
    }
    history.push(new Map(tree));
  }
  return tree;
}

function linesOf(tree: Tree, folderId: NodeId, policy: CasePolicy, prefix = ''): string[] {
  return membersOf(tree, folderId, policy).flatMap((node) => [
    `${prefix}${node.name} ${node.id} ${node.kind} ${node.contentRev}`,
    ...linesOf(tree, node.id, policy, `${prefix}${node.name}/`),
  ]);
}

async function linesIn(
  store: MetadataStore, spaceId: SpaceId, folderId: NodeId, prefix = '',
): Promise<{ lines: string[]; fileBytes: number }> {
  const lines: string[] = [];
  let fileBytes = 0;
  for await (const page of store.listFolder(spaceId, folderId)) {
    for (const { id, name, kind, contentRev, sizeBytes } of page) {
      lines.push(`${prefix}${name} ${id} ${kind} ${contentRev}`);
      if (kind === 'file') {
        fileBytes += sizeBytes;
        continue;
      }
      const below = await linesIn(store, spaceId, id, `${prefix}${name}/`);
      assert.equal(below.fileBytes, sizeBytes, 'a folder is as big as its files');
      fileBytes += below.fileBytes;
      lines.push(...below.lines);
    }
  }
  return { lines, fileBytes };
}

/** Asserts that journal, tree, sizes and the space's own figures agree. */
export async function assertConsistent(store: MetadataStore, spaceId: SpaceId): Promise<void> {
  const space = await store.getSpace(spaceId);
  const events: EventRecord[] = [];
  for (let page = await store.listEvents(spaceId, 0, 2_000); page.length > 0;) {
    events.push(...page);
    page = await store.listEvents(spaceId, events.length, 2_000);
  }
  assert.equal(events.length, space.rev, 'the space knows its newest revision');
  const tree = replay(events, space);
  const { lines, fileBytes } = await linesIn(store, spaceId, space.rootId);
  assert.deepEqual(lines, linesOf(tree, space.rootId, space.casePolicy));
  assert.equal(fileBytes, space.usedBytes, 'used bytes are the sum of the live files');
}
