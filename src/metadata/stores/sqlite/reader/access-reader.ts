/**
 * Reads grants, mounts and quotas.
 *
 * Whoever serves requests asks for the grants and mounts of a caller again and again, and they
 * change seldom. Nobody but this process writes; so what was read is remembered until a change that
 * may touch it was reported (`noteChange`), and asking costs no statement. What is remembered is
 * handed out as it is: nobody may change it.
 */
import type { NodeId, SpaceId, TenantId } from '../../../../base/ids.ts';
import { GRANTS_TO_MAX } from '../../../access-changes.ts';
import type {
  GrantRecord, MountRecord, ReservationRecord, SpaceMounts, Subject, UsageFigures, UsageRecord,
} from '../../../access-records.ts';
import type { Change } from '../../../changes.ts';
import type { Instant, SpaceRecord } from '../../../records.ts';
import { SUBJECT_KINDS, subjectText, toGrant, toTarget } from '../rows.ts';
import type { GrantTuple } from '../rows.ts';
import type { ReadStatements } from './read-statements.ts';
import type { TreeReader } from './tree-reader.ts';

/** Entries of each of the memories below; a full one begins anew. */
const REMEMBERED_MAX = 10_000;

/** Changes after which other grants hold. */
const GRANT_OPS: ReadonlySet<Change['op']> =
  new Set<Change['op']>(
    ['put-grant', 'remove-grant', 'count-download', 'make-space', 'purge-slice'],
  );

/** Changes after which mounts may be elsewhere, or gone, or back. */
const MOUNT_OPS: ReadonlySet<Change['op']> = new Set<Change['op']>(
  ['mount', 'unmount', 'move', 'copy', 'delete', 'restore'],
);

class Remembered<K, V> {
  readonly #values = new Map<K, V>();

  find(key: K, read: () => V): V {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = read();
    if (this.#values.size >= REMEMBERED_MAX) this.#values.clear();
    this.#values.set(key, value);
    return value;
  }

  drop(key: K): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}

export class AccessReader {
  readonly #reads: ReadStatements;
  readonly #tree: TreeReader;
  readonly #grants = new Remembered<SpaceId, readonly GrantRecord[]>();
  readonly #revs = new Remembered<SpaceId, number>();
  readonly #grantsTo = new Remembered<string, readonly GrantRecord[]>();
  /** The same, by the very list that was asked with: most callers ask with theirs again. */
  #grantsToList = new WeakMap<readonly Subject[], readonly GrantRecord[]>();
  readonly #mounts = new Remembered<SpaceId, SpaceMounts>();

  constructor(reads: ReadStatements, tree: TreeReader) {
    this.#reads = reads;
    this.#tree = tree;
  }

  /** To be called when a change was reported, before its caller is told; also when nobody knows
   *  whether it was made. */
  noteChange(change: Change): void {
    const isAcross = change.op === 'move' && change.toSpaceId !== undefined;
    if (GRANT_OPS.has(change.op) || isAcross) {
      this.#grantsTo.clear();
      this.#grantsToList = new WeakMap();
      if ('spaceId' in change) {
        this.#grants.drop(change.spaceId);
        this.#revs.drop(change.spaceId);
      }
      if (isAcross && change.toSpaceId !== undefined) {
        this.#grants.drop(change.toSpaceId);
        this.#revs.drop(change.toSpaceId);
      }
    }
    if (!MOUNT_OPS.has(change.op) || !('spaceId' in change)) return;
    this.#mounts.drop(change.spaceId);
    if ('toSpaceId' in change && change.toSpaceId !== undefined) {
      this.#mounts.drop(change.toSpaceId);
    }
  }

  /** Any of it may have changed. */
  forget(): void {
    this.#grants.clear();
    this.#revs.clear();
    this.#grantsTo.clear();
    this.#mounts.clear();
  }

  /** Undefined: no such space. */
  accessRev(spaceId: SpaceId): number | undefined {
    const read = (): number => {
      const row = this.#reads.getAccessRev.get(spaceId) as [number] | undefined;
      return row?.[0] ?? -1;
    };
    const rev = this.#revs.find(spaceId, read);
    if (rev >= 0) return rev;
    this.#revs.drop(spaceId); // It may be made yet.
    return undefined;
  }

  listGrants(spaceId: SpaceId): readonly GrantRecord[] {
    return this.#grants.find(spaceId, () =>
      (this.#reads.listGrants.all(spaceId) as GrantTuple[]).map(toGrant));
  }

  listGrantsTo(subjects: readonly Subject[]): readonly GrantRecord[] {
    const known = this.#grantsToList.get(subjects);
    if (known !== undefined) return known;
    const found = this.#findGrantsTo(subjects);
    this.#grantsToList.set(subjects, found);
    return found;
  }

  #findGrantsTo(subjects: readonly Subject[]): readonly GrantRecord[] {
    const keys = subjects.filter(({ kind }) => kind !== 'link')
      .map((subject) => [SUBJECT_KINDS.indexOf(subject.kind), subjectText(subject)] as const);
    return this.#grantsTo.find(JSON.stringify(keys), () => {
      const found = new Map<number, GrantRecord>();
      for (const [kind, text] of keys) {
        const rows = this.#reads.listGrantsTo.all(kind, text, GRANTS_TO_MAX) as GrantTuple[];
        for (const row of rows) found.set(row[0], toGrant(row));
      }
      return [...found.values()].toSorted((a, b) => a.id - b.id).slice(0, GRANTS_TO_MAX);
    });
  }

  findLink(tokenHash: string): GrantRecord | undefined {
    const kind = SUBJECT_KINDS.indexOf('link');
    const row = this.#reads.findLink.get(kind, tokenHash) as GrantTuple | undefined;
    return row && toGrant(row);
  }

  listMounts(spaceId: SpaceId): SpaceMounts {
    return this.#mounts.find(spaceId, () => this.#readMounts(spaceId));
  }

  #readMounts(spaceId: SpaceId): SpaceMounts {
    const rows = this.#reads.listMounts.all(spaceId) as [number, number, number][];
    const mounts = rows.flatMap(([nodeId, targetSpace, targetNode]): MountRecord[] => {
      const chain = this.#tree.findPlace(spaceId, nodeId as NodeId);
      const own = chain?.at(-1);
      const above = chain?.slice(0, -1).map(({ id }) => id) ?? [];
      const parentId = above.at(-1);
      if (own === undefined || parentId === undefined) return [];
      const { id, name } = own;
      const target = toTarget([targetSpace, targetNode]);
      return [{ spaceId, nodeId: id, parentId, name, target, above }];
    });
    const declined = this.#reads.listDeclined.all(spaceId) as [number, number][];
    return { mounts, declined: declined.map(toTarget) };
  }

  listReservations(spaceId: SpaceId, at: Instant): ReservationRecord[] {
    const rows = this.#reads.listReservations.all(spaceId, at) as [string, number, number][];
    return rows.map(([reservationId, bytes, expiresAt]) =>
      ({ spaceId, reservationId, bytes, expiresAt }));
  }

  usage({ id, tenant, usedBytes, quotaBytes }: SpaceRecord, at: Instant): UsageRecord {
    const [reservedBytes] = this.#reads.sumReservations.get({ space: id, at }) as [number];
    return { tenant, usedBytes, reservedBytes, quotaBytes, ofTenant: this.#limitOf(tenant, at) };
  }

  #limitOf(tenant: TenantId, at: Instant): UsageFigures | undefined {
    return this.#quotaOf(tenant) === undefined ? undefined : this.tenantUsage(tenant, at);
  }

  #quotaOf(tenant: TenantId): number | undefined {
    const row = this.#reads.getTenantQuota.get(tenant) as [number | null] | undefined;
    return row?.[0] ?? undefined;
  }

  tenantUsage(tenant: TenantId, at: Instant): UsageFigures {
    const quotaBytes = this.#quotaOf(tenant);
    const [usedBytes] = this.#reads.sumTenant.get(tenant) as [number];
    const [reservedBytes] = this.#reads.sumTenantReservations.get({ tenant, at }) as [number];
    return { usedBytes, reservedBytes, quotaBytes };
  }
}
