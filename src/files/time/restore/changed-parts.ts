/** Which parts of a space differ between a revision and the present: there a restore looks. */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import type { MetadataStore } from '../../../metadata/index.ts';

/** More are not remembered: then all folders are looked at. */
const FOLDERS_MAX = 500_000;

export interface ChangedParts {
  /** Folders in or below which something differs. */
  has(folderId: NodeId): boolean;
}

interface Span {
  spaceId: SpaceId;
  fromRev: number;
  toRev: number;
  below: NodeId;
  mayTouch: (id: NodeId) => boolean;
  signal: AbortSignal | undefined;
}

export async function changedParts(metadata: MetadataStore, span: Span): Promise<ChangedParts> {
  const { spaceId, fromRev, toRev, below, mayTouch, signal } = span;
  const folders = new Set<NodeId>();
  let isEverything = false;
  const add = (ids: readonly NodeId[]): void => {
    for (const id of ids) folders.add(id);
    if (folders.size <= FOLDERS_MAX) return;
    isEverything = true;
    folders.clear();
  };
  let after: number | undefined;
  do {
    signal?.throwIfAborted();
    const page = await metadata.diff(spaceId, fromRev, toRev, {
      below, ...(after !== undefined && { after }),
    });
    for (const entry of page.entries) {
      if (!mayTouch(entry.nodeId)) continue;
      add(entry.before?.ids ?? []);
      add(entry.after?.ids ?? []);
    }
    after = page.next;
  } while (after !== undefined && !isEverything);
  return { has: (folderId) => isEverything || folders.has(folderId) };
}
