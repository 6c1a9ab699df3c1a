/**
 * Where commands leave what they did while a server may hold the log: one small file each, synced
 * before the command answers. The server takes them over into the chain, and then removes them.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { NewAuditEntry } from './audit-entry.ts';

const INBOX = 'inbox';
const NAME = /^\d{15}-[0-9a-f-]{36}\.json$/;
const TIME_DIGITS = 15;
/** Taken over at once; the rest waits for the next time. */
const TAKE_MAX = 1_000;

/** Durable once resolved. */
export async function leaveEntry(folder: string, entry: NewAuditEntry): Promise<void> {
  const inbox = join(folder, INBOX);
  await mkdir(inbox, { recursive: true, mode: 0o700 });
  const name = `${String(entry.at).padStart(TIME_DIGITS, '0')}-${randomUUID()}.json`;
  const draft = join(inbox, `${name}.draft`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(entry));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(inbox, name));
  const directory = await open(inbox, 'r');
  await directory.sync().finally(() => directory.close());
}

/** Hands each entry over, oldest first, and removes it once `append` has resolved: a crash in
 *  between leaves it to be handed over twice. Answers how many there were. */
export async function takeEntries(
  folder: string, append: (entry: NewAuditEntry) => Promise<void>,
): Promise<number> {
  const inbox = join(folder, INBOX);
  const names = await readdir(inbox).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const whole = names.filter((name) => NAME.test(name)).sort().slice(0, TAKE_MAX);
  for (const name of whole) {
    const path = join(inbox, name);
    await append(JSON.parse(await readFile(path, 'utf8')) as NewAuditEntry);
    await unlink(path);
  }
  return whole.length;
}
