/** Spaces of teams, for administrators. The service judges who may. */
import { HoldfastError } from '../../base/errors.ts';
import { parseSpaceId, parseUserId } from '../../base/ids.ts';
import type { SpaceId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type { TeamMember, TeamService, TeamSpace } from '../../files/index.ts';
import { LIST_LIMIT_DEFAULT } from '../../wire/shapes.ts';
import {
  NewTeamSpace, TeamMemberPath, TeamMembers, TeamRole, TeamSpaceChange, TeamSpaces,
  TeamSpaceShape, TeamSpacesQuery,
} from '../../wire/teams.ts';
import type { Administration } from './administration.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { tenantMeant } from './tenant-rights.ts';

const TAG = 'administration';

export function teamsAdminResource(api: RestApi, { administration }: RestParts): void {
  if (administration === undefined) return;
  spaces(api, administration);
  members(api, administration.teams);
}

function spaces(api: RestApi, administration: Administration): void {
  const { teams } = administration;
  api.operation({
    id: 'listSpaces', tag: TAG, method: 'GET', path: '/spaces', scope: 'admin',
    summary: 'Spaces of teams, by id', query: TeamSpacesQuery,
    success: { status: 200, description: 'Spaces of teams.', schema: TeamSpaces },
    async answer({ caller, query }) {
      const tenant = tenantMeant(caller, query.tenant);
      const { cursor, limit = LIST_LIMIT_DEFAULT } = query;
      const list = `spaces ${tenant}`;
      const [after] = cursor === undefined ? [undefined] : readCursor(list, cursor, ['number']);
      const { teams: found, next } = await teams.list(caller, tenant, {
        limit, ...(after !== undefined && { after: parseSpaceId(after) }),
      });
      const more = next === undefined ? {} : { nextCursor: makeCursor(list, next) };
      return { body: { items: found.map(teamAnswer), ...more } };
    },
  });
  api.operation({
    id: 'makeSpace', tag: TAG, method: 'POST', path: '/spaces', scope: 'admin',
    summary: 'Make a space that belongs to a team', body: NewTeamSpace,
    success: { status: 201, description: 'The space.', schema: TeamSpaceShape },
    async answer({ caller, body }) {
      const { name, tenant: wanted, owner = caller.user, limitBytes } = body;
      const tenant = tenantMeant(caller, wanted);
      const team = await teams.make(caller, {
        tenant, name: parseName(name), owner: parseUserId(owner),
        quotaBytes: limitBytes ?? undefined,
      });
      const { user, device, address } = caller;
      administration.note({
        act: 'space-added', tenant, subject: team.name, note: `space ${team.id}, owner ${owner}`,
        by: { user, device, ...(address !== undefined && { address }) },
      });
      return { body: teamAnswer(team) };
    },
  });
  api.operation({
    id: 'getSpace', tag: TAG, method: 'GET', path: '/spaces/{id}', scope: 'admin',
    summary: 'One space of a team', params: ById,
    success: { status: 200, description: 'It.', schema: TeamSpaceShape },
    answer: async ({ caller, params }) => ({
      body: teamAnswer(await teams.get(caller, spaceIdOf(params.id))),
    }),
  });
  api.operation({
    id: 'changeSpace', tag: TAG, method: 'PATCH', path: '/spaces/{id}', scope: 'admin',
    summary: 'Rename a space of a team: for whoever joins from now on', params: ById,
    body: TeamSpaceChange,
    success: { status: 200, description: 'As it is now.', schema: TeamSpaceShape },
    answer: async ({ caller, params, body }) => ({
      body: teamAnswer(await teams.rename(caller, spaceIdOf(params.id), parseName(body.name))),
    }),
  });
}

/** What changes here the journal of the space tells, and so the audit log. */
function members(api: RestApi, teams: TeamService): void {
  api.operation({
    id: 'listSpaceMembers', tag: TAG, method: 'GET', path: '/spaces/{id}/members', scope: 'admin',
    summary: 'Who is in a team, and as what', params: ById,
    success: { status: 200, description: 'Users and groups.', schema: TeamMembers },
    answer: async ({ caller, params }) => ({
      body: { items: (await teams.members(caller, spaceIdOf(params.id))).map(memberAnswer) },
    }),
  });
  api.operation({
    id: 'setSpaceMember', tag: TAG, method: 'PUT', path: '/spaces/{id}/members/{kind}/{who}',
    scope: 'admin', summary: 'Take somebody into a team, or give them another role',
    params: TeamMemberPath, body: TeamRole, refusals: [409, 413],
    success: { status: 204, description: 'So it is.' },
    async answer({ caller, params: { id, kind, who }, body: { role } }) {
      await teams.setMember(caller, spaceIdOf(id), { kind, who, role });
      return {};
    },
  });
  api.operation({
    id: 'removeSpaceMember', tag: TAG, method: 'DELETE', path: '/spaces/{id}/members/{kind}/{who}',
    scope: 'admin', summary: 'Take somebody out of a team', params: TeamMemberPath,
    refusals: [409],
    success: { status: 204, description: 'They are not in it.' },
    async answer({ caller, params: { id, kind, who } }) {
      await teams.removeMember(caller, spaceIdOf(id), { kind, who });
      return {};
    },
  });
}

/** @throws not-found: also for what can be no id. */
export function spaceIdOf(text: string): SpaceId {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return parseSpaceId(Number(text));
  const message = 'There is no such space.';
  throw new HoldfastError('not-found', 'rest/spaces', message, { code: 'space-missing' });
}

function teamAnswer(team: TeamSpace) {
  const { id, tenant, name, usedBytes, quotaBytes, memberCount, createdAt } = team;
  return {
    id: String(id), tenant, name, usedBytes, memberCount, createdAt: timeText(createdAt),
    ...(quotaBytes !== undefined && { limitBytes: quotaBytes }),
  };
}

function memberAnswer({ kind, id, role, since, until }: TeamMember) {
  return {
    kind, id, role, since: timeText(since), ...(until !== undefined && { until: timeText(until) }),
  };
}
