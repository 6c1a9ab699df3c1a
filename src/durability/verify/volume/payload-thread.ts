/** The thread that judges payloads; `CheckCrew` starts and ends it. */
import { parentPort } from 'node:worker_threads';
import { checkPayloads } from './payload-checks.ts';
import type { PayloadTask } from './payload-checks.ts';

parentPort?.on('message', (task: PayloadTask) => {
  parentPort?.postMessage(checkPayloads(task));
});
parentPort?.postMessage('ready');
