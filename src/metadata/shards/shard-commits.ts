/** Hands each change to the shard that it belongs to, and refuses what would lead to another. */
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Change, ChangeResult } from '../changes.ts';
import { checkChange } from '../check-change.ts';
import { batchMissing, otherTenant } from '../refusals.ts';
import { routeOf } from './change-route.ts';
import type { ChangeRoute } from './change-route.ts';
import type { ShardRouter } from './shard-router.ts';
import type { ShardStore } from './shard-store.ts';

const NOTHING: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };

export class ShardCommits {
  readonly #router: ShardRouter;

  constructor(router: ShardRouter) {
    this.#router = router;
  }

  /** Most changes are handed on before this returns: so those of one caller stay in order, and
   *  those that come together share a batch. @throws as MetadataStore.commit. */
  commit(change: Change): Promise<ChangeResult> {
    const route = routeOf(change);
    const store = this.#atOnce(change, route);
    return store === undefined ? this.#commit(change, route) : store.commit(change);
  }

  #atOnce(change: Change, route: ChangeRoute): ShardStore | undefined {
    switch (route.kind) {
      case 'space': {
        const { spaceId, other } = route;
        const store = this.#router.ofSpaceNow(spaceId);
        if (other !== undefined && this.#router.ofSpaceNow(other) !== store) return undefined;
        const receiver = change.op === 'put-grant' && change.subject.kind === 'user'
          ? change.subject : undefined;
        const isFar = receiver !== undefined && this.#router.ofPersonNow(receiver) !== store;
        return isFar ? undefined : store;
      }
      case 'owner': return this.#router.ofPersonNow({ kind: 'user', id: route.owner });
      case 'batch': return this.#router.ofNumberNow(route.batchId);
      default: return undefined;
    }
  }

  async #commit(change: Change, route: ChangeRoute): Promise<ChangeResult> {
    switch (route.kind) {
      case 'space': {
        const { spaceId, other } = route;
        if (other !== undefined) await this.#checkOther(change, spaceId, other);
        if (change.op === 'put-grant') await this.#checkReceiver(change, spaceId);
        return (await this.#router.ofSpace(spaceId)).commit(change);
      }
      case 'owner': return this.#ofOwner(route.owner, change);
      case 'tenant': return this.#ofTenant(route, change);
      case 'batch': return this.#ofBatch(route.batchId, change);
      default: return this.#onAll(change);
    }
  }

  /** Whoever is on another shard is of another tenant. */
  async #checkOther(change: Change, spaceId: SpaceId, other: SpaceId): Promise<void> {
    const from = await this.#router.ofSpace(spaceId);
    const to = await this.#router.ofSpace(other);
    if (from === to) return;
    checkChange(change);
    await from.getSpace(spaceId);
    await to.getSpace(other);
    throw otherTenant();
  }

  async #checkReceiver(
    change: Extract<Change, { op: 'put-grant' }>, spaceId: SpaceId,
  ): Promise<void> {
    const { subject } = change;
    if (subject.kind !== 'user') return;
    if (await this.#router.tenantOf(subject) === undefined) return;
    if (await this.#router.numberOf(subject) === this.#router.numberOfSpace(spaceId)) return;
    checkChange(change);
    await (await this.#router.ofSpace(spaceId)).getSpace(spaceId);
    throw otherTenant();
  }

  /** An upload is a write of its owner's tenant, which may have nothing else yet. */
  async #ofOwner(owner: UserId, change: Change): Promise<ChangeResult> {
    const tenant = await this.#router.tenantOf({ kind: 'user', id: owner }) ?? DEFAULT_TENANT;
    return this.#router.writeTo(tenant, (store) => store.commit(change));
  }

  async #ofTenant(
    { tenant, member }: { tenant: TenantId; member?: UserId }, change: Change,
  ): Promise<ChangeResult> {
    const known = member && await this.#router.tenantOf({ kind: 'user', id: member });
    if (known !== undefined && known !== tenant) {
      checkChange(change);
      throw otherTenant();
    }
    return this.#router.writeTo(tenant, (store) => store.commit(change));
  }

  /** A shard that a tenant was moved from still knows the batch, or not: then the next is asked. */
  async #ofBatch(batchId: number, change: Change): Promise<ChangeResult> {
    const made = await this.#router.search(batchId, async ({ number, store }) => {
      const batch = await store.findBatch(batchId);
      const isHome = batch !== undefined && this.#router.isHome(batch.spaceId, number);
      return isHome ? store.commit(change) : undefined;
    });
    if (made === undefined) throw batchMissing(batchId);
    return made;
  }

  /** What can be done is done; then the first failure is told. */
  async #onAll(change: Change): Promise<ChangeResult> {
    const ends = await Promise.allSettled(this.#router.inUse.map(({ store }) => {
      const there = store();
      return there instanceof Promise ? there.then((opened) => opened.commit(change))
        : there.commit(change);
    }));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw asError(failed.reason);
    return ends.reduce<ChangeResult>((sum, end) => (end.status === 'fulfilled'
      ? { ...sum, count: sum.count + end.value.count } : sum), NOTHING);
  }
}

function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  return new HoldfastError('internal', 'metadata/ShardCommits', String(reason));
}
