/** What the audit log says: docs/formats/audit.md. */
import { chainLine, unchainLine } from '../base/hash-chain.ts';

/** Closed: what is not in this list is not audited. */
export type AuditAct =
  // Changes of the tree; each answers one event of a space's journal.
  | 'create' | 'update' | 'move' | 'delete' | 'restore' | 'properties' | 'grant' | 'revoke'
  // What the journal does not know: entries taken out of the trash for good.
  | 'trash-emptied'
  // Reading, as far as it is audited.
  | 'download' | 'link-opened' | 'link-refused'
  // Who comes in.
  | 'signed-in' | 'sign-in-refused' | 'app-password-made' | 'app-password-removed'
  | 'session-ended' | 'api-token-made' | 'api-token-removed'
  | 'second-factor-on' | 'second-factor-off' | 'recovery-codes-made' | 'recovery-code-used'
  // What administrators do.
  | 'tenant-added' | 'tenant-moved'
  | 'user-added' | 'user-changed' | 'user-disabled' | 'user-enabled'
  | 'password-set' | 'group-changed' | 'quota-set' | 'retention-set' | 'lock-broken'
  | 'brake-applied' | 'brake-decided' | 'counters-healed' | 'files-transferred'
  | 'space-added' | 'collection-begun'
  // The log itself.
  | 'log-opened' | 'log-cut';

/** Entries are small: longer text is cut, and says so. */
export const TEXT_CHARACTERS_MAX = 1_000;
/** The longest line that a writer makes; a reader takes a longer one for damage. */
export const LINE_BYTES_MAX = 64 * 1024;

export interface NewAuditEntry {
  /** Milliseconds since 1970 UTC. */
  at: number;
  act: AuditAct;
  /** Who; '' for the program itself, or when nobody knows. */
  user: string;
  /** Name of the app password or session. */
  device?: string;
  /** Network address that the request came from. */
  from?: string;
  space?: number;
  /** The event of the space's journal that this entry repeats. */
  rev?: number;
  node?: number;
  name?: string;
  nameBefore?: string;
  folder?: number;
  folderBefore?: number;
  /** Whom or what it was done to, when that is no node: a user, a group, a link's label. */
  subject?: string;
  /** Anything else worth keeping, short. */
  note?: string;
}

export interface AuditEntry extends NewAuditEntry {
  /** 1, 2, 3 … over all segments. */
  seq: number;
}

/** First line of every segment: from it a segment can be read without the one before. */
export interface SegmentHeader {
  format: 1;
  tenant: string;
  /** `seq` of the first entry behind it. */
  first: number;
  /** Hash of the last line of the segment before; zeros for the first. */
  previous: string;
}

export interface ChainPlace {
  /** Of the last entry; 0 before the first. */
  seq: number;
  /** Of the last line, header or entry. */
  hash: string;
}

export function encodeEntry(
  entry: NewAuditEntry, after: ChainPlace,
): { line: string; place: ChainPlace } {
  const seq = after.seq + 1;
  // One for each change: the number is written in front, instead of copying the entry with it.
  const rest = JSON.stringify(shortened(entry)).slice(1);
  const { line, hash } = chainLine(`{"seq":${seq},${rest}`, after.hash);
  return { line, place: { seq, hash } };
}

/** Undefined when the line does not go on from `after`. */
export function decodeEntry(
  line: string, after: ChainPlace,
): { entry: AuditEntry; place: ChainPlace } | undefined {
  const decoded = unchainLine(line, after.hash);
  const value = decoded && parseObject(decoded.text);
  if (decoded === undefined || value?.['seq'] !== after.seq + 1) return undefined;
  const entry = value as unknown as AuditEntry;
  return { entry, place: { seq: entry.seq, hash: decoded.hash } };
}

export function encodeHeader(header: SegmentHeader): { line: string; place: ChainPlace } {
  const { line, hash } = chainLine(JSON.stringify(header), header.previous);
  return { line, place: { seq: header.first - 1, hash } };
}

export function decodeHeader(
  line: string,
): { header: SegmentHeader; place: ChainPlace } | undefined {
  const value = parseObject(line.slice(line.indexOf(' ') + 1));
  const { previous, first } = value ?? {};
  if (typeof previous !== 'string' || typeof first !== 'number') return undefined;
  const decoded = unchainLine(line, previous);
  if (decoded === undefined) return undefined;
  const header = value as unknown as SegmentHeader;
  return { header, place: { seq: header.first - 1, hash: decoded.hash } };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? value as Record<string, unknown> : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const TEXTS = ['user', 'device', 'from', 'name', 'nameBefore', 'subject', 'note'] as const;

/** Most entries hold no long text: they are written as they are. */
function shortened(entry: NewAuditEntry): NewAuditEntry {
  const isShort = TEXTS.every((key) => (entry[key]?.length ?? 0) <= TEXT_CHARACTERS_MAX);
  if (isShort) return entry;
  const cut = { ...entry };
  for (const key of TEXTS) {
    const value = cut[key];
    if (value === undefined || value.length <= TEXT_CHARACTERS_MAX) continue;
    cut[key] = `${value.slice(0, TEXT_CHARACTERS_MAX)}… (${value.length} characters)`;
  }
  return cut;
}
