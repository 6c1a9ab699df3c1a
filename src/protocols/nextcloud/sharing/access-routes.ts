/**
 * What the client protocol has no words for: who may do what on a folder without sharing it, who
 * can see it and why, and team folders. `apps/holdfast/api/v1/access` and `.../teams`, for scripts
 * and for pages to come.
 */
import { parseName } from '../../../base/names.ts';
import { isRole } from '../../../base/roles.ts';
import type { Role } from '../../../base/roles.ts';
import type { Reason, SharingService } from '../../../files/index.ts';
import type { Caller } from '../../../identity/index.ts';
import type { Exchange } from '../../../platform/index.ts';
import type { OcsAnswer, OcsValue } from '../ocs-envelope.ts';
import { invalid, parametersOf, pathIn } from './share-request.ts';
import type { Parameters } from './share-request.ts';

export const ACCESS_API = 'apps/holdfast/api/v1/';

interface AccessRequest {
  exchange: Exchange;
  caller: Caller;
  method: string;
}

export class AccessRoutes {
  readonly #sharing: SharingService;

  constructor({ sharing }: { sharing: SharingService }) {
    this.#sharing = sharing;
  }

  /** `route` is what follows ACCESS_API. undefined: there is nothing at this address. */
  async answer(route: string, request: AccessRequest): Promise<OcsAnswer | undefined> {
    const { caller, exchange, method } = request;
    const sharing = this.#sharing;
    const parameters = await parametersOf(exchange);
    if (route === 'access' && method === 'GET') {
      const reasons = await sharing.explain(caller, pathIn(parameters) ?? []);
      return { status: 200, data: reasons.map(reasonAnswer) };
    }
    if (route === 'access' && method === 'POST') {
      const { id, role } = await sharing.share(caller, wantedPath(parameters), {
        receiver: { kind: kindIn(parameters), id: parameters.get('id') ?? '' },
        role: roleIn(parameters), isShown: false,
      });
      return { status: 200, data: { id: String(id), role } };
    }
    if (route === 'teams' && method === 'POST') {
      const space = await sharing.makeTeam(caller, parseName(parameters.get('name') ?? ''));
      return { status: 200, data: { space: Number(space) } };
    }
    if (route === 'teams' && method === 'PUT') {
      const name = parseName(parameters.get('name') ?? '');
      await sharing.renameTeam(caller, wantedPath(parameters), name);
      return { status: 200, data: [] };
    }
    return undefined;
  }
}

function reasonAnswer({ subject, role, nodeId, grant }: Reason): OcsValue {
  return {
    kind: subject.kind, id: 'id' in subject ? subject.id : null, role, file_id: Number(nodeId),
    share_id: grant === undefined ? null : String(grant.id), until: grant?.expiresAt ?? null,
  };
}

function wantedPath(parameters: Parameters): NonNullable<ReturnType<typeof pathIn>> {
  const path = pathIn(parameters);
  if (path === undefined) throw invalid('Name the file or folder.');
  return path;
}

function kindIn(parameters: Parameters): 'user' | 'group' {
  const kind = parameters.get('kind');
  if (kind === 'user' || kind === 'group') return kind;
  throw invalid('The kind is "user" or "group".');
}

function roleIn(parameters: Parameters): Role {
  const role = parameters.get('role') ?? '';
  if (isRole(role)) return role;
  throw invalid('The role is one of: none, viewer, uploader, editor, owner.');
}
