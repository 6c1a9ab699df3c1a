/**
 * Which tenants are not at home in this database, as the writer knows it. It is asked within each
 * transaction: what is written for a tenant that is frozen, or has moved, is refused, and nothing
 * else is. As long as all tenants are at home, asking costs nothing.
 */
import type { SpaceId, TenantId, UserId } from '../../../../base/ids.ts';
import { tenantFrozen, tenantMoved } from '../../../refusals.ts';
import type { WriteRows, WriterChange } from '../messages.ts';
import type { TreeState } from './tree-state.ts';

type Checked = Exclude<WriterChange, WriteRows>;

export class PlacementState {
  readonly #state: TreeState;
  #away: Map<TenantId, string> | undefined;

  constructor(state: TreeState) {
    this.#state = state;
  }

  #load(): ReadonlyMap<TenantId, string> {
    this.#away ??= new Map(this.#state.sql.listAway.all() as [TenantId, string][]);
    return this.#away;
  }

  /** @throws unavailable `tenant-frozen`, `tenant-moved`; not-found: no such space. */
  check(change: Checked): void {
    if (this.#load().size === 0) return;
    for (const tenant of this.#tenantsOf(change)) this.#checkTenant(tenant);
  }

  /** Of work that goes on in slices. */
  checkSpaces(spaceIds: readonly SpaceId[]): void {
    if (this.#load().size === 0) return;
    for (const spaceId of spaceIds) this.#checkTenant(this.#state.space(spaceId).tenant);
  }

  #checkTenant(tenant: TenantId): void {
    const state = this.#load().get(tenant);
    if (state === 'frozen') throw tenantFrozen();
    if (state !== undefined) throw tenantMoved();
  }

  #tenantsOf(change: Checked): TenantId[] {
    switch (change.op) {
      case 'ensure-space': return [change.wanted.tenant];
      case 'make-space':
      case 'set-tenant-quota': return [change.tenant];
      case 'set-retention': {
        const { scope } = change;
        return scope.kind === 'tenant' ? [scope.tenant] : this.#tenantsOfSpaces([scope.spaceId]);
      }
      case 'begin-upload':
      case 'put-part':
      case 'drop-upload': return this.#tenantsOfOwner(change.owner);
      case 'expire-uploads': return []; // It passes over those of tenants that are not at home.
      case 'note-batch': {
        const batch = this.#state.sql.getBatch.get(change.batchId) as [SpaceId] | undefined;
        return batch === undefined ? [] : this.#tenantsOfSpaces([batch[0]]);
      }
      case 'add-lock': return this.#tenantsOfSpaces([change.lock.spaceId]);
      case 'move':
      case 'copy': return this.#tenantsOfSpaces([change.spaceId, change.toSpaceId]);
      default: return this.#tenantsOfSpaces([change.spaceId]);
    }
  }

  #tenantsOfSpaces(spaceIds: readonly (SpaceId | undefined)[]): TenantId[] {
    return spaceIds.flatMap((id) => (id === undefined ? [] : [this.#state.space(id).tenant]));
  }

  #tenantsOfOwner(owner: UserId): TenantId[] {
    const row = this.#state.sql.findSpaceByOwner.get(owner) as [TenantId] | undefined;
    return row === undefined ? [] : [row[0]];
  }

  forget(): void {
    this.#away = undefined;
  }
}
