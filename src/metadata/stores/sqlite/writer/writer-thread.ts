/** The thread that owns the writer. It answers a batch first and cleans up afterwards. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../../../base/assert.ts';
import { packOutcomes, unpackBatch } from '../batch-message.ts';
import { checkCanonicalVersion, checkVersion } from '../database-file.ts';
import { openConnection } from '../connection.ts';
import { toFault } from '../faults.ts';
import type { FromWriter, ToWriter, WriterStart } from '../messages.ts';
import { migrate } from '../migrate.ts';
import { MetadataWriter } from './metadata-writer.ts';

const CACHE_KIB = 24 * 1024;

function openWriter(file: string): MetadataWriter {
  const connection = openConnection(file, { readonly: false, cacheKib: CACHE_KIB });
  try {
    checkVersion(connection.pragma('user_version', { simple: true }) as number);
    const canonical = connection.prepare('SELECT value FROM meta WHERE name = ?').pluck();
    checkCanonicalVersion(canonical.get('canonical_version'));
    migrate(connection);
    return new MetadataWriter(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function serve(file: string): void {
  const port = parentPort;
  assert(port !== null, 'the writer runs in a thread of its own');
  const answer = (message: FromWriter): void => port.postMessage(message);
  let writer: MetadataWriter;
  try {
    writer = openWriter(file);
  } catch (error) {
    answer({ kind: 'refused', fault: toFault(error) });
    port.close();
    return;
  }
  const workOn = (): void => {
    const finished = writer.workOn();
    if (finished !== undefined) answer({ kind: 'late', ...finished });
    writer.checkpointIfDue();
  };
  let isWorking = false;
  const workWhileIdle = (): void => {
    isWorking = writer.hasWork;
    if (!isWorking) return;
    workOn();
    setImmediate(workWhileIdle); // Batches that came meanwhile go first.
  };
  const resumeWork = (): void => {
    if (isWorking || !writer.hasWork) return;
    isWorking = true;
    setImmediate(workWhileIdle);
  };
  port.on('message', (message: ToWriter) => {
    if (message.kind !== 'close') {
      const changes = message.kind === 'batch' ? message.changes : unpackBatch(message);
      const outcomes = writer.commitBatch(changes);
      const text = packOutcomes(changes, outcomes);
      answer(text === undefined ? { kind: 'done', outcomes } : { kind: 'packed-done', text });
      writer.checkpointIfDue();
      resumeWork();
      return;
    }
    while (writer.hasPromisedWork) workOn();
    writer.close();
    answer({ kind: 'closed' });
    port.close();
  });
  answer({ kind: 'ready' });
  resumeWork();
}

serve((workerData as WriterStart).file);
