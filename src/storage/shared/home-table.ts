/** Which tenants have a block home: docs/formats/block-homes.md. */
import type { TenantId } from '../../base/ids.ts';

export interface HomeEntry {
  readonly tenant: string;
  readonly number: number;
  readonly policy: string;
  readonly founded: boolean;
}

/** The list where all servers see it. Durable once resolved; @throws unavailable, busy. What is
 *  done once may be asked for again. Numbers are never given twice. */
export interface HomeTable {
  read(): Promise<HomeEntry[]>;
  /** With the next number, not founded. */
  add(tenant: TenantId, policy: string): Promise<void>;
  /** As it stands in the file of a server that was alone. Leaves what is there as it is. */
  take(entry: HomeEntry): Promise<void>;
  noteFounded(tenant: TenantId): Promise<void>;
  close(): Promise<void>;
}
