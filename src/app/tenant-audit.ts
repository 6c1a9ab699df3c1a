/** The audit log of one tenant, and up to where it has followed the journal of each space. */
import { join } from 'node:path';
import { AuditLog, SpaceCursors, takeEntries } from '../audit/index.ts';
import type { NewAuditEntry } from '../audit/index.ts';
import type { SpaceId, TenantId } from '../base/ids.ts';

/** So often the cursors are written down, which spares the next start some reading. */
const SAVE_EVERY_ENTRIES = 10_000;

export class TenantAudit {
  readonly #folder: string;
  readonly #log: AuditLog;
  readonly #cursors: SpaceCursors;
  #savedSeq = 0;

  private constructor(folder: string, log: AuditLog, cursors: SpaceCursors) {
    this.#folder = folder;
    this.#log = log;
    this.#cursors = cursors;
  }

  /** @throws unavailable: the log cannot be read or written. */
  static async open(
    path: string, { tenant, now }: { tenant: TenantId; now: () => number },
  ): Promise<TenantAudit> {
    const folder = auditFolder(path, tenant);
    const log = await AuditLog.open({ folder, tenant, now });
    return new TenantAudit(folder, log, await SpaceCursors.open(folder));
  }

  /** Revision up to which a space was followed; 0 before its first event. */
  revOf(space: SpaceId): number {
    return this.#cursors.of(space);
  }

  /** Durable once resolved. @throws as AuditLog.append. */
  append(entry: NewAuditEntry): Promise<void> {
    return this.#log.append(entry);
  }

  /** Entries of a space's journal, up to and with `rev`. Durable once resolved. */
  async follow(
    space: SpaceId, { entries, rev }: { entries: readonly NewAuditEntry[]; rev: number },
  ): Promise<void> {
    await this.#log.appendAll(entries);
    const { seq } = this.#log.place;
    this.#cursors.advance(space, rev, seq);
    if (seq - this.#savedSeq < SAVE_EVERY_ENTRIES) return;
    this.#savedSeq = seq;
    await this.#cursors.save();
  }

  /** What commands have left for it. */
  async takeInbox(): Promise<void> {
    await takeEntries(this.#folder, (entry) => this.append(entry));
  }

  async close(): Promise<void> {
    await this.#cursors.save();
    await this.#log.close();
  }
}

/** Of a tenant, in a data directory. */
export function auditFolder(path: string, tenant: TenantId): string {
  return join(path, 'audit', tenant);
}
