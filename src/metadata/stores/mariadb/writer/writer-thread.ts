/** The thread that owns the writer of a database on a MariaDB server. */
import { workerData } from 'node:worker_threads';
import { RetryBudget } from '../../../../platform/index.ts';
import { noteLatest } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import { MetadataWriter } from '../../sqlite/writer/metadata-writer.ts';
import { serveWriter } from '../../sqlite/writer/serve-writer.ts';
import { toFault } from '../faults.ts';
import { LineClient } from '../line/line-client.ts';
import { MariadbWriterDatabase } from './mariadb-writer-database.ts';

export interface MariadbWriterStart {
  address: ServerAddress;
  writerId: string;
}

const { address, writerId } = workerData as MariadbWriterStart;
serveWriter(() => {
  const database = new MariadbWriterDatabase(new LineClient(address), writerId, {
    onTurn: (turn) => noteLatest(address.known, 'writer_turn', turn),
    budget: RetryBudget.of(address.retries),
  });
  const writer = new MetadataWriter(database);
  database.tidyUp();
  return writer;
}, toFault);
