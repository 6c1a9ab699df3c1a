/** Writes the canary's ledger as docs/formats/ledger.md has it. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

export interface ToldEntry {
  at: number;
  act: string;
  volume: number;
  [member: string]: number | string | readonly number[];
}

export async function appendToLedger(path: string, told: ToldEntry): Promise<void> {
  const text = await readFile(path, 'utf8');
  const lines = text.split('\n').slice(0, -1);
  const before = lines.at(-1)?.slice(0, 64) ?? '0'.repeat(64);
  const entry = JSON.stringify({ seq: lines.length + 1, ...told });
  const hash = createHash('sha256').update(`${before} ${entry}`).digest('hex');
  await writeFile(path, `${text}${hash} ${entry}\n`);
}
