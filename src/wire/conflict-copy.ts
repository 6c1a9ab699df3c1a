/** Names that programs give to a file when two have changed it at once. */

/**
 * `plan (conflicted copy 2026-11-21 101500).txt` of Nextcloud and ownCloud, with the name of a
 * user before it or not; `plan (Ada's conflicted copy 2026-11-21).txt` of Dropbox;
 * `plan.sync-conflict-20261121-101500-ABCDEFG.txt` of Syncthing; `plan (held 2026-11-21).txt` of
 * this server, after a device was held back.
 */
const CONFLICT = new RegExp([
  String.raw` ?\((?:[^()]{1,80} )?conflicted copy(?: [^()]{1,80})?\)`,
  String.raw`\.sync-conflict-\d{8}-\d{6}(?:-\w{1,20})?`,
  String.raw` \(held \d{4}-\d{2}-\d{2}(?: \d{1,4})?\)`,
].join('|'), 'i');

export function isConflictCopy(name: string): boolean {
  return CONFLICT.test(name);
}

/** What the file was called that both had changed; undefined: this is no conflict copy. */
export function originalOfConflict(name: string): string | undefined {
  return isConflictCopy(name) ? name.replace(CONFLICT, '') : undefined;
}
