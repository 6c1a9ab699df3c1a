/**
 * Brings a database of an older format up to the present one, at open, by the one who writes it.
 *
 * All steps and the new `user_version` are one transaction: after a crash at any point the file is
 * either of the old format or of the new one. Steps only add, or build a table anew with all its
 * rows; nothing that a user has stored is dropped.
 */
import { failpoint } from '../../../platform/index.ts';
import { ACCESS_MIGRATION } from './access-schema.ts';
import type { Connection } from './connection.ts';
import { FORMAT_3 } from './format-3.ts';
import { FORMAT_4 } from './format-4.ts';
import { pastMigration } from './past-schema.ts';
import { NODE_COLUMNS, SCHEMA_VERSION } from './schema.ts';

/** By the format that it starts from: the statements that lead to the next one. */
const STEPS: Readonly<Record<number, string>> = {
  // The order is that of the new schema: columns are added at the end.
  1: pastMigration(NODE_COLUMNS) + ACCESS_MIGRATION,
  2: FORMAT_3,
  3: FORMAT_4,
};

/** Whether a format is an older one that `migrate` can bring up to the present. */
export function canMigrate(schemaVersion: number): boolean {
  return STEPS[schemaVersion] !== undefined;
}

/** Calm when there is nothing to do. The connection must be in no transaction. */
export function migrate(connection: Connection): void {
  const versionNow = (): number => connection.pragma('user_version', { simple: true }) as number;
  if (!canMigrate(versionNow())) return;
  connection.exec('BEGIN IMMEDIATE');
  try {
    // Read again: another process may have been here before the lock was ours.
    for (let version = versionNow(); version < SCHEMA_VERSION; version += 1) {
      connection.exec(STEPS[version] ?? '');
    }
    connection.pragma(`user_version = ${SCHEMA_VERSION}`);
    failpoint('metadata.before-migrated');
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}
