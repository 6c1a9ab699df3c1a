/** Files that are handed over, and the process that is killed while it does so. */
import { TransferWork } from '../../src/files/transfer/transfer-work.conformance.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint } from '../../src/platform/index.ts';

export async function openTransferWork(file: string): Promise<TransferWork> {
  return TransferWork.on(await SqliteMetadataStore.open({ file, create: true }));
}

/** As a program: FILE FAILPOINT. */
if (process.argv[1] === import.meta.filename) {
  const [, , file = '', spec = ''] = process.argv;
  // The writer's thread is armed by what is set before it starts.
  armFailpoint(spec);
  const work = await openTransferWork(file);
  await work.transfer();
  await work.close();
}
