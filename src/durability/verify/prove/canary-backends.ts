/** What proving needs of the concrete stores. The app hands it in; verifiers name none of them. */
import type { Witness } from '../../../base/witness.ts';
import type { MetadataStore } from '../../../metadata/index.ts';
import type { BlockStore } from '../../../storage/index.ts';
import type { JournalSource } from '../journal-source.ts';
import type { ManifestSource } from '../manifest-source.ts';
import type { RepairFolder } from '../repair-volume.ts';
import type { VerifyStore } from '../verify-store.ts';

export interface CanaryBackends {
  /** Volumes in a folder of their own, sealed at `volumeBytesMax`. */
  openBlocks(
    folder: string, options: { volumeBytesMax: number; witness: Witness },
  ): Promise<CanaryBlocks>;
  openMetadata(file: string): Promise<MetadataStore>;
  openSource(file: string): ManifestSource & { close(): void };
  openJournal(file: string): JournalSource & { close(): void };
  openNotes(file: string): VerifyStore;
  openFolder(folder: string): RepairFolder;
  /** Changes metadata behind its store's back. The file is not open then. */
  editMetadata(file: string): MetadataEdits;
}

export interface CanaryBlocks extends BlockStore {
  witness(): Witness;
}

export interface MetadataEdits {
  setManifest(node: EditedNode, manifest: Uint8Array): void;
  dropVersion(node: EditedNode): void;
  dropNode(node: EditedNode): void;
  dropEvent(spaceId: number, rev: number): void;
  /** From when on the node is said to have been as it is. */
  setFromRev(node: EditedNode, rev: number): void;
  setFolderBytes(spaceId: number, sizeBytes: number): void;
}

export interface EditedNode {
  spaceId: number;
  nodeId: number;
}
