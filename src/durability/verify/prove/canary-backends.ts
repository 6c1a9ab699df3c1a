/** What proving needs of the concrete stores. The app hands it in; verifiers name none of them. */
import type { Witness } from '../../../base/witness.ts';
import type { MetadataStore } from '../../../metadata/index.ts';
import type { BlockStore } from '../../../storage/index.ts';
import type { JournalSource } from '../journal-source.ts';
import type { ManifestSource, Soon } from '../manifest-source.ts';
import type { RepairFolder } from '../repair-volume.ts';
import type { VerifyStore } from '../verify-store.ts';

export interface CanaryBackends {
  /** Volumes in a folder of their own, sealed at `volumeBytesMax`. */
  openBlocks(
    folder: string, options: { volumeBytesMax: number; witness: Witness },
  ): Promise<CanaryBlocks>;
  readonly metadata: CanaryMetadata;
  openNotes(file: string): VerifyStore;
  openFolder(folder: string): RepairFolder;
}

export interface CanaryBlocks extends BlockStore {
  witness(): Witness;
}

/**
 * Where canaries keep their metadata, apart from that of users: none of these methods can reach it.
 * Each is known by a path below the scratch folder, also where no file is made of it. What was made
 * since `begin` is gone after `end`; what is left of a proof that was killed, after the next
 * `begin`. Different paths may be worked on at the same time.
 * Errors: `unavailable` and `busy` from every method, where it is on a server.
 */
export interface CanaryMetadata {
  /** For reports: `files`, or of which database. */
  readonly name: string;
  /** How many faults are worked on at a time. */
  readonly laneCount: number;
  /** @throws denied: this is not allowed here, with what has to be; conflict: another proof is
   *  under way, or something that is not ours is in the way. Then nothing was planted. */
  begin(): Promise<void>;
  /** Makes it where there is none. Not to be closed by itself, but by `close`. */
  open(path: string): Promise<MetadataStore>;
  /** Whoever has opened it works with it no more. Calm when nobody has. */
  close(path: string): Promise<void>;
  openSource(path: string): ManifestSource & { close(): Soon<void> };
  openJournal(path: string): JournalSource & { close(): Soon<void> };
  /** Changes it behind its store's back, while nobody has it open. */
  edit(path: string): MetadataEdits;
  /** All that is at `from`, while nobody has either open. */
  copy(from: string, to: string): Promise<void>;
  /** Calm when there is nothing. */
  drop(path: string): Promise<void>;
  /** The same as long as nothing was changed there. */
  fingerprint(path: string): Promise<string>;
  /** Calm when `begin` has failed. */
  end(): Promise<void>;
}

/** Each throws if it changes nothing: then the canary is not as it should be. */
export interface MetadataEdits {
  setManifest(node: EditedNode, manifest: Uint8Array): Soon<void>;
  dropVersion(node: EditedNode): Soon<void>;
  dropNode(node: EditedNode): Soon<void>;
  dropEvent(spaceId: number, rev: number): Soon<void>;
  /** From when on the node is said to have been as it is. */
  setFromRev(node: EditedNode, rev: number): Soon<void>;
  setFolderBytes(spaceId: number, sizeBytes: number): Soon<void>;
}

export interface EditedNode {
  spaceId: number;
  nodeId: number;
}
