/** Which versions of a file are kept: all for a while, then one a day, then one a month. Pure. */
import type { Instant, VersionKey } from '../../../metadata/index.ts';

export const DAY_MS = 86_400_000;

export interface VersionPolicy {
  /** For so long every version stays; 0: for ever. */
  keepAllDays: number;
  /** For so long the last version of each day stays, and after that the last one of each month. */
  keepDailyDays: number;
}

/** `versions` are those of one file, oldest first. The newest is the file's content, and stays. */
export function versionsToDrop(
  versions: readonly VersionKey[], { keepAllDays, keepDailyDays }: VersionPolicy, now: Instant,
): VersionKey[] {
  if (keepAllDays === 0) return [];
  const dropped: VersionKey[] = [];
  for (const [index, version] of versions.entries()) {
    const next = versions[index + 1];
    if (next === undefined) break;
    const ageDays = (now - version.savedAt) / DAY_MS;
    if (ageDays <= keepAllDays) break;
    // Days and months in UTC: the same for whoever looks.
    const letters = ageDays <= keepDailyDays ? 'YYYY-MM-DD'.length : 'YYYY-MM'.length;
    const spanOf = ({ savedAt }: VersionKey): string =>
      new Date(savedAt).toISOString().slice(0, letters);
    if (spanOf(version) === spanOf(next)) dropped.push(version);
  }
  return dropped;
}
