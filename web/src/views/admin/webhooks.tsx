/** Webhooks: what changes is sent to an address of one's own. */
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Webhook } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { reload } from './lists.ts';
import { PartHead } from './part-head.tsx';
import { Badge, Card } from './pieces.tsx';

const AGAIN_MS = 10_000;
const SECRET_BYTES = 24;
const SECRET_LENGTH_MIN = 16;

export function WebhooksTab(): ReactNode {
  const [isAdding, setAdding] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'webhooks'], queryFn: ({ signal }) => api.listWebhooks({ signal }),
    refetchInterval: AGAIN_MS,
  });
  return (
    <>
      <PartHead title={t('admin.webhooks')} lead={t('admin.webhooksLead')}>
        <Button leftSection={<Icon name="plus" small />} onClick={() => setAdding(true)}>
          {t('admin.addWebhook')}
        </Button>
      </PartHead>
      {data === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {data?.items.length === 0 && (
        <EmptyState icon="send" title={t('admin.noWebhooks')} text={t('admin.noWebhooksText')} />
      )}
      {data !== undefined && data.items.length > 0 && (
        <div
          className="hf-admin-scroll" tabIndex={0} role="region" aria-label={t('admin.webhooks')}
        >
          {data.items.map((hook) => <WebhookCard key={hook.id} hook={hook} />)}
        </div>
      )}
      {isAdding && <NewWebhookWindow close={() => setAdding(false)} />}
    </>
  );
}

function WebhookCard({ hook }: { readonly hook: Webhook }): ReactNode {
  const { id, url, label, state, path, createdAt, pending, dead } = hook;
  const [isRemoving, setRemoving] = useState(false);
  const resend = async (delivery: string): Promise<void> => {
    try {
      await api.resendWebhookDelivery({ id, delivery });
      await reload('webhooks');
      say(t('admin.resent'));
    } catch (error) {
      sayFailed(error);
    }
  };
  return (
    <Card
      title={label === '' ? url : label} action={(
        <>
          <Badge tone={state === 'active' ? 'good' : 'attention'}>
            {t(`admin.webhook.${state}`)}
          </Badge>
          <Button
            size="compact-sm" variant="subtle" color="red" onClick={() => setRemoving(true)}
            aria-label={t('admin.removeOne', { name: label === '' ? url : label })}
          >
            {t('admin.remove')}
          </Button>
        </>
      )}
    >
      <dl className="hf-facts">
        <dt>{t('admin.address')}</dt><dd>{url}</dd>
        <dt>{t('admin.below')}</dt><dd>{path === '' ? t('admin.everything') : path}</dd>
        <dt>{t('admin.since')}</dt><dd>{timeText(createdAt)}</dd>
        {pending !== undefined && (
          <>
            <dt>{t('admin.onItsWay')}</dt>
            <dd>
              {t('admin.tries', { count: pending.tries })}
              {pending.trouble !== '' && `: ${pending.trouble}`}
            </dd>
          </>
        )}
      </dl>
      {dead.length > 0 && (
        <ul className="hf-list" aria-label={t('admin.givenUp')}>
          {dead.map(({ id: delivery, at, tries, trouble }) => (
            <li key={delivery}>
              <span>
                {t('admin.givenUpAt', { time: timeText(at) })}
                <small>{t('admin.tries', { count: tries })}: {trouble}</small>
              </span>
              <Button size="compact-sm" variant="default" onClick={() => void resend(delivery)}>
                {t('admin.resend')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Ask
        title={t('admin.removeWebhook')} isOpen={isRemoving} isDanger action={t('admin.remove')}
        onClose={() => setRemoving(false)}
        submit={async () => {
          await api.removeWebhook({ id });
          await reload('webhooks');
        }}
      >
        <p>{t('admin.removeWebhookText', { url })}</p>
      </Ask>
    </Card>
  );
}

function NewWebhookWindow({ close }: { readonly close: () => void }): ReactNode {
  const [form, setForm] = useState({ url: '', label: '', path: '', secret: madeUp() });
  const { url, label, path, secret } = form;
  const text = (name: keyof typeof form) => ({
    value: form[name], spellCheck: false, autoComplete: 'off',
    onChange: (event: { currentTarget: { value: string } }) =>
      setForm({ ...form, [name]: event.currentTarget.value }),
  });
  return (
    <Ask
      title={t('admin.addWebhook')} isOpen onClose={close} action={t('admin.add')}
      isReady={/^https?:\/\/./.test(url.trim()) && secret.length >= SECRET_LENGTH_MIN}
      submit={async () => {
        await api.addWebhook({
          body: {
            url: url.trim(), secret, ...(label.trim() !== '' && { label: label.trim() }),
            ...(path.trim() !== '' && { path: path.trim() }),
          },
        });
        await reload('webhooks');
        say(t('admin.webhookAdded'));
      }}
    >
      <TextInput
        label={t('admin.address')} placeholder="https://…" data-autofocus {...text('url')}
      />
      <TextInput label={t('admin.label')} {...text('label')} />
      <TextInput
        label={t('admin.below')} description={t('admin.belowText')} {...text('path')}
      />
      <TextInput
        label={t('admin.secretLabel')} description={t('admin.secretText')} {...text('secret')}
      />
    </Ask>
  );
}

function madeUp(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
