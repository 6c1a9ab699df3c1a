/** Random work on two spaces that know of each other: all of tape.ts, and grants, mounts, moves to
 *  the other space, reservations. Everything is named by its place in a list, as there. */
import fc from 'fast-check';
import { parseUserId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import { ROLES } from '../../base/roles.ts';
import type { GrantRecord, MountRecord, Subject } from '../access-records.ts';
import type { Actor, Change } from '../changes.ts';
import { STEP, toChange } from './tape.ts';
import type { Scene } from './tape.ts';

const nat = fc.nat({ max: 40 });
const name = fc.constantFrom('a', 'b', 'A', 'x.txt', 'caf\u00e9');
const reservation = fc.nat({ max: 3 });

const ACCESS_STEP = fc.oneof(
  { weight: 7, arbitrary: fc.record({
    op: fc.constant('put-grant' as const), node: fc.nat({ max: 1 }), subject: fc.nat({ max: 4 }),
    role: fc.constantFrom(...ROLES), isShown: fc.boolean(), grant: fc.option(nat, { freq: 2 }),
    lastsMs: fc.constantFrom(undefined, 5, 1_000),
  }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove-grant' as const), grant: nat }) },
  fc.record({ op: fc.constant('count-download' as const), grant: nat,
    countMax: fc.constantFrom(undefined, 1) }),
  fc.record({ op: fc.constant('rename-space' as const), name }),
  { weight: 4, arbitrary: fc.record({
    op: fc.constant('mount' as const), node: nat, name, target: nat,
  }) },
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('unmount' as const), mount: nat, isDeclined: fc.boolean(),
  }) },
  // As if they were files: most of this is refused.
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('mistreat' as const), mount: nat, node: nat, name,
    how: fc.constantFrom('delete', 'copy', 'move', 'move-on', 'times', 'grant', 'across'),
  }) },
  { weight: 4, arbitrary: fc.record({
    op: fc.constant('across' as const), node: nat, to: nat, name, replace: fc.boolean(),
    isMove: fc.boolean(), isDeep: fc.boolean(), shows: fc.boolean(), withGrants: fc.boolean(),
  }) },
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('reserve-quota' as const), reservation, bytes: fc.nat({ max: 90 }),
    lastsMs: fc.constantFrom(5, 1_000),
  }) },
  fc.record({ op: fc.constant('drop-reservation' as const), reservation }),
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('put-reserved' as const), node: nat, name, reservation,
    bytes: fc.nat({ max: 90 }),
  }) },
  fc.record({ op: fc.constant('recount' as const) }),
);

const ANY_STEP = fc.record({
  step: fc.oneof({ weight: 1, arbitrary: STEP }, { weight: 1, arbitrary: ACCESS_STEP }),
  /** Which of the two spaces it is done in. */
  place: fc.constantFrom(0 as const, 1 as const),
});

export type SharedStep = typeof ANY_STEP extends fc.Arbitrary<infer T> ? T : never;
type AccessStep = typeof ACCESS_STEP extends fc.Arbitrary<infer T> ? T : never;

export const SHARED_TAPE = fc.array(
  fc.array(ANY_STEP, { minLength: 1, maxLength: 6, size: 'max' }), { maxLength: 25, size: 'max' },
);

export interface SharedScene extends Scene {
  /** Of this space. */
  grants: readonly GrantRecord[];
  mounts: readonly MountRecord[];
}

/** Copies of copies would double the trees again and again. */
const NODES_MANY = 60;

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

/** Links have the run's own `tag`: their tokens are unique over all spaces of a store. */
function subjectOf(index: number, tag: string): Subject {
  if (index < 2) return { kind: 'user', id: ['anna', 'ben'][index] ?? '' };
  if (index === 2) return { kind: 'group', id: 'anna' };
  return { kind: 'link', tokenHash: `${tag}-${index}` };
}

export function toSharedChange(
  { step, place }: SharedStep, scenes: readonly [SharedScene, SharedScene], tag: string,
): Change {
  const here = scenes[place];
  const there = scenes[place === 0 ? 1 : 0];
  const isAccess = 'user' in step ? undefined : step;
  if (isAccess === undefined) return toChange(step as never, here);
  return toAccessChange(isAccess, { here, there, tag });
}

interface Both {
  here: SharedScene;
  there: SharedScene;
  tag: string;
}

// eslint-disable-next-line complexity -- One short case for each kind of step.
function toAccessChange(step: AccessStep, { here, there, tag }: Both): Change {
  const { spaceId, nodes, folders, now } = here;
  const [root] = nodes;
  const actor: Actor = { user: parseUserId('anna'), device: 'd', at: now, lockTokens: [] };
  const base = { spaceId, actor };
  const nodeAt = (index: number) => pick(nodes, index) ?? root as NonNullable<typeof root>;
  const folderAt = (index: number) => pick(folders, index) ?? root as NonNullable<typeof root>;
  const grantAt = (index: number) => pick(here.grants, index)?.id ?? 999_999 as GrantRecord['id'];
  switch (step.op) {
    case 'put-grant': {
      const known = step.grant === null ? undefined : pick(here.grants, step.grant);
      return {
        ...base, op: step.op, nodeId: known?.nodeId ?? nodeAt(step.node), role: step.role,
        subject: subjectOf(step.subject, tag), isShown: step.isShown, terms: step.role,
        expiresAt: step.lastsMs === undefined ? undefined : now + step.lastsMs,
        ...(known !== undefined && { grantId: known.id }),
      };
    }
    case 'remove-grant': return { ...base, op: step.op, grantId: grantAt(step.grant) };
    case 'count-download': {
      const { countMax } = step;
      const grantId = grantAt(step.grant);
      return { op: step.op, spaceId, grantId, ...(countMax !== undefined && { countMax }) };
    }
    case 'rename-space': return { ...base, op: step.op, name: parseName(step.name) };
    case 'mount': {
      const nodeId = pick(there.nodes, step.target) ?? nodeAt(0);
      const target = { spaceId: there.spaceId, nodeId };
      const parentId = folderAt(step.node);
      return { ...base, op: step.op, parentId, name: parseName(step.name), target };
    }
    case 'unmount': {
      const nodeId = pick(here.mounts, step.mount)?.nodeId ?? nodeAt(step.mount);
      return { ...base, op: step.op, nodeId, isDeclined: step.isDeclined };
    }
    case 'mistreat': return mistreated(step, base, { here, there, tag });
    case 'across': {
      const change = {
        ...base, nodeId: nodeAt(step.node), toSpaceId: there.spaceId,
        toParentId: pick(there.folders, step.to) ?? nodeAt(0), toName: parseName(step.name),
        replace: step.replace,
        actor: { ...actor, lockTokens: step.shows ? ['t0', 't1', 't2', 't3', 't4'] : [] },
      };
      if (step.isMove) return { ...change, op: 'move', withGrants: step.withGrants };
      const isDeep = step.isDeep && there.nodes.length < NODES_MANY;
      return { ...change, op: 'copy', depth: isDeep ? 'infinity' : '0' };
    }
    case 'reserve-quota': return {
      op: step.op, spaceId, reservationId: `r${step.reservation}`, bytes: step.bytes, at: now,
      expiresAt: now + step.lastsMs,
    };
    case 'drop-reservation':
      return { op: step.op, spaceId, reservationId: `r${step.reservation}` };
    case 'put-reserved': {
      const { bytes } = step;
      const content = { sizeBytes: bytes, manifest: Buffer.from([bytes]), checksums: '' };
      return {
        ...base, op: 'put-file', parentId: folderAt(step.node), name: parseName(step.name),
        content, modifiedAt: undefined, reservationId: `r${step.reservation}`,
      };
    }
    default: return { ...base, op: 'recount' };
  }
}

function mistreated(
  step: AccessStep & { op: 'mistreat' }, base: { spaceId: Scene['spaceId']; actor: Actor },
  { here, there, tag }: Both,
): Change {
  const [root] = here.nodes;
  const mount = pick(here.mounts, step.mount);
  const nodeId = mount?.nodeId ?? root as NonNullable<typeof root>;
  const toParentId = pick(here.folders, step.node) ?? nodeId;
  const place = { ...base, nodeId, toParentId, toName: parseName(step.name), replace: true };
  switch (step.how) {
    case 'delete': return { ...base, op: 'delete', nodeId };
    case 'copy': return { ...place, op: 'copy', depth: 'infinity' };
    case 'move': return { ...place, op: 'move' };
    case 'move-on': {
      const onto = { toParentId: mount?.parentId ?? nodeId, toName: parseName(mount?.name ?? 'a') };
      return { ...place, ...onto, op: 'move', nodeId: pick(here.nodes, step.node) ?? nodeId };
    }
    case 'times': return { ...base, op: 'set-times', nodeId, modifiedAt: 7 };
    case 'grant': return {
      ...base, op: 'put-grant', nodeId, subject: subjectOf(0, tag), role: 'viewer', isShown: true,
      expiresAt: undefined, terms: '',
    };
    default: {
      const { spaceId: toSpaceId, nodes } = there;
      return { ...place, op: 'move', toSpaceId, toParentId: nodes[0] ?? toParentId };
    }
  }
}
