/**
 * Builds the tree anew from nothing but its events, as a reader of the journal would; looks up a
 * tree in a store in the same form. The two must be equal.
 *
 * A copy is one event. Whoever replays it needs the tree as it was at the revision the event names;
 * so this replayer remembers the trees that copies were made of.
 */
import assert from 'node:assert/strict';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { canonicalName } from '../../base/names.ts';
import type { CasePolicy } from '../../base/names.ts';
import { compareCodePoints } from '../dead-properties.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { EventKind, EventRecord, NodeKind, SpaceRecord } from '../records.ts';

interface Node {
  id: NodeId;
  /** undefined for the root, and for what was deleted. */
  parentId: NodeId | undefined;
  name: string;
  kind: NodeKind;
  contentRev: number;
}

type Tree = ReadonlyMap<NodeId, Node>;

/** Events that leave the tree as it is. */
const ASIDE: ReadonlySet<EventKind> = new Set<EventKind>(['grant', 'revoke']);

function membersOf(tree: Tree, parentId: NodeId, policy: CasePolicy): Node[] {
  return [...tree.values()].filter((node) => node.parentId === parentId).toSorted((a, b) =>
    compareCodePoints(canonicalName(a.name, policy), canonicalName(b.name, policy)));
}

interface Past {
  tree: Tree;
  policy: CasePolicy;
}

/** Adds what came with a copy: breadth first, consecutive ids, mounts left out, cut off after
 *  `nodeCount`. */
function addCopy(tree: Map<NodeId, Node>, past: Past, event: EventRecord): void {
  const { nodeId: fromId, nodeCount, contentRev: asRev } =
    event.copiedFrom ?? { nodeId: event.nodeId, nodeCount: 1 };
  const originals = [past.tree.get(fromId)];
  const copies = new Map<NodeId, NodeId>([[fromId, event.nodeId]]);
  for (let at = 0; at < originals.length && originals.length < nodeCount; at += 1) {
    const parent = originals[at];
    assert.ok(parent !== undefined);
    const members = membersOf(past.tree, parent.id, past.policy);
    for (const member of members.filter(({ kind }) => kind !== 'mount')) {
      const id = event.nodeId + originals.length as NodeId;
      copies.set(member.id, id);
      const contentRev = member.kind === 'folder' ? 0 : asRev ?? member.contentRev;
      tree.set(id, { ...member, id, parentId: copies.get(parent.id), contentRev });
      originals.push(member);
    }
  }
  assert.equal(originals.length, nodeCount, 'a copy event names the right number of nodes');
}

/** One space, with the trees that somebody needs again, by revision. */
interface History {
  space: SpaceRecord;
  events: readonly EventRecord[];
  /** Revisions that copies within the space were made of. */
  copied: ReadonlySet<number>;
  trees: Map<number, Tree>;
}

/** Replays spaces, and those that they were copied from, which are asked for earlier moments. */
class Replayer {
  readonly #store: MetadataStore;
  readonly #histories = new Map<SpaceId, History>();

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  async history(spaceId: SpaceId): Promise<History> {
    const known = this.#histories.get(spaceId);
    if (known !== undefined) return known;
    const space = await this.#store.getSpace(spaceId);
    const events: EventRecord[] = [];
    for (let page = await this.#store.listEvents(spaceId, 0, 2_000); page.length > 0;) {
      events.push(...page);
      page = await this.#store.listEvents(spaceId, events.length, 2_000);
    }
    const root: Node = { id: space.rootId, parentId: undefined, name: '', kind: 'folder',
      contentRev: 0 };
    const copied = new Set(events.flatMap(({ copiedFrom }) =>
      (copiedFrom === undefined || (copiedFrom.spaceId ?? spaceId) !== spaceId
        ? [] : [copiedFrom.rev])));
    const trees = new Map<number, Tree>([[0, new Map([[root.id, root]])]]);
    const history = { space, events, copied, trees };
    this.#histories.set(spaceId, history);
    return history;
  }

  async treeAt(spaceId: SpaceId, rev: number): Promise<Past> {
    const history = await this.history(spaceId);
    const tree = history.trees.get(rev) ?? await this.#replay(history, rev);
    return { tree, policy: history.space.casePolicy };
  }

  /** From the last tree that is known. */
  async #replay({ trees, events, copied }: History, rev: number): Promise<Tree> {
    const from = Math.max(...[...trees.keys()].filter((known) => known <= rev));
    const tree = new Map(trees.get(from));
    for (let at = from + 1; at <= rev; at += 1) {
      const event = events[at - 1];
      assert.ok(event !== undefined, 'nobody speaks of a revision that never was');
      assert.equal(event.rev, at, 'revisions have no gaps');
      if (!ASIDE.has(event.kind)) await this.#apply(tree, event);
      if (copied.has(at)) trees.set(at, new Map(tree));
    }
    trees.set(rev, tree);
    return tree;
  }

  async #apply(tree: Map<NodeId, Node>, event: EventRecord): Promise<void> {
    const { spaceId, nodeId, nodeKind, parentAfter, nameAfter, contentRev, kind } = event;
    if (parentAfter !== undefined) assert.ok(tree.has(parentAfter), 'parents are born first');
    if (kind === 'create') assert.ok(!tree.has(nodeId), 'an id is used once');
    const name = nameAfter ?? tree.get(nodeId)?.name ?? '';
    tree.set(nodeId, { id: nodeId, parentId: parentAfter, name, kind: nodeKind, contentRev });
    const { copiedFrom } = event;
    if (copiedFrom === undefined) return;
    addCopy(tree, await this.treeAt(copiedFrom.spaceId ?? spaceId, copiedFrom.rev), event);
  }
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
      if (kind !== 'folder') {
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
  const replayer = new Replayer(store);
  const { space, events } = await replayer.history(spaceId);
  assert.equal(events.length, space.rev, 'the space knows its newest revision');
  const lastAccess = events.findLast(({ kind }) => ASIDE.has(kind))?.rev ?? 0;
  assert.equal(space.accessRev, lastAccess, 'the space knows its newest grant');
  const { tree } = await replayer.treeAt(spaceId, space.rev);
  const { lines, fileBytes } = await linesIn(store, spaceId, space.rootId);
  assert.deepEqual(lines, linesOf(tree, space.rootId, space.casePolicy));
  assert.equal(fileBytes, space.usedBytes, 'used bytes are the sum of the live files');
}
