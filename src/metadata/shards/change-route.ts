/** Which shard a change goes to, by what it names. */
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { Change } from '../changes.ts';

export type ChangeRoute =
  /** `other`: a space that it touches or names besides. */
  | { kind: 'space'; spaceId: SpaceId; other?: SpaceId }
  | { kind: 'owner'; owner: UserId }
  | { kind: 'tenant'; tenant: TenantId; member?: UserId }
  | { kind: 'batch'; batchId: number }
  | { kind: 'all' };

export function routeOf(change: Change): ChangeRoute {
  switch (change.op) {
    case 'begin-upload': case 'put-part': case 'drop-upload':
      return { kind: 'owner', owner: change.owner };
    case 'expire-uploads': return { kind: 'all' };
    case 'make-space':
      return { kind: 'tenant', tenant: change.tenant, member: change.firstOwner };
    case 'set-tenant-quota': return { kind: 'tenant', tenant: change.tenant };
    case 'set-retention': return change.scope;
    case 'note-batch': return { kind: 'batch', batchId: change.batchId };
    case 'add-lock': return { kind: 'space', spaceId: change.lock.spaceId };
    case 'mount': return { kind: 'space', spaceId: change.spaceId, other: change.target.spaceId };
    case 'move': case 'copy': {
      const { spaceId, toSpaceId: other } = change;
      return { kind: 'space', spaceId, ...(other !== undefined && { other }) };
    }
    default: return { kind: 'space', spaceId: change.spaceId };
  }
}
