/**
 * The load client's process. It is started by LoadDriver, takes one job at a time over the channel
 * to its parent, and ends with that channel. A process of its own, so that neither the sampling of
 * memory nor the report disturbs the loop.
 */
import { runCall, runDownload, runGet, runPut, runUpload } from './loops.ts';
import type { CallResult, CellResult, Job } from './jobs.ts';
import { runTus } from './tus-loop.ts';

function run(job: Job): Promise<CellResult | CallResult> {
  switch (job.kind) {
    case 'put': return runPut(job);
    case 'tus': return runTus(job);
    case 'get': return runGet(job);
    case 'upload': return runUpload(job);
    case 'download': return runDownload(job);
    case 'call': return runCall(job);
  }
}

async function answer(job: Job): Promise<void> {
  try {
    process.send?.({ result: await run(job) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', (job: Job) => void answer(job));
process.on('disconnect', () => process.exit(0));
