/** First the plan, then what it says: emptying a disk, keeping it after all, letting it go. */
import { Alert, Button, Checkbox, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Disk, DiskOrder } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { reload } from './lists.ts';

export type DiskAction = DiskOrder['action'];

interface DiskWindowProps {
  readonly disk: Disk;
  readonly action: DiskAction;
  readonly close: () => void;
}

export function DiskWindow({ disk, action, close }: DiskWindowProps): ReactNode {
  const { id, where } = disk;
  const [acceptLoss, setAcceptLoss] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const { data: plan, error, refetch } = useQuery({
    queryKey: ['admin', 'disk-plan', id, action, acceptLoss], gcTime: 0, staleTime: 0,
    queryFn: ({ signal }) => api.changeDisk({ id, body: { action, acceptLoss } }, { signal }),
  });
  const run = async (planEtag: string): Promise<void> => {
    setBusy(true);
    try {
      await api.changeDisk({ id, body: { action, acceptLoss, planEtag } });
      await reload('disks', 'storage');
      say(t(`admin.disk.${action}Done`, { where }));
      close();
    } catch (failure) {
      sayFailed(failure);
      void refetch();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(`admin.disk.${action}Title`, { where })} isOpen onClose={close} size={520}>
      <div className="hf-ask">
        <p>{t(`admin.disk.${action}Text`)}</p>
        {plan === undefined && (error === null ? <LoadingRows count={2} />
          : <ErrorState error={error} retry={() => void refetch()} />)}
        {plan !== undefined && (
          <>
            <dl className="hf-facts">
              <dt>{t('admin.toMove')}</dt>
              <dd>
                {t('admin.volumes', { count: plan.volumeCount })}, {sizeText(plan.volumeBytes)}
              </dd>
            </dl>
            {plan.notes.length > 0 && (
              <ul>{plan.notes.map((note) => <li key={note}>{note}</li>)}</ul>
            )}
            {plan.objections.length > 0 && (
              <Alert color="red" variant="light" role="alert">{plan.objections.join(' ')}</Alert>
            )}
            {action === 'retire' && (
              <Checkbox
                label={t('admin.acceptLoss')} checked={acceptLoss}
                onChange={(event) => setAcceptLoss(event.currentTarget.checked)}
              />
            )}
          </>
        )}
        <Group justify="flex-end" gap={10}>
          <Button variant="default" onClick={close}>{t('action.cancel')}</Button>
          <Button
            loading={isBusy} disabled={plan === undefined || plan.objections.length > 0}
            {...(action === 'retire' && { color: 'red', 'data-danger': true })}
            onClick={() => plan !== undefined && void run(plan.etag)}
          >
            {t(`admin.disk.${action}`)}
          </Button>
        </Group>
      </div>
    </Dialog>
  );
}
