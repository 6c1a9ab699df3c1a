/** One event of a journal, as a caller sees it. Pure. */
import type { NodeId, SpaceId, UserId } from '../../base/ids.ts';
import type { EventRecord, Instant, NodeRecord } from '../../metadata/index.ts';
import { isVisible } from '../access.ts';
import type { InWindow, Window } from './window.ts';

/** `moved`: to another folder, with its name or another; `renamed`: where it was. */
export type SeenActKind =
  | 'added' | 'changed' | 'moved' | 'renamed' | 'deleted' | 'restored' | 'shared' | 'unshared';

export interface SeenAct {
  /** Never the same for two events, and always the same for one. */
  id: string;
  kind: SeenActKind;
  at: Instant;
  by: UserId;
  nodeId: NodeId;
  nodeKind: 'file' | 'folder';
  /** Of now; of what was moved or is gone, of then. */
  name: string;
  /** Names from the root, itself last: where it is, or where it was last known to be. undefined:
   *  where it was is gone too. */
  path: string[] | undefined;
  /** Where it was before, if it was moved or renamed and that folder is seen. */
  oldPath: string[] | undefined;
  /** The caller sees it now. */
  isThere: boolean;
  /** Of a copy: so many files and folders came with it, itself among them. */
  count: number | undefined;
}

/** A part of a caller's tree, and since when it is there. */
export interface DatedWindow {
  window: Window;
  isOwn: boolean;
  since: Instant;
}

export interface ActScene {
  windows: readonly DatedWindow[];
  /** Of all nodes and folders that the events name, as they are now. */
  chains: ReadonlyMap<NodeId, readonly NodeRecord[]>;
  below: { spaceId: SpaceId; nodeId: NodeId } | undefined;
}

const KINDS: Readonly<Record<EventRecord['kind'], SeenActKind | undefined>> = {
  create: 'added', update: 'changed', move: 'moved', delete: 'deleted', restore: 'restored',
  grant: 'shared', revoke: 'unshared', properties: undefined,
};
const SHARING: ReadonlySet<SeenActKind> = new Set(['shared', 'unshared']);

/** undefined: it is not for the caller, or nothing to tell. */
export function actOf(event: EventRecord, scene: ActScene): SeenAct | undefined {
  const kind = KINDS[event.kind];
  if (kind === undefined || event.nodeKind === 'mount') return undefined;
  if (scene.below !== undefined && !isBelow(event, scene.below.nodeId, scene)) return undefined;
  for (const dated of scene.windows) {
    if (event.at < dated.since) continue;
    const found = dated.window.find(scene.chains.get(event.nodeId));
    const act = found === undefined ? goneAct(event, kind, { dated, scene })
      : thereAct(event, kind, { dated, scene, found });
    if (act !== undefined) return act;
  }
  return undefined;
}

function isBelow(
  { nodeId, parentBefore, parentAfter }: EventRecord, top: NodeId, { chains }: ActScene,
): boolean {
  return [nodeId, parentBefore, parentAfter].some((id) => {
    return id !== undefined && chains.get(id)?.some((node) => node.id === top) === true;
  });
}

interface Around {
  dated: DatedWindow;
  scene: ActScene;
}

function thereAct(
  event: EventRecord, kind: SeenActKind, { dated, scene, found }: Around & { found: InWindow },
): SeenAct | undefined {
  if (SHARING.has(kind) && found.role !== 'owner') return undefined;
  const { parentBefore, parentAfter, nameBefore } = event;
  // Where the top of what is shared lies, and how it is called there, is its owner's own matter.
  if (kind === 'moved' && !dated.isOwn && found.below.length === 1) return undefined;
  const oldPath = kind === 'moved'
    ? pathIn(parentBefore, nameBefore ?? '', { event, dated, scene }) : undefined;
  // Of one of several moves, where that one has led.
  const placeThen = kind === 'moved'
    ? pathIn(parentAfter, event.nameAfter ?? '', { event, dated, scene }) : undefined;
  const path = placeThen ?? found.path;
  const act = { ...common(event), name: path.at(-1) ?? '', path, isThere: true, oldPath, kind };
  if (kind !== 'moved') return act;
  if (parentBefore === parentAfter) return { ...act, kind: 'renamed' };
  // It came from where the caller does not look.
  return oldPath === undefined && !dated.isOwn ? { ...act, kind: 'added' } : act;
}

/** It is not there, or not to be seen: what is told of it is where it was, if that is seen. */
function goneAct(
  event: EventRecord, kind: SeenActKind, { dated, scene }: Around,
): SeenAct | undefined {
  if (SHARING.has(kind)) return undefined;
  const { parentBefore, parentAfter, nameBefore = '', nameAfter = nameBefore } = event;
  const around = { event, dated, scene };
  const before = pathIn(parentBefore, nameBefore, around);
  const after = kind === 'deleted' ? undefined : pathIn(parentAfter, nameAfter, around);
  if (kind === 'moved') {
    return movedAct(event, { before, after, isSame: parentBefore === parentAfter }, dated);
  }
  const path = kind === 'deleted' ? before : after;
  if (path === undefined && !dated.isOwn) return undefined;
  const name = path?.at(-1) ?? nameAfter;
  return { ...common(event), kind, name, path, isThere: false, oldPath: undefined };
}

interface Places {
  before: string[] | undefined;
  after: string[] | undefined;
  isSame: boolean;
}

/** Something moved that is not there any more, or not to be seen where it is. */
function movedAct(
  event: EventRecord, { before, after, isSame }: Places, { isOwn }: DatedWindow,
): SeenAct | undefined {
  const path = after ?? before;
  if (path === undefined && !isOwn) return undefined;
  const act = { ...common(event), path, isThere: false };
  const name = path?.at(-1) ?? event.nameAfter ?? '';
  // In sight it went, wherever it went to.
  if (after === undefined && !isOwn) return { ...act, name, kind: 'deleted', oldPath: undefined };
  const oldPath = after === undefined ? undefined : before;
  return { ...act, name, kind: isSame ? 'renamed' : 'moved', oldPath };
}

/** The place in a folder, if that folder and what the caller may see in it allow to tell it. */
function pathIn(
  folder: NodeId | undefined, name: string,
  { event, dated: { window }, scene: { chains } }: Around & { event: EventRecord },
): string[] | undefined {
  const parent = folder === undefined ? undefined : window.find(chains.get(folder));
  if (parent === undefined || !isVisible(window.roleBelow(parent, event.nodeId))) return undefined;
  return [...parent.path, name];
}

function common(event: EventRecord) {
  const { spaceId, rev, at, by, nodeId, nodeKind, copiedFrom } = event;
  const isFolder = nodeKind === 'folder';
  return {
    id: `${spaceId}-${rev}`, at, by, nodeId, nodeKind: isFolder ? nodeKind : 'file' as const,
    count: copiedFrom === undefined || copiedFrom.nodeCount < 2 ? undefined : copiedFrom.nodeCount,
  };
}
