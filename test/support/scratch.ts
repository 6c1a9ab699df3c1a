/** Folders that live as long as the test file that asked for them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

process.on('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
});

/** A new empty folder, removed when the process ends. */
export function scratchFolder(label: string): string {
  const path = mkdtempSync(join(tmpdir(), `holdfast-${label}-`));
  made.push(path);
  return path;
}
