/** The tables of keyed requests on MariaDB: docs/formats/api.md says what they hold. They may lie
 *  in the database that has the metadata of shard 0. */
import { keysOf, namedTable } from '../../../../../platform/mariadb/index.ts';

/** Kept in `keyed_request_meta`. A newer one is refused. */
export const KEYED_REQUEST_FORMAT = 1;

const ID = 'VARCHAR(64) NOT NULL';
const NUMBER = 'BIGINT NOT NULL';

/** By name of the table: its columns and keys. The first is made first. */
export const KEYED_REQUEST_TABLES: Readonly<Record<string, string>> = {
  keyed_request_meta: `name ${ID}, value ${NUMBER}, PRIMARY KEY (name)`,
  keyed_request_writer: `id ${ID}, seen_s ${NUMBER}, PRIMARY KEY (id)`,
  keyed_request: `user_id ${ID}, request_key VARCHAR(200) NOT NULL, fingerprint ${ID},
    begun_at ${NUMBER}, state VARCHAR(16) NOT NULL, attempt ${ID}, writer ${ID},
    status BIGINT NULL, headers MEDIUMTEXT NULL, body MEDIUMTEXT NULL,
    is_whole SMALLINT NOT NULL DEFAULT 1, PRIMARY KEY (user_id, request_key),
    KEY keyed_request_by_age (begun_at), KEY keyed_request_by_user (user_id, begun_at)`,
};

export function createKeyedRequestTable(name: string, columns: string, collation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns})
    ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collation}`;
}

const OWNER = { owner: 'keyed-requests', tables: keysOf(KEYED_REQUEST_TABLES) };

export const KEYED_REQUEST_META_SQL = namedTable({
  findKeyedRequestFact: 'SELECT value FROM keyed_request_meta WHERE name = ?',
  addKeyedRequestFact: 'INSERT IGNORE INTO keyed_request_meta (name, value) VALUES (?, ?)',
}, OWNER);

export const KEYED_REQUEST_SQL = namedTable({
  beginKey: `INSERT INTO keyed_request
    (user_id, request_key, fingerprint, begun_at, state, attempt, writer)
    VALUES (@user, @key, @fingerprint, @at, 'begun', @attempt, @writer)`,
  // `is_left`: whoever began it was not heard of for `@gone` seconds.
  findKey: `SELECT r.fingerprint, r.begun_at, r.state, r.attempt, r.status, r.headers, r.body,
      r.is_whole, COALESCE(w.seen_s < UNIX_TIMESTAMP() - @gone, 1) AS is_left
    FROM keyed_request r LEFT JOIN keyed_request_writer w ON w.id = r.writer
    WHERE r.user_id = @user AND r.request_key = @key`,
  // Of one whose time was over, if nobody else did so meanwhile.
  beginKeyAgain: `UPDATE keyed_request SET fingerprint = @fingerprint, begun_at = @at,
      state = 'begun', attempt = @attempt, writer = @writer, status = NULL, headers = NULL,
      body = NULL, is_whole = 1
    WHERE user_id = @user AND request_key = @key AND attempt = @old`,
  finishKey: `UPDATE keyed_request SET state = 'done', status = @status, headers = @headers,
      body = @body, is_whole = @whole
    WHERE user_id = @user AND request_key = @key AND writer = @writer AND attempt = @attempt`,
  loseKey: `UPDATE keyed_request SET state = 'unknown'
    WHERE user_id = @user AND request_key = @key AND writer = @writer AND attempt = @attempt`,
  forgetKey: `DELETE FROM keyed_request
    WHERE user_id = @user AND request_key = @key AND writer = @writer AND attempt = @attempt`,

  noteKeyWriter: `INSERT INTO keyed_request_writer (id, seen_s) VALUES (?, UNIX_TIMESTAMP())
    ON DUPLICATE KEY UPDATE seen_s = UNIX_TIMESTAMP()`,
  removeKeyWriter: 'DELETE FROM keyed_request_writer WHERE id = ?',
  sweepKeyWriters: `DELETE FROM keyed_request_writer WHERE seen_s < UNIX_TIMESTAMP() - ?
    ORDER BY id LIMIT 1000`,
  sweepKeys: 'DELETE FROM keyed_request WHERE begun_at <= ? ORDER BY begun_at LIMIT 1000',
  findOldestKey: `SELECT begun_at FROM keyed_request WHERE user_id = @user
    ORDER BY begun_at DESC LIMIT 1 OFFSET @newer`,
  trimKeys: `DELETE FROM keyed_request WHERE user_id = ? AND begun_at < ?
    ORDER BY begun_at LIMIT 1000`,
}, {
  ...OWNER, withoutKey: { sweepKeyWriters: 'it has a row for each process of a month' },
});
