export { AuditLog } from './audit-log.ts';
export { leaveEntry, takeEntries } from './audit-inbox.ts';
export { SpaceCursors } from './space-cursors.ts';
export { readHead } from './head-note.ts';
export { verifyAudit } from './read-audit.ts';
export { readNewestAudit } from './read-newest.ts';
export type { NewestPart, NewestWish } from './read-newest.ts';
export type { AuditBreak, AuditVerdict } from './read-audit.ts';
export type { AuditAct, AuditEntry, ChainPlace, NewAuditEntry } from './audit-entry.ts';
