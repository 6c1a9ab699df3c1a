/** What the thread that owns a writer does, whatever the writer works on. */
import { parentPort } from 'node:worker_threads';
import { assert } from '../../../../base/assert.ts';
import type { FaultData } from '../../../../base/errors.ts';
import { markThread } from '../../../../platform/index.ts';
import { packOutcomes, unpackBatch } from '../batch-message.ts';
import type { FromWriter, ToWriter } from '../messages.ts';
import type { MetadataWriter } from './metadata-writer.ts';

/** Answers a batch first and cleans up afterwards. `open` may refuse by throwing. */
export function serveWriter(
  open: () => MetadataWriter, toFault: (error: unknown) => FaultData,
): void {
  const port = parentPort;
  assert(port !== null, 'the writer runs in a thread of its own');
  const answer = (message: FromWriter): void => port.postMessage(message);
  let writer: MetadataWriter;
  try {
    writer = open();
  } catch (error) {
    answer({ kind: 'refused', fault: toFault(error) });
    port.close();
    return;
  }
  const workOn = (): void => {
    const finished = writer.workOn();
    if (finished !== undefined) answer({ kind: 'late', ...finished });
    writer.tidyUp();
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
      markThread(message.request);
      const changes = message.kind === 'batch' ? message.changes : unpackBatch(message);
      const outcomes = writer.commitBatch(changes);
      const text = packOutcomes(changes, outcomes);
      answer(text === undefined ? { kind: 'done', outcomes } : { kind: 'packed-done', text });
      writer.tidyUp();
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
