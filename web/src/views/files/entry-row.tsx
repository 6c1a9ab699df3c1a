/** One entry in the list. */
import { ActionIcon, Checkbox } from '@mantine/core';
import { memo } from 'react';
import type { CSSProperties, MouseEvent, ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { folderHref } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { clipboard } from './clipboard.ts';
import { beginDrag, endDrag, useDropTarget } from './drag.ts';
import { NodeMarks } from './node-marks.tsx';
import { RenameField } from './rename-field.tsx';
import { usePick, useScreen } from './folder-screen.ts';
import type { FolderScreen } from './folder-screen.ts';

export interface EntryProps {
  readonly node: FileNode;
  /** Place in the whole list, from 0. */
  readonly at: number;
  readonly style: CSSProperties;
}

export interface EntryState {
  readonly isSelected: boolean;
  readonly isActive: boolean;
  readonly isCut: boolean;
  readonly isRenaming: boolean;
}

export function useEntryState(screen: FolderScreen, id: string): EntryState {
  return {
    isSelected: usePick(screen.selection, ({ ids }) => ids.has(id)),
    isActive: usePick(screen.selection, ({ activeId }) => activeId === id),
    isCut: usePick(clipboard, (clip) => {
      return clip?.kind === 'move' && clip.nodes.some((node) => node.id === id);
    }),
    isRenaming: usePick(screen.renamingId, (renamingId) => renamingId === id),
  };
}

/** What a row and a tile have in common: selecting, dragging, opening, its menu. */
export function useEntryProps(screen: FolderScreen, node: FileNode, { isRenaming }: EntryState) {
  const drop = useDropTarget(node.kind === 'folder' ? node : undefined);
  return {
    ...drop,
    draggable: !isRenaming,
    onDragStart: (event: React.DragEvent) => beginDrag(event, screen.nodesFor(node)),
    onDragEnd: endDrag,
    onClick: (event: MouseEvent) => {
      if (!isOnControl(event)) screen.press(node, event);
    },
    onDoubleClick: (event: MouseEvent) => {
      if (!isOnControl(event)) screen.open(node);
    },
    onContextMenu: (event: MouseEvent) => {
      event.preventDefault();
      const { clientX: x, clientY: y } = event;
      screen.menu.set({ x, y, nodes: screen.nodesFor(node) });
    },
  };
}

function isOnControl({ target, currentTarget }: MouseEvent): boolean {
  const control = target instanceof Element
    ? target.closest('a, button, input, label, .hf-check') : null;
  return control !== null && currentTarget.contains(control);
}

export const EntryRow = memo(function EntryRow({ node, at, style }: EntryProps): ReactNode {
  const screen = useScreen();
  const state = useEntryState(screen, node.id);
  const { isSelected, isActive, isCut, isRenaming } = state;
  const { name, id } = node;
  return (
    <div
      {...useEntryProps(screen, node, state)}
      id={`entry-${id}`} role="row" aria-rowindex={at + 2} aria-selected={isSelected}
      className="hf-row" style={style}
      {...(isActive && { 'data-active': '' })} {...(isCut && { 'data-cut': '' })}
    >
      <div role="gridcell" className="hf-check">
        <Checkbox
          size="xs" checked={isSelected} tabIndex={-1} aria-label={t('files.select', { name })}
          onChange={() => undefined}
          onClick={(event) => screen.toggle(node, event.shiftKey)}
        />
      </div>
      <div role="gridcell" className="hf-row-name">
        <KindIcon node={node} />
        {isRenaming ? <RenameField node={node} /> : <EntryName node={node} />}
        <NodeMarks node={node} />
      </div>
      <div role="gridcell" className="hf-row-time" title={exactTimeText(node.modifiedAt)}>
        {timeText(node.modifiedAt)}
      </div>
      <div role="gridcell" className="hf-row-size hf-number">{sizeText(node.sizeBytes)}</div>
      <div role="gridcell" className="hf-row-more"><MoreButton node={node} /></div>
    </div>
  );
});

export function KindIcon({ node }: { readonly node: FileNode }): ReactNode {
  const { icon, colour } = kindOf(node);
  return <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>;
}

/** A link, so that it can be opened in another tab and read out as one. */
export function EntryName({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) {
      if (node.kind === 'folder' && !event.shiftKey) return;
      event.preventDefault();
      screen.press(node, event);
      return;
    }
    event.preventDefault();
    screen.open(node);
  };
  const href = folderHref(node.kind === 'folder' ? node.path : parentPath(node.path));
  return (
    <a
      className="hf-name" href={href} onClick={open} draggable={false} tabIndex={-1}
      title={node.name}
    >
      {node.name}
    </a>
  );
}

function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function MoreButton({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  return (
    <ActionIcon
      variant="subtle" color="gray" tabIndex={-1} className="hf-more" aria-haspopup="menu"
      aria-label={t('files.actions', { name: node.name })}
      onClick={({ currentTarget }) => {
        const { right: x, bottom: y } = currentTarget.getBoundingClientRect();
        screen.menu.set({ x, y, nodes: screen.nodesFor(node) });
      }}
    >
      <Icon name="more" />
    </ActionIcon>
  );
}
