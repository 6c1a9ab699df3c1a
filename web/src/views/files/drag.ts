/** Dragging entries onto folders, and files from the desktop onto anything that takes them. */
import { useState } from 'react';
import type { DragEvent } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { incomingOfDrop } from '../../uploads/dropped-files.ts';
import type { Incoming } from '../../uploads/dropped-files.ts';
import { ITEMS_MAX, uploadQueue } from '../../uploads/upload-queue.ts';
import { copyNodes, moveNodes } from './operations.ts';
import type { Target } from './operations.ts';

const NODES_TYPE = 'application/x-holdfast-nodes';
/** Browsers show what is dragged only at the drop, but what is ours is known all along. */
let dragged: readonly FileNode[] = [];

export function beginDrag(event: DragEvent, nodes: readonly FileNode[]): void {
  dragged = nodes;
  event.dataTransfer.setData(NODES_TYPE, String(nodes.length));
  event.dataTransfer.effectAllowed = 'copyMove';
}

export function endDrag(): void {
  dragged = [];
}

function mayTake(target: Target & { readonly may: FileNode['may'] }, data: DataTransfer): boolean {
  if (!target.may.create) return false;
  if (data.types.includes('Files')) return true;
  if (!data.types.includes(NODES_TYPE)) return false;
  return dragged.every(({ id, path, kind }) => {
    const isInside = kind === 'folder' && `${target.path}/`.startsWith(`${path}/`);
    return id !== target.id && !isInside;
  });
}

export interface DropProps {
  readonly onDragOver?: (event: DragEvent) => void;
  readonly onDragLeave?: (event: DragEvent) => void;
  readonly onDrop?: (event: DragEvent) => void;
  readonly 'data-drop-over'?: '';
}

/** What an element needs so that things can be dropped on it, into `target`. */
export function useDropTarget(
  target: (Target & { readonly may: FileNode['may'] }) | undefined,
): DropProps {
  const [isOver, setOver] = useState(false);
  if (target === undefined) return {};
  return {
    onDragOver: (event) => {
      if (!mayTake(target, event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      const copies = event.ctrlKey || event.altKey || event.dataTransfer.types.includes('Files');
      event.dataTransfer.dropEffect = copies ? 'copy' : 'move';
      if (!isOver) setOver(true);
    },
    onDragLeave: ({ currentTarget, relatedTarget }) => {
      if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event) => {
      setOver(false);
      if (!mayTake(target, event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      take(target, event);
    },
    ...(isOver && { 'data-drop-over': '' as const }),
  };
}

function take(target: Target, { dataTransfer, ctrlKey, altKey }: DragEvent): void {
  if (dataTransfer.types.includes('Files')) {
    incomingOfDrop(dataTransfer).then((incoming) => upload(target, incoming)).catch(sayFailed);
    return;
  }
  const nodes = dragged;
  endDrag();
  void (ctrlKey || altKey ? copyNodes : moveNodes)(nodes, target);
}

export function upload(target: Target, { files, emptyFolders }: Incoming): void {
  if (!uploadQueue.add(target, files)) {
    say(t('uploads.tooMany', { count: ITEMS_MAX }), { kind: 'failed' });
    return;
  }
  uploadQueue.makeFolders(target, emptyFolders).catch(sayFailed);
}
