/** Spaces of teams, as administrators keep them. */
import { Type } from 'typebox';
import { OF_TENANT } from './people.ts';
import { Bytes, Id, Instant, NameText, oneOfWords, PAGING, pageOf, shape } from './shapes.ts';

const Limit = Type.Union([Bytes, Type.Null()], { description: 'null: no limit of its own.' });

export const TeamSpaceShape = shape({
  id: Id, tenant: Id, name: Type.String(), usedBytes: Bytes,
  limitBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Missing: none of its own.' })),
  memberCount: Type.Integer({ minimum: 0, description: 'Users and groups that are in it.' }),
  createdAt: Instant,
}, { $id: 'TeamSpace' });
export const TeamSpaces = pageOf(TeamSpaceShape, 'TeamSpaces');
export const TeamSpacesQuery = shape({ ...OF_TENANT, ...PAGING });

export const NewTeamSpace = shape({
  name: NameText,
  ...OF_TENANT,
  owner: Type.Optional(Type.String({
    minLength: 1, maxLength: 64,
    description: 'Who may say who else is in it; whoever asks, when nobody is named.',
  })),
  limitBytes: Type.Optional(Limit),
}, { $id: 'NewTeamSpace' });
export const TeamSpaceChange = shape({ name: NameText }, { $id: 'TeamSpaceChange' });

const SubjectKind = oneOfWords(['user', 'group']);
export const TeamMemberShape = shape({
  kind: SubjectKind, id: Id,
  role: oneOfWords(['none', 'viewer', 'uploader', 'editor', 'owner']),
  since: Instant, until: Type.Optional(Instant),
}, { $id: 'TeamMember' });
export const TeamMembers = shape({ items: Type.Array(TeamMemberShape) }, { $id: 'TeamMembers' });
export const TeamMemberPath = shape({ id: Id, kind: SubjectKind, who: Id });
export const TeamRole = shape({
  role: oneOfWords(['viewer', 'uploader', 'editor', 'owner']),
}, { $id: 'TeamRole' });
