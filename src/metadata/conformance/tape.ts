/** Random work on a space, written so that two stores can do it: nodes are named by where they
 *  stand in the list of all nodes that were ever met, not by their ids. */
import fc from 'fast-check';
import { parseUserId } from '../../base/ids.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type { Actor, Change, Expectation } from '../changes.ts';
import type { LockRecord, TrashRecord } from '../records.ts';
import { NOON } from './hand.ts';

const NODES_MANY = 100;
const NAMES = ['a', 'b', 'A', 'caf\u00e9', 'cafe\u0301', '\u{1F600}', '\uFF21'];

const name = fc.constantFrom(...NAMES);
const node = fc.nat({ max: 40 });
const shared = { user: fc.constantFrom('anna', 'ben'), shows: fc.boolean() };
const lockId = fc.nat({ max: 4 });

/** What a step wants to do; every number is taken modulo what is there. */
export const STEP = fc.oneof(
  { weight: 6, arbitrary: fc.record({
    op: fc.constant('put-file' as const), node, name, bytes: fc.nat({ max: 9 }),
    expects: fc.constantFrom('nothing', 'absent', 'mark', 'stale'), ...shared,
  }) },
  { weight: 4, arbitrary: fc.record({
    op: fc.constant('make-folder' as const), node, name, ...shared,
  }) },
  { weight: 4, arbitrary: fc.record({
    op: fc.constant('move' as const), node, to: node, name, replace: fc.boolean(), ...shared,
  }) },
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('copy' as const), node, to: node, name, replace: fc.boolean(),
    depth: fc.constantFrom('0' as const, 'infinity' as const), ...shared,
  }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), node, ...shared }) },
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('restore' as const), entry: node, to: node, name, ...shared,
  }) },
  fc.record({ op: fc.constant('set-times' as const), node, time: fc.nat(), ...shared }),
  fc.record({ op: fc.constant('set-properties' as const), node, name, ...shared }),
  fc.record({ op: fc.constant('set-checksums' as const), node, ...shared }),
  fc.record({
    op: fc.constant('add-lock' as const), node, lockId,
    scope: fc.constantFrom('exclusive' as const, 'shared' as const),
    depth: fc.constantFrom('0' as const, 'infinity' as const),
    lastsMs: fc.constantFrom(5, 1_000), ...shared,
  }),
  fc.record({ op: fc.constant('refresh-lock' as const), lockId, ...shared }),
  fc.record({ op: fc.constant('remove-lock' as const), lockId, ...shared }),
  fc.record({
    op: fc.constant('set-quota' as const),
    quotaBytes: fc.constantFrom(undefined, 0, 20, 60), ...shared,
  }),
);

export type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** Groups of steps: those of one group are handed in at once. */
export const TAPE = fc.array(fc.array(STEP, { minLength: 1, maxLength: 6, size: 'max' }),
  { maxLength: 25, size: 'max' });

export interface Scene {
  spaceId: SpaceId;
  /** All nodes ever met, the root first. */
  nodes: readonly NodeId[];
  /** Of the nodes above, those that are folders. */
  folders: readonly NodeId[];
  trash: readonly TrashRecord[];
  markOf(nodeId: NodeId): number;
  now: number;
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

function actorOf(step: Step, at: number): Actor {
  const tokens = [0, 1, 2, 3, 4].map((id) => `t${id}`);
  return { user: parseUserId(step.user), device: 'd', at, lockTokens: step.shows ? tokens : [] };
}

function expectation(expects: string, nodeId: NodeId, scene: Scene): Expectation | undefined {
  if (expects === 'nothing') return undefined;
  if (expects === 'absent') return 'absent';
  return { nodeId, mark: scene.markOf(nodeId) + (expects === 'stale' ? 1 : 0) };
}

/** The step as a change of this scene. */
// eslint-disable-next-line complexity -- One short case for each kind of step.
export function toChange(step: Step, scene: Scene): Change {
  const { spaceId, nodes, folders, trash, now } = scene;
  const [root] = nodes;
  const actor = actorOf(step, now);
  const nodeAt = (index: number): NodeId => pick(nodes, index) ?? root as NodeId;
  const folderAt = (index: number): NodeId => pick(folders, index) ?? root as NodeId;
  switch (step.op) {
    case 'put-file': {
      const expect = expectation(step.expects, nodeAt(step.node), scene);
      const content = { sizeBytes: step.bytes, manifest: Buffer.from([step.bytes]), checksums: '' };
      return {
        op: 'put-file', spaceId, parentId: folderAt(step.node), name: parseName(step.name), content,
        modifiedAt: undefined, actor, ...(expect !== undefined && { expect }),
      };
    }
    case 'make-folder':
      return { op: step.op, spaceId, parentId: folderAt(step.node), name: parseName(step.name),
        actor };
    case 'move':
    case 'copy': {
      const place = {
        spaceId, nodeId: nodeAt(step.node), toParentId: folderAt(step.to), actor,
        toName: parseName(step.name), replace: step.replace,
      };
      if (step.op === 'move') return { op: 'move', ...place };
      // Copies of copies would double the tree again and again.
      return { op: 'copy', ...place, depth: nodes.length < NODES_MANY ? step.depth : '0' };
    }
    case 'delete': return { op: 'delete', spaceId, nodeId: nodeAt(step.node), actor };
    case 'restore': {
      const entry = pick(trash, step.entry);
      return {
        op: 'restore', spaceId, nodeId: entry?.nodeId ?? nodeAt(0),
        deletedRev: entry?.deletedRev ?? 1, toParentId: folderAt(step.to),
        toName: parseName(step.name), actor,
      };
    }
    case 'set-times':
      return { op: step.op, spaceId, nodeId: nodeAt(step.node), modifiedAt: step.time, actor };
    case 'set-properties': {
      const property = { namespace: 'n', name: step.name, xml: `${now - NOON}` };
      const isSet = step.shows;
      return {
        op: step.op, spaceId, nodeId: nodeAt(step.node), set: isSet ? [property] : [],
        remove: isSet ? [] : [property], actor,
      };
    }
    case 'set-checksums':
      return { op: step.op, spaceId, nodeId: nodeAt(step.node), checksums: `MD5:${now}`,
        contentRev: scene.markOf(nodeAt(step.node)) };
    case 'add-lock': {
      const lock: LockRecord = {
        token: `t${step.lockId}`, spaceId, nodeId: nodeAt(step.node), scope: step.scope,
        depth: step.depth, ownerXml: '', holder: actor.user, expiresAt: now + step.lastsMs,
      };
      return { op: step.op, lock, actor };
    }
    case 'refresh-lock':
      return { op: step.op, spaceId, token: `t${step.lockId}`, expiresAt: now + 50, actor };
    case 'remove-lock': return { op: step.op, spaceId, token: `t${step.lockId}`, actor };
    default: return { op: 'set-quota', spaceId, quotaBytes: step.quotaBytes };
  }
}
