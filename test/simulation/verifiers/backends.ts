/** The concrete stores for a canary, as the program puts them together. */
import {
  sqliteCanaryMetadata,
} from '../../../src/durability/verify/stores/sqlite/sqlite-canary-metadata.ts';
import {
  SqliteVerifyStore,
} from '../../../src/durability/verify/stores/sqlite/sqlite-verify-store.ts';
import type { CanaryBackends } from '../../../src/durability/index.ts';
import {
  SqliteMetadataStore,
} from '../../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { systemClock } from '../../../src/platform/index.ts';
import { LocalVolumeStore } from '../../../src/storage/backends/local/local-volume-store.ts';
import { NodeVolumeFiles } from '../../../src/storage/backends/local/node-volume-files.ts';

export const BACKENDS: CanaryBackends = {
  openBlocks: (root, { volumeBytesMax, witness }) => LocalVolumeStore.open({
    root, witness, clock: systemClock, onFinding: () => undefined,
    config: { volumeBytesMax, reserveBytes: 0 },
  }),
  metadata: sqliteCanaryMetadata((file) => SqliteMetadataStore.open({ file, create: true })),
  openNotes: (file) => SqliteVerifyStore.open(file),
  openFolder: (folder) => new NodeVolumeFiles(folder),
};
