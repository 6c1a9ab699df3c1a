/** What can be done to files and folders, each with its way back. */
import { api } from '../../api/client.ts';
import { isStatus, reasonOf } from '../../api/http.ts';
import { patchAdded, patchChanged, patchRemoved, reloadListing } from '../../api/listings.ts';
import { createFolder, nodeByPath } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { refreshSession } from '../../shell/session-gate.tsx';
import { t } from '../../texts/texts.ts';
import type { ConflictChoice } from '../../uploads/upload-item.ts';
import { forgetChoice, questionOf } from './conflict-prompt.tsx';
import { runAll } from './run-all.ts';

/** A folder that something goes to. */
export type Target = Pick<FileNode, 'id' | 'name' | 'path'>;

export function nameOfTarget({ name, path }: Target): string {
  return path === '/' || name === '' ? t('files.root') : name;
}

/** Lists are right at once by what the server answered; they are asked for again all the same. */
function settle(): void {
  void reloadListing();
  void refreshSession();
}

export async function removeNodes(nodes: readonly FileNode[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const { done, failed } = await runAll(nodes, ({ id }) => api.deleteNode({ id }));
  patchRemoved(done.map(([{ id }]) => id));
  settle();
  const trashIds = done.flatMap(([, { trashId }]) => (trashId === undefined ? [] : [trashId]));
  const undo = trashIds.length === 0 ? undefined : async (): Promise<void> => {
    const back = await runAll(trashIds, (id) => api.restoreTrashed({ id }));
    for (const [, node] of back.done) patchAdded(node);
    settle();
    if (back.failed[0] !== undefined) throw back.failed[0][1];
  };
  report(failed);
  if (done.length > 0) say(t('files.deleted', { count: done.length, name: first.name }), { undo });
}

function report(failed: readonly (readonly [unknown, unknown])[]): void {
  const [first] = failed;
  if (first === undefined) return;
  const text = failed.length === 1 ? reasonOf(first[1])
    : t('files.someFailed', { count: failed.length, reason: reasonOf(first[1]) });
  say(text, { kind: 'failed' });
}

export async function renameNode(node: FileNode, name: string): Promise<void> {
  try {
    patchChanged({ ...node, name });
    const renamed = await api.changeNode({ id: node.id, body: { name } });
    patchChanged(renamed);
    settle();
    say(t('files.renamed', { name: renamed.name }), {
      undo: async () => {
        patchChanged(await api.changeNode({ id: node.id, body: { name: node.name } }));
        settle();
      },
    });
  } catch (error) {
    patchChanged(node);
    sayFailed(error);
  }
}

/** Answers the folder, or undefined when it did not work, which has been said then. */
export async function makeFolder(parent: Target, name: string): Promise<FileNode | undefined> {
  try {
    const folder = await createFolder(parent.id, name);
    patchAdded(folder);
    settle();
    say(t('files.created', { name: folder.name }), {
      undo: async () => {
        await api.deleteNode({ id: folder.id });
        patchRemoved([folder.id]);
        settle();
      },
    });
    return folder;
  } catch (error) {
    sayFailed(error);
    return undefined;
  }
}

export async function moveNodes(nodes: readonly FileNode[], target: Target): Promise<void> {
  const moving = nodes.filter(({ id, parentId }) => id !== target.id && parentId !== target.id);
  const [first] = moving;
  if (first === undefined) return;
  const replacedIds: string[] = [];
  forgetChoice();
  const { done, failed } = await runAll(moving, (node, at) => {
    return placeNode({ node, target, left: moving.length - at - 1, replacedIds }, (options) => {
      return api.changeNode({ id: node.id, body: { parentId: target.id, ...options } });
    });
  });
  const moved = done.flatMap(([before, after]) => (after === undefined ? [] : [{ before, after }]));
  patchRemoved(moved.map(({ before }) => before.id));
  for (const { after } of moved) patchAdded(after);
  settle();
  report(failed);
  if (moved.length === 0) return;
  const text = { count: moved.length, name: first.name, folder: nameOfTarget(target) };
  say(t('files.moved', text), {
    undo: async () => {
      patchRemoved(moved.map(({ after }) => after.id));
      const back = await runAll(moved, ({ before: { id, name, parentId } }) => {
        return api.changeNode({
          id, body: { name, ...(parentId !== undefined && { parentId }) },
        });
      });
      for (const [, node] of back.done) patchAdded(node);
      await putBack(replacedIds);
      settle();
      if (back.failed[0] !== undefined) throw back.failed[0][1];
    },
  });
}

export async function copyNodes(nodes: readonly FileNode[], target: Target): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const replacedIds: string[] = [];
  forgetChoice();
  const { done, failed } = await runAll(nodes, (node, at) => {
    // A copy beside its original always gets a name of its own.
    if (node.parentId === target.id) {
      return api.copyNode({ id: node.id, body: { parentId: target.id, onConflict: 'rename' } });
    }
    return placeNode({ node, target, left: nodes.length - at - 1, replacedIds }, (options) => {
      return api.copyNode({ id: node.id, body: { parentId: target.id, ...options } });
    });
  });
  const copies = done.flatMap(([, copy]) => (copy === undefined ? [] : [copy]));
  for (const copy of copies) patchAdded(copy);
  settle();
  report(failed);
  if (copies.length === 0) return;
  const text = { count: copies.length, name: first.name, folder: nameOfTarget(target) };
  say(t('files.copied', text), {
    undo: async () => {
      const { failed: kept } = await runAll(copies, ({ id }) => api.deleteNode({ id }));
      patchRemoved(copies.map(({ id }) => id));
      await putBack(replacedIds);
      settle();
      if (kept[0] !== undefined) throw kept[0][1];
    },
  });
}

interface Placing {
  readonly node: FileNode;
  readonly target: Target;
  /** How many come after this one. */
  readonly left: number;
  /** Trash ids of what had to make room. */
  readonly replacedIds: string[];
}

/** Moves or copies one node; asks when its name is taken. undefined: it was skipped. */
async function placeNode(
  { node, target, left, replacedIds }: Placing,
  place: (options: { onConflict?: 'rename' }) => Promise<FileNode>,
): Promise<FileNode | undefined> {
  try {
    return await place({});
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    const choice: ConflictChoice = await questionOf({
      name: node.name, folder: nameOfTarget(target), othersCount: left,
    });
    if (choice === 'skip') return undefined;
    if (choice === 'keep-both') return place({ onConflict: 'rename' });
    const path = `${target.path === '/' ? '' : target.path}/${node.name}`;
    const { trashId } = await api.deleteNode({ id: (await nodeByPath(path)).id });
    if (trashId !== undefined) replacedIds.push(trashId);
    return place({});
  }
}

async function putBack(trashIds: readonly string[]): Promise<void> {
  const { done } = await runAll(trashIds, (id) => api.restoreTrashed({ id }));
  for (const [, node] of done) patchAdded(node);
}

export async function setFavorite(node: FileNode, isFavorite: boolean): Promise<void> {
  try {
    patchChanged({ ...node, isFavorite });
    patchChanged(await api.changeNode({ id: node.id, body: { isFavorite } }));
  } catch (error) {
    patchChanged(node);
    sayFailed(error);
  }
}
