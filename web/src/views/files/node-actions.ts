/** What can be done with some entries, for menus and for the bar above the list. */
import type { FileNode } from '../../api/shapes.ts';
import type { IconName } from '../../parts/icons.tsx';
import { kindOf } from '../../parts/file-kind.ts';
import type { TextKey } from '../../texts/texts.ts';
import type { FolderScreen } from './folder-screen.ts';
import { setFavorite } from './operations.ts';

export interface NodeAction {
  readonly key: string;
  readonly label: TextKey;
  readonly icon: IconName;
  readonly keys?: string;
  readonly isDanger?: boolean;
  /** Also in the bar above the list. */
  readonly isInBar?: boolean;
  readonly run: () => void;
}

/** In groups, which menus divide by a line. */
export function actionsFor(screen: FolderScreen, nodes: readonly FileNode[]): NodeAction[][] {
  const [first] = nodes;
  if (first === undefined) return [];
  const all = (may: keyof FileNode['may']): boolean => nodes.every((node) => node.may[may]);
  const only = nodes.length === 1 ? first : undefined;
  const groups: (NodeAction | false | undefined)[][] = [
    [
      only && (only.kind === 'folder' || kindOf(only).preview !== undefined) && {
        key: 'open', label: 'files.open', icon: 'open', keys: 'Enter',
        run: () => screen.open(only),
      },
      all('read') && {
        key: 'download', icon: 'download', isInBar: true,
        label: only?.kind === 'folder' ? 'files.downloadZip' : 'files.download',
        run: () => screen.download(nodes),
      },
    ],
    [
      only && {
        key: 'share', label: 'sharing.shareShort', icon: 'shared', keys: 'S', isInBar: true,
        run: () => screen.share(only),
      },
    ],
    [
      only && only.may.rename && {
        key: 'rename', label: 'files.rename', icon: 'edit', keys: 'F2', isInBar: true,
        run: () => screen.beginRename(only),
      },
      all('rename') && {
        key: 'move', label: 'files.move', icon: 'move', isInBar: true,
        run: () => screen.asking.set({ kind: 'move', nodes }),
      },
      all('read') && {
        key: 'copy', label: 'files.copy', icon: 'copy', isInBar: true,
        run: () => screen.asking.set({ kind: 'copy', nodes }),
      },
      all('rename') && {
        key: 'cut', label: 'files.cutKeys', icon: 'cut', keys: 'Ctrl X',
        run: () => screen.cut(nodes),
      },
    ],
    [
      only && {
        key: 'favorite', icon: 'star', run: () => void setFavorite(only, !only.isFavorite),
        label: only.isFavorite ? 'files.dropFavorite' : 'files.addFavorite',
      },
      only && {
        key: 'details', label: 'files.details', icon: 'info', keys: 'I',
        run: () => screen.showsDetails.set(true),
      },
    ],
    [
      all('delete') && {
        key: 'delete', label: 'files.delete', icon: 'trash', keys: 'Del', isDanger: true,
        isInBar: true, run: () => void screen.remove(nodes),
      },
    ],
  ];
  return groups.map((group) => group.filter((action) => typeof action === 'object'))
    .filter((group) => group.length > 0);
}
