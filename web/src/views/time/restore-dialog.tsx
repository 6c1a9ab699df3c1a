/** Says what bringing something back will do, before it is done. */
import { Button, Checkbox, Group } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { restore } from './restore-job.ts';

export interface RestoreWish {
  /** Where it was then. "/": everything. */
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
}

interface RestoreDialogProps {
  readonly wish: RestoreWish | undefined;
  readonly at: string;
  readonly onClose: () => void;
}

export function RestoreDialog({ wish, at, onClose }: RestoreDialogProps): ReactNode {
  const [withSharing, setWithSharing] = useState(false);
  const isAll = wish?.path === '/';
  const name = wish?.name ?? '';
  const title = isAll ? t('time.askAll')
    : t(wish?.kind === 'file' ? 'time.askFile' : 'time.askFolder', { name });
  const time = exactTimeText(at);
  const confirm = (): void => {
    onClose();
    if (wish !== undefined) void restore({ path: wish.path, name, at, withSharing });
  };
  return (
    <Dialog title={title} isOpen={wish !== undefined} onClose={onClose} size={500}>
      <div className="hf-restore-words">
        {wish?.kind === 'file' ? <p>{t('time.willFile', { time })}</p> : (
          <>
            <p>{t(isAll ? 'time.willAll' : 'time.willFolder', { time })}</p>
            <ul>
              <li>{t('time.willChanged')}</li>
              <li>{t('time.willDeleted')}</li>
              <li>{t('time.willAdded')}</li>
            </ul>
          </>
        )}
        <p>{t('time.nothingLost')}</p>
        <Checkbox
          checked={withSharing} label={t('time.withSharing')}
          description={t('time.withSharingText')}
          onChange={(event) => setWithSharing(event.currentTarget.checked)}
        />
      </div>
      <Group justify="flex-end" gap={10}>
        <Button variant="default" onClick={onClose}>{t('action.cancel')}</Button>
        <Button onClick={confirm} data-autofocus>{t('time.confirm')}</Button>
      </Group>
    </Dialog>
  );
}
