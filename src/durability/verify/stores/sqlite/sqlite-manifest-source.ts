/** Reads DATA/metadata.db as docs/formats/metadata.md describes it, read-only, beside a server. */
import type Database from 'better-sqlite3';
import type { ManifestKey, ManifestRow, ManifestSource } from '../../manifest-source.ts';
import { explainedRead, openMetadataReadonly } from './open-metadata-readonly.ts';

const OP = 'durability/SqliteManifestSource';

const VERSIONS = `
SELECT space_id AS space, node_id AS node, content_rev AS rev, manifest FROM version
WHERE (space_id, node_id, content_rev) > (?, ?, ?)
ORDER BY space_id, node_id, content_rev LIMIT ?`;

const PARTS = `
SELECT owner, upload_id AS upload, number, manifest FROM upload_part
WHERE (owner, upload_id, number) > (?, ?, ?)
ORDER BY owner, upload_id, number LIMIT ?`;

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

interface PartRow {
  owner: string;
  upload: string;
  number: number;
  manifest: Buffer;
}

export class SqliteManifestSource implements ManifestSource {
  readonly #database: Database.Database;
  readonly #sql: ReturnType<typeof prepare>;

  private constructor(database: Database.Database) {
    this.#database = database;
    this.#sql = prepare(database);
  }

  /** @throws unavailable, corrupt: it cannot be read; invalid: of a format not known here. */
  static open(file: string): SqliteManifestSource {
    return new SqliteManifestSource(openMetadataReadonly(file));
  }

  page(after: ManifestKey | undefined, limit: number): readonly ManifestRow[] {
    return explainedRead(OP, () => {
      if (after?.[0] !== 'part') {
        const [, space, node, rev] = after ?? ['version', -1, -1, -1];
        const rows = this.#sql.versions.all(space, node, rev, limit);
        if (rows.length > 0) return rows.map(fromVersion);
      }
      const [, owner, upload, number] = after?.[0] === 'part' ? after : ['part', '', '', -1];
      return this.#sql.parts.all(owner, upload, number, limit).map(fromPart);
    });
  }

  find(key: ManifestKey): Uint8Array | undefined {
    return explainedRead(OP, () => (key[0] === 'version'
      ? this.#sql.findVersion.get(key[1], key[2], key[3])
      : this.#sql.findPart.get(key[1], key[2], key[3])));
  }

  marks(): ReadonlyMap<number, number> {
    return explainedRead(OP, () => new Map(this.#sql.marks.all()
      .map(({ volume, durable }) => [volume, durable])));
  }

  close(): void {
    this.#database.close();
  }
}

function prepare(database: Database.Database) {
  return {
    versions: database.prepare<[number, number, number, number], VersionRow>(VERSIONS),
    parts: database.prepare<[string, string, number, number], PartRow>(PARTS),
    findVersion: database.prepare<[number, number, number], Buffer>(FIND_VERSION).pluck(),
    findPart: database.prepare<[string, string, number], Buffer>(FIND_PART).pluck(),
    marks: database.prepare<[], { volume: number; durable: number }>(
      'SELECT volume_id AS volume, durable_bytes AS durable FROM witness',
    ),
  };
}

function fromVersion({ space, node, rev, manifest }: VersionRow): ManifestRow {
  return { key: ['version', space, node, rev], manifest };
}

function fromPart({ owner, upload, number, manifest }: PartRow): ManifestRow {
  return { key: ['part', owner, upload, number], manifest };
}
