/** The audit log as a table for other programs. */
import type { AuditEntry } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';

export interface AuditFilter {
  readonly user?: string;
  readonly act?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Entries of one file; a larger log is exported piece by piece, by time. */
const ENTRIES_MAX = 50_000;
const PAGE = 1_000;
const FIELDS = [
  'seq', 'at', 'act', 'user', 'device', 'from', 'spaceId', 'nodeId', 'folderId', 'name',
  'nameBefore', 'subject', 'note',
] as const;

export async function exportEntries(
  filter: AuditFilter,
): Promise<{ entries: AuditEntry[]; isWhole: boolean }> {
  const entries: AuditEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.listAudit({
      ...filter, limit: PAGE, ...(cursor !== undefined && { cursor }),
    });
    entries.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && entries.length < ENTRIES_MAX);
  return { entries, isWhole: cursor === undefined };
}

/** RFC 4180. A cell that a spreadsheet would take for a formula is marked as text. */
export function auditCsv(entries: readonly AuditEntry[]): string {
  const lines = entries.map((entry) => FIELDS.map((field) => cellOf(entry[field])).join(','));
  return `${[FIELDS.join(','), ...lines].join('\r\n')}\r\n`;
}

function cellOf(value: string | number | undefined): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function saveText(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it by the next turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
