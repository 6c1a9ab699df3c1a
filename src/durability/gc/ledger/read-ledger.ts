/** Reads the ledger from front to back and checks its chain. Writes nothing. */
import { open } from 'node:fs/promises';
import { HoldfastError } from '../../../base/errors.ts';
import type { LedgerHead } from '../gc-store.ts';
import { ZERO_HASH } from '../../../base/hash-chain.ts';
import { decodeLine, type LedgerEntry } from './ledger-entry.ts';

const OP = 'durability/readLedger';
/** About a million entries: four for each gigabyte that was ever given back. */
export const LEDGER_BYTES_MAX = 512 * 1024 ** 2;

export interface LedgerContent {
  entries: LedgerEntry[];
  /** Of the last entry; number 0 when there is none. */
  head: LedgerHead;
  /** Up to here the file is right. */
  soundBytes: number;
  /** Bytes behind it that are no whole line: an entry that was never acknowledged. */
  tornBytes: number;
}

/**
 * `known` is what somebody else remembers of the ledger's end. With it a last line that is wrong is
 * told from one that was never acknowledged, and a ledger that has become shorter is found.
 * @throws corrupt: the chain is broken, or entries are missing at the end; unavailable.
 */
export async function readLedger(path: string, known?: LedgerHead): Promise<LedgerContent> {
  const bytes = await readAll(path);
  const entries: LedgerEntry[] = [];
  let head: LedgerHead = { seq: 0, hash: ZERO_HASH };
  let knownIsThere = known === undefined || known.seq === 0;
  let at = 0;
  for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
    const decoded = decodeLine(bytes.toString('utf8', at, end), head);
    if (decoded === undefined) {
      const isLast = end === bytes.length - 1;
      if (isLast && known?.hash === head.hash) break;
      throw damaged('ledger-broken', 'The ledger of volumes is damaged.', head.seq + 1);
    }
    entries.push(decoded.entry);
    head = { seq: decoded.entry.seq, hash: decoded.hash };
    knownIsThere ||= known?.seq === head.seq && known.hash === head.hash;
    at = end + 1;
  }
  if (!knownIsThere) {
    const message = 'Entries are missing at the end of the ledger of volumes, or were exchanged.';
    throw damaged('ledger-shorter', message, known?.seq ?? 0);
  }
  return { entries, head, soundBytes: at, tornBytes: bytes.length - at };
}

async function readAll(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      if ((await file.stat()).size > LEDGER_BYTES_MAX) {
        throw damaged('ledger-too-large', 'The ledger of volumes is larger than it can be.', 0);
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOENT') return Buffer.alloc(0);
    const message = 'The ledger of volumes cannot be read. Look at the disk.';
    throw new HoldfastError('unavailable', OP, message, { facts: { code }, cause: error });
  }
}

function damaged(code: string, message: string, seq: number): HoldfastError {
  const advice = ' Nothing is moved or removed until it is put right from a backup.';
  return new HoldfastError('corrupt', OP, message + advice, { code, facts: { seq } });
}
