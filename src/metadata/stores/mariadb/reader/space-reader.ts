/** Reads what a space has, each with one statement that tells as well whether there is such a
 *  space: "nothing" is never the answer about one that is not here. */
import type { SpaceId } from '../../../../base/ids.ts';
import type { GrantRecord, UsageRecord } from '../../../access-records.ts';
import type { Instant, LockRecord } from '../../../records.ts';
import { spaceMissing } from '../../../refusals.ts';
import type { AccessReader } from '../../sqlite/reader/access-reader.ts';
import { toLock, toSpace } from '../../sqlite/reader/record-reader.ts';
import type { LockTuple, SpaceTuple } from '../../sqlite/reader/record-reader.ts';
import { toGrant } from '../../sqlite/rows.ts';
import type { GrantTuple } from '../../sqlite/rows.ts';
import type { SqlStatement } from '../../sqlite/statements.ts';
import type { SPACE_STATEMENTS } from './reader-statements.ts';

type SpaceStatements = Readonly<Record<keyof typeof SPACE_STATEMENTS, SqlStatement>>;
type UsageTuple = [...space: SpaceTuple, reservedBytes: number, tenantQuotaBytes: number | null];

export class SpaceReader {
  readonly #sql: SpaceStatements;
  readonly #access: () => AccessReader;

  constructor(sql: SpaceStatements, access: () => AccessReader) {
    this.#sql = sql;
    this.#access = access;
  }

  /** See MetadataStore.listLocks. */
  listLocks(spaceId: SpaceId, at: Instant): LockRecord[] {
    const rows = this.#sql.locksOf.all({ space: spaceId, at }) as LockTuple[];
    return rowsOf(spaceId, rows).map((row) => toLock(spaceId, row));
  }

  /** See MetadataStore.listGrants. */
  listGrants(spaceId: SpaceId): readonly GrantRecord[] {
    const rows = this.#sql.grantsOf.all({ space: spaceId }) as GrantTuple[];
    return rowsOf(spaceId, rows).map(toGrant);
  }

  /** See MetadataStore.readUsage. */
  readUsage(spaceId: SpaceId, at: Instant): UsageRecord {
    const row = this.#sql.usageOf.get({ space: spaceId, at }) as UsageTuple | undefined;
    if (row === undefined) throw spaceMissing(spaceId);
    const [reservedBytes, tenantQuotaBytes] = row.slice(-2) as [number, number | null];
    const space = toSpace(row.slice(0, -2) as unknown as SpaceTuple);
    if (tenantQuotaBytes !== null) return this.#access().usage(space, at);
    const { tenant, usedBytes, quotaBytes } = space;
    return { tenant, usedBytes, reservedBytes, quotaBytes, ofTenant: undefined };
  }
}

function rowsOf<R extends readonly unknown[]>(spaceId: SpaceId, rows: readonly R[]): readonly R[] {
  const [first] = rows;
  if (first === undefined) throw spaceMissing(spaceId);
  return first[0] === null ? [] : rows;
}
