/** A note of where an audit log ended a moment ago, so that a shortened log is noticed. */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ZERO_HASH } from '../base/hash-chain.ts';
import type { ChainPlace } from './audit-entry.ts';

const NAME = 'head.json';

/** The beginning when there is none, or none that can be understood: then nothing is claimed. */
export async function readHead(folder: string): Promise<ChainPlace> {
  const none = { seq: 0, hash: ZERO_HASH };
  try {
    const { seq, hash } = JSON.parse(await readFile(join(folder, NAME), 'utf8')) as
      Partial<ChainPlace>;
    return typeof seq === 'number' && typeof hash === 'string' ? { seq, hash } : none;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    if (error instanceof SyntaxError) return none;
    throw error;
  }
}

export async function writeHead(folder: string, { seq, hash }: ChainPlace): Promise<void> {
  const draft = join(folder, `${NAME}.draft`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ seq, hash })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, NAME));
}
