/** Reads DATA/metadata.db as docs/formats/metadata.md describes it, read-only, beside a server. */
import type Database from 'better-sqlite3';
import type { TenantId } from '../../../../base/ids.ts';
import { prepareTexts, sqliteText } from '../../../../platform/index.ts';
import type { ManifestKey, ManifestRow, ManifestSource } from '../../manifest-source.ts';
import { explainedRead, openMetadataReadonly } from './open-metadata-readonly.ts';

const OP = 'durability/SqliteManifestSource';
const OWNER = 'durability.manifests';
/** Format of the metadata database. */
const HOLDS_SINCE = 3;

const VERSIONS = `
SELECT space_id AS space, node_id AS node, content_rev AS rev, manifest FROM version
WHERE (space_id, node_id, content_rev) > (?, ?, ?) AND $ofTenant
ORDER BY space_id, node_id, content_rev LIMIT ?`;

/** Since format 3. */
const HELD = `
SELECT id, manifest FROM held_change WHERE id > ? AND manifest IS NOT NULL AND $ofTenant
ORDER BY id LIMIT ?`;

const FIND_HELD = 'SELECT manifest FROM held_change WHERE id = ?';

const PARTS = `
SELECT owner, upload_id AS upload, number, manifest FROM upload_part
WHERE (owner, upload_id, number) > (?, ?, ?) AND $ofTenant
ORDER BY owner, upload_id, number LIMIT ?`;

/** Each row is looked at by itself: going through the tenant's spaces would need a sort. */
const TENANT_OF_VERSION = '(SELECT tenant FROM space WHERE id = version.space_id)';
const TENANT_OF_HELD = `(SELECT space.tenant FROM quarantine JOIN space ON space.id = space_id
  WHERE quarantine.id = held_change.quarantine_id)`;
const hasPartOf = (is: string): string => `(EXISTS (SELECT 1 FROM space
  WHERE tenant ${is} AND space.owner = upload_part.owner)
  OR NOT EXISTS (SELECT 1 FROM space WHERE space.owner = upload_part.owner))`;

const FIND_VERSION = `
SELECT manifest FROM version WHERE space_id = ? AND node_id = ? AND content_rev = ?`;

const FIND_PART = `
SELECT manifest FROM upload_part WHERE owner = ? AND upload_id = ? AND number = ?`;

interface VersionRow {
  space: number;
  node: number;
  rev: number;
  manifest: Buffer;
}

interface HeldRow {
  id: number;
  manifest: Buffer;
}

interface PartRow {
  owner: string;
  upload: string;
  number: number;
  manifest: Buffer;
}

/** One tenant's manifests alone. Parts of uploads of who has no space yet count as anybody's. */
export interface ManifestsOf {
  readonly tenant: TenantId;
  /** Of all marks those of the tenant's volumes, by their own numbers. */
  readonly ownMarks: (all: Iterable<readonly [number, number]>) => Iterable<[number, number]>;
}

export class SqliteManifestSource implements ManifestSource {
  readonly #database: Database.Database;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #of: ManifestsOf | undefined;

  private constructor(database: Database.Database, of: ManifestsOf | undefined) {
    this.#database = database;
    this.#of = of;
    this.#sql = prepare(database, of?.tenant);
  }

  /** @throws unavailable, corrupt: it cannot be read; invalid: of a format not known here. */
  static open(file: string, of?: ManifestsOf): SqliteManifestSource {
    return new SqliteManifestSource(openMetadataReadonly(file), of);
  }

  page(after: ManifestKey | undefined, limit: number): readonly ManifestRow[] {
    return explainedRead(OP, () => {
      if (after === undefined || after[0] === 'version') {
        const [, space, node, rev] = after ?? ['version', -1, -1, -1];
        const rows = this.#sql.versions.all(space, node, rev, limit);
        if (rows.length > 0) return rows.map(fromVersion);
      }
      if (after?.[0] !== 'part') {
        const rows = this.#sql.held?.all(after?.[0] === 'held' ? after[1] : 0, limit) ?? [];
        if (rows.length > 0) return rows.map(fromHeld);
      }
      const [, owner, upload, number] = after?.[0] === 'part' ? after : ['part', '', '', -1];
      return this.#sql.parts.all(owner, upload, number, limit).map(fromPart);
    });
  }

  find(key: ManifestKey): Uint8Array | undefined {
    return explainedRead(OP, () => {
      if (key[0] === 'version') return this.#sql.findVersion.get(key[1], key[2], key[3]);
      if (key[0] === 'held') return this.#sql.findHeld?.get(key[1]);
      return this.#sql.findPart.get(key[1], key[2], key[3]);
    });
  }

  marks(): ReadonlyMap<number, number> {
    const all = explainedRead(OP, () => this.#sql.marks.all());
    const pairs = all.map(({ volume, durable }): [number, number] => [volume, durable]);
    return new Map(this.#of === undefined ? pairs : this.#of.ownMarks(pairs));
  }

  close(): void {
    this.#database.close();
  }
}

/** Its letters are such that nothing has to be quoted. */
function narrowed(sql: string, tenant: TenantId | undefined, narrow: (is: string) => string) {
  return sql.replace('$ofTenant', tenant === undefined ? 'TRUE' : narrow(`= '${tenant}'`));
}

export function manifestTexts(tenant: TenantId | undefined) {
  return {
    versions: sqliteText<[number, number, number, number], VersionRow>(
      narrowed(VERSIONS, tenant, (is) => `${TENANT_OF_VERSION} ${is}`),
    ),
    parts: sqliteText<[string, string, number, number], PartRow>(
      narrowed(PARTS, tenant, (is) => hasPartOf(is)),
    ),
    findVersion: sqliteText<[number, number, number], Buffer>(FIND_VERSION, { rowAs: 'value' }),
    findPart: sqliteText<[string, string, number], Buffer>(FIND_PART, { rowAs: 'value' }),
    marks: sqliteText<[], { volume: number; durable: number }>(
      'SELECT volume_id AS volume, durable_bytes AS durable FROM witness',
    ),
  };
}

export function heldTexts(tenant: TenantId | undefined) {
  return {
    held: sqliteText<[number, number], HeldRow>(
      narrowed(HELD, tenant, (is) => `${TENANT_OF_HELD} ${is}`),
    ),
    findHeld: sqliteText<[number], Buffer>(FIND_HELD, { rowAs: 'value' }),
  };
}

function prepare(database: Database.Database, tenant: TenantId | undefined) {
  const holds = Number(database.pragma('user_version', { simple: true })) >= HOLDS_SINCE;
  return {
    ...prepareTexts(database, OWNER, manifestTexts(tenant)),
    ...(holds ? prepareTexts(database, OWNER, heldTexts(tenant))
      : { held: undefined, findHeld: undefined }),
  };
}

function fromVersion({ space, node, rev, manifest }: VersionRow): ManifestRow {
  return { key: ['version', space, node, rev], manifest };
}

function fromHeld({ id, manifest }: HeldRow): ManifestRow {
  return { key: ['held', id], manifest };
}

function fromPart({ owner, upload, number, manifest }: PartRow): ManifestRow {
  return { key: ['part', owner, upload, number], manifest };
}
