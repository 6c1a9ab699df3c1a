/** What is different after a transfer. Pure. */
import type { Inventory, ShareLine } from './inventory.ts';

/** Sentences for the report; none: all has arrived as it was. */
export function differences(before: Inventory, after: Inventory): string[] {
  const found: string[] = [];
  for (const [noun, field] of COUNTED) {
    if (before[field] === after[field]) continue;
    found.push(`${noun}: ${before[field]} before, ${after[field]} after.`);
  }
  if (found.length === 0 && before.fingerprint !== after.fingerprint) {
    found.push('Some path, size, time or checksum is not what it was.');
  }
  const arrived = new Map(after.grants.map((grant, at) => [grant.id, { grant, at }]));
  for (const [at, grant] of before.grants.entries()) {
    const line = before.shares[at];
    const there = arrived.get(grant.id);
    if (line === undefined) continue;
    const now = there && after.shares[there.at];
    if (there === undefined || now === undefined) {
      found.push(`${nameOf(line)} did not come along.`);
      continue;
    }
    arrived.delete(grant.id);
    // Somebody may have used a link meanwhile.
    const isSame = JSON.stringify({ ...line, downloads: 0 })
      === JSON.stringify({ ...now, downloads: 0 }) && now.downloads >= line.downloads
      && JSON.stringify(grant.subject) === JSON.stringify(there.grant.subject)
      && grant.terms === there.grant.terms && grant.isShown === there.grant.isShown;
    if (!isSame) found.push(`${nameOf(line)} is not what it was.`);
  }
  for (const { at } of arrived.values()) {
    const line = after.shares[at];
    if (line !== undefined) found.push(`${nameOf(line)} was not there before.`);
  }
  return found;
}

const COUNTED = [
  ['Files', 'fileCount'], ['Folders', 'folderCount'], ['Bytes', 'sizeBytes'],
] as const;

function nameOf({ id, kind, whom, path }: ShareLine): string {
  const what = kind === 'link' ? 'Link' : `Share with ${kind} ${whom}`;
  return `${what} (${id}) at ${path}`;
}
