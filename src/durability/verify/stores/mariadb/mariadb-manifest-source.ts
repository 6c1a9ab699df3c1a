/** Reads manifests on MariaDB as docs/formats/metadata.md describes them. */
import type { TenantId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import { namedSql } from '../../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress } from '../../../../platform/mariadb/index.ts';
import type { ManifestKey, ManifestRow, ManifestSource } from '../../manifest-source.ts';
import { MetadataReads, VERIFY_OWNER, behind } from './metadata-reads.ts';

/** One tenant's manifests alone. Parts of uploads of who has no space yet count as anybody's. */
export interface ManifestsOf {
  readonly tenant: TenantId;
  /** Of all marks those of the tenant's volumes, by their own numbers. */
  readonly ownMarks: (all: Iterable<readonly [number, number]>) => Iterable<[number, number]>;
}

const FIND = {
  version: namedSql('verifyFindVersion',
    'SELECT manifest FROM version WHERE space_id = ? AND node_id = ? AND content_rev = ?',
    VERIFY_OWNER),
  held: namedSql('verifyFindHeld', 'SELECT manifest FROM held_change WHERE id = ?', VERIFY_OWNER),
  part: namedSql('verifyFindPart',
    'SELECT manifest FROM upload_part WHERE owner = ? AND upload_id = ? AND number = ?',
    VERIFY_OWNER),
};
const MARKS = namedSql('verifyMarks', 'SELECT volume_id, durable_bytes FROM witness',
  VERIFY_OWNER);

export class MariadbManifestSource implements ManifestSource {
  readonly #reads: MetadataReads;
  readonly #of: ManifestsOf | undefined;

  /** Connects with the first question. */
  constructor(address: ServerAddress, clock: Clock, of?: ManifestsOf) {
    this.#reads = new MetadataReads(address, clock);
    this.#of = of;
  }

  async page(after: ManifestKey | undefined, limit: number): Promise<readonly ManifestRow[]> {
    const pages = this.#of === undefined ? ALL_PAGES : PAGES_OF_TENANT;
    if (after === undefined || after[0] === 'version') {
      const [, space, node, rev] = after ?? ['version', -1, -1, -1];
      const rows = await this.#ask(pages.versions, [space, node, rev, limit], 'version');
      if (rows.length > 0) return rows;
    }
    if (after?.[0] !== 'part') {
      const from = after?.[0] === 'held' ? after[1] : 0;
      const rows = await this.#ask(pages.held, [from, limit], 'held');
      if (rows.length > 0) return rows;
    }
    const [, owner, upload, number] = after?.[0] === 'part' ? after : ['part', '', '', -1];
    return this.#ask(pages.parts, [owner, upload, number, limit], 'part');
  }

  async #ask(
    statement: NamedSql, values: readonly unknown[], kind: ManifestKey[0],
  ): Promise<ManifestRow[]> {
    const of = this.#of === undefined ? [] : [this.#of.tenant];
    const rows = await this.#reads.rows(statement, ...values, ...of);
    return rows.map((row) => (
      { key: [kind, ...row.slice(0, -1)] as unknown as ManifestKey, manifest: row.at(-1) as Buffer }
    ));
  }

  async find([kind, ...key]: ManifestKey): Promise<Uint8Array | undefined> {
    const [row] = await this.#reads.rows(FIND[kind], ...key);
    return row?.[0] as Buffer | undefined;
  }

  async marks(): Promise<ReadonlyMap<number, number>> {
    const pairs = await this.#reads.rows(MARKS) as [number, number][];
    return new Map(this.#of === undefined ? pairs : this.#of.ownMarks(pairs));
  }

  async close(): Promise<void> {
    await this.#reads.close();
  }
}

/** The tenant is the last value. Each row is looked at by itself: going through the tenant's spaces
 *  would need a sort. */
function pagesOf(ofTenant: boolean) {
  const only = (condition: string): string => (ofTenant ? `AND ${condition}` : '');
  const named = (name: string, sql: string): NamedSql =>
    namedSql(`${name}${ofTenant ? 'OfTenant' : ''}`, sql, VERIFY_OWNER);
  return {
    versions: named('verifyVersions', `SELECT space_id, node_id, content_rev, manifest
      FROM version WHERE ${behind('space_id', 'node_id', 'content_rev')}
      ${only('(SELECT tenant FROM space WHERE id = version.space_id) = ?5')}
      ORDER BY space_id, node_id, content_rev LIMIT ?4`),
    held: named('verifyHeld', `SELECT id, manifest FROM held_change
      WHERE id > ?1 AND manifest IS NOT NULL
      ${only(`(SELECT space.tenant FROM quarantine JOIN space ON space.id = space_id
        WHERE quarantine.id = held_change.quarantine_id) = ?3`)} ORDER BY id LIMIT ?2`),
    parts: named('verifyParts', `SELECT owner, upload_id, number, manifest FROM upload_part
      WHERE ${behind('owner', 'upload_id', 'number')}
      ${only(`COALESCE((SELECT tenant FROM space
        WHERE space.owner = upload_part.owner), ?5) = ?5`)}
      ORDER BY owner, upload_id, number LIMIT ?4`),
  };
}

const ALL_PAGES = pagesOf(false);
const PAGES_OF_TENANT = pagesOf(true);
