import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseUserId } from '../base/ids.ts';
import type { GrantId, NodeId, SpaceId, UserId } from '../base/ids.ts';
import { ROLES } from '../base/roles.ts';
import type { Role } from '../base/roles.ts';
import type { GrantRecord, Subject } from '../metadata/index.ts';
import { accessOfRole, effective, explain } from './access.ts';
import type { Access, Subjects } from './access.ts';

const NOW = 1000;
const USERS = ['anna', 'ben', 'carl'].map(parseUserId);
const GROUPS = ['crew', 'board'];

interface World {
  /** By depth: what is granted at each node of the chain. */
  grants: GrantRecord[][];
  groups: Set<string>;
  user: UserId;
  owner: UserId | undefined;
}

const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.constantFrom(...USERS).map((id) => ({ kind: 'user' as const, id })),
  fc.constantFrom(...GROUPS).map((id) => ({ kind: 'group' as const, id })),
  fc.constant({ kind: 'link' as const, tokenHash: 'aa' }),
);

/** One grant per subject and node, as the store keeps them. */
const grantsAtNode = fc.uniqueArray(
  fc.record({
    subject, role: fc.constantFrom(...ROLES),
    expiresAt: fc.constantFrom(undefined, NOW - 1, NOW, NOW + 1),
  }),
  { selector: (grant) => JSON.stringify(grant.subject), maxLength: 5 },
);

const worlds: fc.Arbitrary<World> = fc.record({
  grants: fc.array(grantsAtNode, { minLength: 1, maxLength: 6 }).map((chain) =>
    chain.map((grants, depth) => grants.map((grant) => grantOf(grant, depth)))),
  groups: fc.subarray(GROUPS).map((ids) => new Set(ids)),
  user: fc.constantFrom(...USERS),
  owner: fc.constantFrom(undefined, ...USERS),
});

function grantOf(
  { subject: whom, role, expiresAt }: {
    subject: Subject; role: Role; expiresAt?: number | undefined;
  },
  depth: number,
): GrantRecord {
  return {
    id: (depth + 1) as GrantId, spaceId: 1 as SpaceId, nodeId: depth as NodeId, subject: whom, role,
    isShown: true, expiresAt, terms: '', createdBy: parseUserId('anna'), createdAt: 0, revFrom: 1,
    downloads: 0,
  };
}

function decide({ grants, groups, user, owner }: World): Role {
  const subjects: Subjects = { user, groups };
  return effective({
    subjects, ownerOf: owner, chain: grants.map((_, depth) => depth as NodeId),
    grantsAt: (node) => grants[node] ?? [], now: NOW,
  });
}

/** From the bottom up, by its definition: who says something here? Else ask the folder above. */
function decideNaively(world: World, depth = world.grants.length - 1): Role {
  if (world.user === world.owner) return 'owner';
  if (depth < 0) return 'none';
  const here = (world.grants[depth] ?? [])
    .filter(({ expiresAt = NOW + 1 }) => expiresAt > NOW);
  const mine = here.find((one) => one.subject.kind === 'user' && one.subject.id === world.user);
  if (mine !== undefined) return mine.role;
  const ranks = here.flatMap((one) =>
    (one.subject.kind === 'group' && world.groups.has(one.subject.id)
      ? [ROLES.indexOf(one.role)] : []));
  if (ranks.length > 0) return ROLES[Math.max(...ranks)] ?? 'none';
  return decideNaively(world, depth - 1);
}

describe('effective', () => {
  it('agrees with the naive model', () => {
    fc.assert(fc.property(worlds, (world) => {
      assert.equal(decide(world), decideNaively(world));
    }), { numRuns: 3000 });
  });

  it('gives nobody anything without a grant in force to them or their groups', () => {
    fc.assert(fc.property(worlds, (world) => {
      const strangers = { ...world, user: parseUserId('eve'), groups: new Set<string>() };
      assert.equal(decide(strangers), 'none');
    }));
  });

  it('lets a deeper word replace one from above, to more and to less', () => {
    const ben = { kind: 'user' as const, id: 'ben' };
    const say = (...roles: Role[]): World => ({
      grants: roles.map((role, depth) => [grantOf({ subject: ben, role }, depth)]),
      groups: new Set(), user: parseUserId('ben'), owner: undefined,
    });
    assert.equal(decide(say('editor', 'none')), 'none');
    assert.equal(decide(say('none', 'viewer')), 'viewer');
    assert.equal(decide(say('viewer', 'none', 'editor')), 'editor');
  });
});

describe('explain', () => {
  it('names everybody of whom effective says more than none, and nobody without a reason', () => {
    fc.assert(fc.property(worlds, (world) => {
      const chain = world.grants.map((_, depth) => depth as NodeId);
      const reasons = explain({
        ownerOf: world.owner, chain, grantsAt: (node) => world.grants[node] ?? [], now: NOW,
      });
      const named = reasons.some(({ subject: { kind, ...rest } }) => 'id' in rest && (
        (kind !== 'group' && rest.id === world.user)
        || (kind === 'group' && world.groups.has(rest.id))));
      if (decide(world) !== 'none') assert.ok(named);
      for (const { grant, nodeId } of reasons) assert.equal(grant?.nodeId ?? 0, nodeId);
    }));
  });

  it('says what was said last', () => {
    const crew = { kind: 'group' as const, id: 'crew' };
    const grants = [
      [grantOf({ subject: crew, role: 'editor' }, 0)], [],
      [grantOf({ subject: crew, role: 'none' }, 2)],
    ];
    const reasons = explain({
      ownerOf: parseUserId('anna'), chain: [0, 1, 2] as NodeId[],
      grantsAt: (node) => grants[node] ?? [], now: NOW,
    });
    assert.deepEqual(reasons.map(({ subject: whom, role, nodeId }) => [whom, role, nodeId]), [
      [{ kind: 'space-owner', id: 'anna' }, 'owner', 0], [crew, 'none', 2],
    ]);
  });
});

describe('roles', () => {
  it('grow: each may all that the weaker ones may', () => {
    for (const [index, role] of ROLES.entries()) {
      const weaker = accessOfRole(ROLES[Math.max(0, index - 1)] ?? 'none');
      const access = accessOfRole(role);
      for (const deed of Object.keys(weaker) as (keyof Access)[]) {
        assert.ok(access[deed] || !weaker[deed], `${role} ${deed}`);
      }
    }
    assert.equal(accessOfRole('uploader').update, false);
    assert.equal(accessOfRole('uploader').delete, false);
    assert.equal(accessOfRole('editor').share, false);
  });
});
