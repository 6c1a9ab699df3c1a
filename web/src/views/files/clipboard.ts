/** What was cut or copied, until it is pasted. It belongs to this page, not to the system. */
import type { FileNode } from '../../api/shapes.ts';
import { Store } from '../../api/store.ts';
import { copyNodes, moveNodes } from './operations.ts';
import type { Target } from './operations.ts';

export interface Clip {
  readonly kind: 'move' | 'copy';
  readonly nodes: readonly FileNode[];
}

export const clipboard = new Store<Clip | undefined>(undefined);

export async function paste(target: Target): Promise<void> {
  const clip = clipboard.value;
  if (clip === undefined) return;
  if (clip.kind === 'copy') return copyNodes(clip.nodes, target);
  clipboard.set(undefined);
  return moveNodes(clip.nodes, target);
}
