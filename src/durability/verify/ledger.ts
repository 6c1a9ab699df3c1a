/** Reads the ledger of volumes as docs/formats/ledger.md has it, without its writer's code. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { systemCode } from './volume/volume-folder.ts';

export interface LedgerEntry {
  /** 1, 2, 3 … */
  seq: number;
  atMs: number;
  act: string;
  volumeId: number;
  /** Only of `inspect`. */
  rescued: number;
  /** Only of `unlink`: `seq` of what allows it. */
  inspections: readonly number[];
  /** Lower-case hex; it depends on this entry and all before it. */
  hash: string;
}

export interface LedgerReader {
  /** All entries in order, with the chain of hashes checked. It ends early, with `isWhole` false,
   *  at the first entry that does not fit. @throws unavailable: the ledger cannot be read. */
  read(): Promise<{ entries: readonly LedgerEntry[]; isWhole: boolean }>;
}

const ZERO_HASH = '0'.repeat(64);
const HASH_CHARS = 64;

/** The ledger in a file; none is an empty one, from which nothing was ever taken away. */
export function ledgerFile(path: string): LedgerReader {
  return { read: async () => parseLedger(await readText(path)) };
}

/** What follows the last line's end was never acknowledged. */
export function parseLedger(text: string): { entries: LedgerEntry[]; isWhole: boolean } {
  const entries: LedgerEntry[] = [];
  let before = ZERO_HASH;
  for (const line of text.split('\n').slice(0, -1)) {
    const json = line.slice(HASH_CHARS + 1);
    const hash = createHash('sha256').update(`${before} ${json}`).digest('hex');
    const entry = line.startsWith(`${hash} `) ? parseEntry(json, hash) : undefined;
    if (entry?.seq !== entries.length + 1) return { entries, isWhole: false };
    entries.push(entry);
    before = hash;
  }
  return { entries, isWhole: true };
}

type Member = 'seq' | 'at' | 'act' | 'volume' | 'rescued' | 'inspections';

function parseEntry(json: string, hash: string): LedgerEntry | undefined {
  let value: Partial<Record<Member, unknown>>;
  try {
    value = JSON.parse(json) as Partial<Record<Member, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { seq, at, act, volume, rescued, inspections } = value;
  const isEntry = typeof seq === 'number' && typeof at === 'number' && typeof act === 'string'
    && typeof volume === 'number';
  if (!isEntry) return undefined;
  return {
    seq, atMs: at, act, volumeId: volume, hash,
    rescued: typeof rescued === 'number' ? rescued : 0,
    inspections: Array.isArray(inspections) ? inspections.map(Number) : [],
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return '';
    const message = 'The ledger of volumes cannot be read. Look at the disk.';
    const options = { facts: { code }, cause };
    throw new HoldfastError('unavailable', 'durability/ledgerFile', message, options);
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;
const TRASH_MS = 14 * DAY_MS;

/** Whether the entries before an `unlink` allow it: two inspections of that volume, a day apart,
 *  the first when it had lain in the trash for two weeks, and neither found anything needed. */
export function isUnlinkJustified(
  unlink: LedgerEntry, entries: readonly LedgerEntry[],
): boolean {
  let sinceMs: number | undefined;
  const passed = new Map<number, number>();
  for (const { seq, atMs, act, volumeId, rescued } of entries) {
    if (seq >= unlink.seq || volumeId !== unlink.volumeId) continue;
    const beginsAnew = act === 'trash' || act === 'found' || (act === 'inspect' && rescued > 0);
    if (beginsAnew) {
      sinceMs = atMs;
      passed.clear();
    } else if (act === 'inspect') passed.set(seq, atMs);
  }
  const [first, second] = unlink.inspections
    .map((seq) => passed.get(seq)).sort((a = 0, b = 0) => a - b);
  if (sinceMs === undefined || first === undefined || second === undefined) return false;
  return first - sinceMs >= TRASH_MS && second - first >= DAY_MS;
}
