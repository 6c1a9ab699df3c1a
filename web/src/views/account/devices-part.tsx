/** Devices that sign in with app passwords, and connecting another one. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { AccessRows } from './access-rows.tsx';
import { DEVICES_KEY } from './account-keys.ts';
import type { Account } from './account-keys.ts';
import { Card } from './card.tsx';
import { ConnectGuide } from './connect-guide.tsx';

export function DevicesPart({ account }: { readonly account: Account }): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: DEVICES_KEY, queryFn: ({ signal }) => api.listDevices({ signal }),
  });
  const [isOpen, setOpen] = useState(false);
  const reload = (): Promise<void> => queryClient.invalidateQueries({ queryKey: DEVICES_KEY });
  const close = (): void => {
    setOpen(false);
    void reload();
  };
  const devices = [...data?.items ?? []].reverse();
  const connect = (
    <Button leftSection={<Icon name="plus" small />} onClick={() => setOpen(true)}>
      {t('devices.connect')}
    </Button>
  );
  return (
    <Card
      title={t('devices.title')} lead={t('devices.lead')}
      action={devices.length > 0 && connect}
    >
      {data === undefined && error !== null
        && <ErrorState error={error} retry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows count={3} />}
      {data !== undefined && devices.length === 0 && (
        <EmptyState icon="phone" title={t('devices.none')} text={t('devices.noneText')}>
          {connect}
        </EmptyState>
      )}
      <AccessRows
        label={t('devices.title')} icon="phone" act={t('devices.end')}
        rows={devices.map(({ id, name, createdAt, lastUsedAt }) => ({
          id, name,
          facts: [
            t('devices.since', { time: timeText(createdAt) }),
            lastUsedAt === undefined
              ? t('account.notUsed') : t('account.usedAt', { time: timeText(lastUsedAt) }),
          ],
        }))}
        title={(name) => t('devices.endTitle', { name })} warning={t('devices.endText')}
        end={async (id) => {
          await api.disconnectDevice({ id });
          await reload();
          say(t('devices.ended'));
        }}
      />
      <Dialog title={t('devices.connect')} isOpen={isOpen} onClose={close} size={520}>
        <ConnectGuide user={account.id} done={close} />
      </Dialog>
    </Card>
  );
}
