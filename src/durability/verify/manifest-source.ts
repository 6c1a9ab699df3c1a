/** What the metadata refers to, for verifiers: read straight from where the metadata keeps it. */

/** Names one manifest: a version of a node, a held content, or a part of an upload. Plain data. */
export type ManifestKey =
  | readonly ['version', spaceId: number, nodeId: number, contentRev: number]
  | readonly ['held', heldId: number]
  | readonly ['part', owner: string, uploadId: string, number: number];

/** At once from a file, later from a server. */
export type Soon<T> = T | Promise<T>;

export interface ManifestRow {
  key: ManifestKey;
  manifest: Uint8Array;
}

/**
 * Reads the metadata without the code that writes it. Every answer is the newest committed state.
 * What was committed while pages are read may be missed; what was there all the time never is.
 * @throws unavailable, corrupt: the metadata cannot be read. It never answers "nothing" then.
 */
export interface ManifestSource {
  /** In a fixed order, strictly after `after`, at most `limit`; an empty page is the end. */
  page(after: ManifestKey | undefined, limit: number): Soon<readonly ManifestRow[]>;
  /** The manifest as it is now; undefined when nothing has this key any more. */
  find(key: ManifestKey): Soon<Uint8Array | undefined>;
  /** For each volume how many bytes were durable when metadata last referred to it. */
  marks(): Soon<ReadonlyMap<number, number>>;
}

/** For findings: ids only, and of an upload nothing that a user chose. */
export function placeOfManifest(key: ManifestKey): string {
  if (key[0] === 'part') return `a part of an upload, number ${key[3]}`;
  if (key[0] === 'held') return `held change ${key[1]}`;
  return `space ${key[1]}, node ${key[2]}, version ${key[3]}`;
}
