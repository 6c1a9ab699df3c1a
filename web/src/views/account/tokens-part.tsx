/** Secrets for programs that use the API. */
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
import { TOKENS_KEY } from './account-keys.ts';
import type { Account, Token } from './account-keys.ts';
import { Card } from './card.tsx';
import { NewToken } from './new-token.tsx';

export function TokensPart({ account }: { readonly account: Account }): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: TOKENS_KEY, queryFn: ({ signal }) => api.listTokens({ signal }),
  });
  const [isOpen, setOpen] = useState(false);
  const reload = (): Promise<void> => queryClient.invalidateQueries({ queryKey: TOKENS_KEY });
  const close = (): void => {
    setOpen(false);
    void reload();
  };
  const tokens = [...data?.items ?? []].reverse();
  const make = (
    <Button leftSection={<Icon name="plus" small />} onClick={() => setOpen(true)}>
      {t('tokens.make')}
    </Button>
  );
  return (
    <Card title={t('tokens.title')} lead={t('tokens.lead')} action={tokens.length > 0 && make}>
      {data === undefined && error !== null
        && <ErrorState error={error} retry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows count={3} />}
      {data !== undefined && tokens.length === 0 && (
        <EmptyState icon="code" title={t('tokens.none')} text={t('tokens.noneText')}>
          {make}
        </EmptyState>
      )}
      <AccessRows
        label={t('tokens.title')} icon="code" act={t('tokens.end')}
        rows={tokens.map((token) => ({ id: token.id, name: token.label, facts: factsOf(token) }))}
        title={(name) => t('tokens.endTitle', { name })} warning={t('tokens.endText')}
        end={async (id) => {
          await api.revokeToken({ id });
          await reload();
          say(t('tokens.ended'));
        }}
      />
      <p className="hf-account-foot"><a href="/api/docs">{t('tokens.reference')}</a></p>
      <Dialog title={t('tokens.make')} isOpen={isOpen} onClose={close} size={480}>
        <NewToken isAdmin={account.isAdmin} done={close} />
      </Dialog>
    </Card>
  );
}

function factsOf({ scopes, expiresAt, lastUsedAt }: Token): string[] {
  return [
    ...scopes.map((scope) => t(`scope.${scope}`)),
    expiresAt === undefined ? t('tokens.noEnd') : t('tokens.until', { time: timeText(expiresAt) }),
    lastUsedAt === undefined
      ? t('account.notUsed') : t('account.usedAt', { time: timeText(lastUsedAt) }),
  ];
}
