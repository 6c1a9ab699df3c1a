/** The thread that owns the writer of an SQLite file. */
import { workerData } from 'node:worker_threads';
import { checkShardNumber } from '../../../shard-number.ts';
import { checkCanonicalVersion, checkVersion } from '../database-file.ts';
import { openConnection } from '../connection.ts';
import { toFault } from '../faults.ts';
import type { WriterStart } from '../messages.ts';
import { migrate } from '../migrate.ts';
import { MetadataWriter } from './metadata-writer.ts';
import { serveWriter } from './serve-writer.ts';
import { SqliteWriterDatabase } from './sqlite-writer-database.ts';

const CACHE_KIB = 24 * 1024;

function openWriter({ file, shard }: WriterStart): MetadataWriter {
  const connection = openConnection(file, { readonly: false, cacheKib: CACHE_KIB });
  try {
    checkVersion(connection.pragma('user_version', { simple: true }) as number);
    const number = connection.prepare<[string], number>('SELECT value FROM meta WHERE name = ?')
      .pluck();
    checkCanonicalVersion(number.get('canonical_version'));
    checkShardNumber(number.get('shard'), shard);
    migrate(connection);
    return new MetadataWriter(new SqliteWriterDatabase(connection));
  } catch (error) {
    connection.close();
    throw error;
  }
}

serveWriter(() => openWriter(workerData as WriterStart), toFault);
