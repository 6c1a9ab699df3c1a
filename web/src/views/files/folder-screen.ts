/**
 * One open folder: what is selected, renamed and asked for. It outlives renders, so that a row
 * draws itself anew only when something about that row has changed.
 */
import { createContext, useContext, useSyncExternalStore } from 'react';
import { contentHref, zipHref } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import { Store } from '../../api/store.ts';
import { folderHref } from '../../parts/address.ts';
import { say } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { clipboard } from './clipboard.ts';
import { removeNodes, renameNode } from './operations.ts';
import {
  NOTHING_SELECTED, keepOnly, selectAll, selectOnly, selectRange, step, toggle,
} from './selection.ts';
import type { Selection, Step } from './selection.ts';

export interface MenuPlace {
  readonly x: number;
  readonly y: number;
  readonly nodes: readonly FileNode[];
}

export type Asking =
  | { readonly kind: 'new-folder' }
  | { readonly kind: 'share'; readonly node: FileNode }
  | { readonly kind: 'move' | 'copy'; readonly nodes: readonly FileNode[] };

export interface Pressed {
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

export class FolderScreen {
  readonly selection = new Store<Selection>(NOTHING_SELECTED);
  readonly renamingId = new Store<string | undefined>(undefined);
  readonly menu = new Store<MenuPlace | undefined>(undefined);
  readonly asking = new Store<Asking | undefined>(undefined);
  readonly previewId = new Store<string | undefined>(undefined);
  readonly showsDetails = new Store(false);
  /** Where one is, also while the folder is still being loaded. */
  path = '/';
  folder: FileNode | undefined;
  /** As shown: sorted and filtered. */
  nodes: readonly FileNode[] = [];
  #order: readonly string[] = [];
  readonly #go: (href: string) => void;
  /** Brings an entry into view; the list says how. */
  reveal: (at: number) => void = () => undefined;
  /** Entries in a row of the grid; 1 in the list. */
  columnCount = 1;
  /** So many fit on the screen. */
  pageCount = 10;

  constructor(go: (href: string) => void) {
    this.#go = go;
  }

  show(path: string, folder: FileNode | undefined, nodes: readonly FileNode[]): void {
    this.path = path;
    if (folder?.id !== this.folder?.id) {
      this.selection.set(NOTHING_SELECTED);
      this.renamingId.set(undefined);
    }
    this.folder = folder;
    if (nodes === this.nodes) return;
    this.nodes = nodes;
    this.#order = nodes.map(({ id }) => id);
    this.selection.set(keepOnly(this.selection.value, new Set(this.#order)));
  }

  get selected(): readonly FileNode[] {
    const { ids } = this.selection.value;
    return ids.size === 0 ? [] : this.nodes.filter(({ id }) => ids.has(id));
  }

  /** With the right button or a menu: the selection when the entry is part of it, else it alone. */
  nodesFor(node: FileNode): readonly FileNode[] {
    if (this.selection.value.ids.has(node.id)) return this.selected;
    this.selection.set(selectOnly(node.id));
    return [node];
  }

  press(node: FileNode, { ctrlKey, metaKey, shiftKey }: Pressed): void {
    const now = this.selection.value;
    if (shiftKey) this.selection.set(selectRange(now, this.#order, node.id));
    else if (ctrlKey || metaKey) this.selection.set(toggle(now, node.id));
    else this.selection.set(selectOnly(node.id));
  }

  toggle(node: FileNode, isRange: boolean): void {
    const now = this.selection.value;
    this.selection.set(isRange ? selectRange(now, this.#order, node.id) : toggle(now, node.id));
  }

  toggleActive(): void {
    const { activeId } = this.selection.value;
    if (activeId !== undefined) this.selection.set(toggle(this.selection.value, activeId));
  }

  step(by: Step): void {
    this.selection.set(step(this.selection.value, this.#order, by));
    this.revealActive();
  }

  revealActive(): void {
    const { activeId } = this.selection.value;
    const at = activeId === undefined ? -1 : this.#order.indexOf(activeId);
    if (at >= 0) this.reveal(at);
  }

  focusOn(id: string): void {
    this.selection.set(selectOnly(id));
    this.revealActive();
  }

  /** The next entry whose name begins like that, from the active one on. */
  jumpTo(start: string): void {
    const wanted = start.toLocaleLowerCase();
    const { activeId } = this.selection.value;
    const from = activeId === undefined ? -1 : this.#order.indexOf(activeId);
    // With a single letter pressed again, the search goes on behind the present one.
    const first = Math.max(0, start.length > 1 ? from : from + 1);
    const { nodes } = this;
    for (let n = 0; n < nodes.length; n += 1) {
      const node = nodes[(first + n) % nodes.length];
      if (node?.name.toLocaleLowerCase().startsWith(wanted) === true) return this.focusOn(node.id);
    }
  }

  selectAll(): void {
    this.selection.set(selectAll(this.#order, this.selection.value));
  }

  clear(): void {
    this.selection.set({ ...this.selection.value, ids: new Set() });
  }

  open(node: FileNode): void {
    if (node.kind === 'folder') this.#go(folderHref(node.path));
    else this.previewId.set(node.id);
  }

  openActive(): void {
    const { activeId } = this.selection.value;
    const node = this.nodes.find(({ id }) => id === activeId);
    if (node !== undefined) this.open(node);
  }

  goUp(): void {
    const { path } = this;
    if (path !== '/') this.#go(folderHref(path.slice(0, path.lastIndexOf('/')) || '/'));
  }

  beginRename(node: FileNode | undefined): void {
    if (node?.may.rename === true) this.renamingId.set(node.id);
  }

  async finishRename(node: FileNode, name: string | undefined): Promise<void> {
    this.renamingId.set(undefined);
    if (name !== undefined && name !== node.name) await renameNode(node, name);
  }

  async remove(nodes: readonly FileNode[]): Promise<void> {
    const may = nodes.filter((node) => node.may.delete);
    if (may.length > 0) await removeNodes(may);
  }

  /** The whole of somebody's files is not shared. */
  share(node: FileNode | undefined): void {
    if (node !== undefined && node.path !== '/') this.asking.set({ kind: 'share', node });
  }

  cut(nodes: readonly FileNode[]): void {
    this.#clip('move', nodes);
  }

  copy(nodes: readonly FileNode[]): void {
    this.#clip('copy', nodes);
  }

  #clip(kind: 'move' | 'copy', nodes: readonly FileNode[]): void {
    const [first] = nodes;
    if (first === undefined) return;
    clipboard.set({ kind, nodes });
    const key = kind === 'move' ? 'files.cut' : 'files.copiedToPaste';
    say(t(key, { count: nodes.length, name: first.name }), { kind: 'said' });
  }

  download(nodes: readonly FileNode[]): void {
    for (const { id, kind } of nodes) {
      save(kind === 'folder' ? zipHref(id) : contentHref(id, 'attachment'));
    }
  }
}

/** The server names the file; without a name of ours the browser takes that one. */
function save(href: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}

export const ScreenContext = createContext<FolderScreen | undefined>(undefined);

export function useScreen(): FolderScreen {
  const screen = useContext(ScreenContext);
  if (screen === undefined) throw new Error('useScreen outside of a folder');
  return screen;
}

/** Looks at one thing of a store, and hears of nothing else. */
export function usePick<Value, Picked>(
  store: Store<Value>, pick: (value: Value) => Picked,
): Picked {
  return useSyncExternalStore(store.listen, () => pick(store.value));
}
