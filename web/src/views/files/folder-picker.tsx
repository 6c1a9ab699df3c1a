/** Chooses the folder that something moves or is copied to. */
import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from '../../api/store.ts';
import { listChildren, nodeByPath } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import { stepsOf } from './breadcrumb.tsx';
import { inOrder } from '../../api/entry-order.ts';
import { useScreen } from './folder-screen.ts';
import type { Asking } from './folder-screen.ts';
import { copyNodes, moveNodes } from './operations.ts';

const BY_NAME = { field: 'name', order: 'asc' } as const;
/** More folders than anybody looks through: beyond it, one goes there and pastes. */
const FOLDERS_LOOKED_AT = 1000;

export function FolderPicker(): ReactNode {
  const screen = useScreen();
  const asking = useStore(screen.asking);
  const isOpen = asking?.kind === 'move' || asking?.kind === 'copy';
  const close = (): void => screen.asking.set(undefined);
  const count = isOpen ? asking.nodes.length : 0;
  const name = isOpen ? asking.nodes[0]?.name ?? '' : '';
  const title = asking?.kind === 'copy' ? 'files.chooseCopy' : 'files.chooseMove';
  return (
    <Dialog title={t(title, { count, name })} isOpen={isOpen} onClose={close} size={520}>
      {isOpen && (
        <Choice asking={asking} close={close} start={screen.folder?.path ?? '/'} />
      )}
    </Dialog>
  );
}

interface ChoiceProps {
  readonly asking: Extract<Asking, { kind: 'move' | 'copy' }>;
  readonly close: () => void;
  readonly start: string;
}

function Choice({ asking: { kind, nodes }, close, start }: ChoiceProps): ReactNode {
  const [path, setPath] = useState(start);
  const { data } = useQuery({
    queryKey: ['folders', path],
    queryFn: async ({ signal }) => {
      const { id } = await nodeByPath(path, signal);
      return listChildren(id, { sort: BY_NAME, limit: FOLDERS_LOOKED_AT, signal });
    },
  });
  const folders = inOrder(data?.items.filter((node) => node.kind === 'folder') ?? [], BY_NAME);
  const fault = data === undefined ? undefined : faultOfTarget(data.folder, nodes, kind);
  const place = (): void => {
    if (data === undefined) return;
    close();
    void (kind === 'copy' ? copyNodes : moveNodes)(nodes, data.folder);
  };
  return (
    <>
      <nav className="hf-picker-steps" aria-label={t('files.breadcrumb')}>
        {stepsOf(path).map((step, at) => (
          <span key={step.path}>
            {at > 0 && <Icon name="chevronRight" small />}
            <button type="button" onClick={() => setPath(step.path)}>{step.name}</button>
          </span>
        ))}
      </nav>
      <div className="hf-picker">
        {data === undefined && <LoadingRows count={4} />}
        {data !== undefined && folders.length === 0 && <p>{t('files.noFolders')}</p>}
        {folders.map((folder) => (
          <button
            key={folder.id} type="button" className="hf-picker-folder"
            disabled={nodes.some(({ id }) => id === folder.id)}
            onClick={() => setPath(folder.path)}
          >
            <span className="hf-kind hf-kind-folder"><Icon name="folder" solid /></span>
            <span>{folder.name}</span>
            <Icon name="chevronRight" small />
          </button>
        ))}
      </div>
      <Group justify="flex-end" mt={18} gap={10}>
        {fault !== undefined && <small className="hf-picker-fault" role="status">{fault}</small>}
        <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
        <Button onClick={place} disabled={data === undefined || fault !== undefined}>
          {t(kind === 'copy' ? 'files.copyHere' : 'files.moveHere')}
        </Button>
      </Group>
    </>
  );
}

/** Why nothing can go there; '' where it is plain to see. */
function faultOfTarget(
  folder: FileNode, nodes: readonly FileNode[], kind: 'move' | 'copy',
): string | undefined {
  const isInside = nodes.some((node) => {
    return node.kind === 'folder' && `${folder.path}/`.startsWith(`${node.path}/`);
  });
  if (isInside) return t('files.into');
  if (!folder.may.create) return t('files.mayNotCreate');
  const isHere = kind === 'move' && nodes.every(({ parentId }) => parentId === folder.id);
  return isHere ? t('files.alreadyHere') : undefined;
}
