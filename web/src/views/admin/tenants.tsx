/** Tenants: organisations apart from one another. */
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Tenant } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say } from '../../parts/toasts.tsx';
import { timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { Ask } from './ask.tsx';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { reload } from './lists.ts';
import { PartHead } from './part-head.tsx';
import { QuotaField } from './quota-field.tsx';

export function TenantsTab(): ReactNode {
  const [isAdding, setAdding] = useState(false);
  const [limited, setLimited] = useState<Tenant>();
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'tenants'], queryFn: ({ signal }) => api.listTenants({ signal }),
  });
  return (
    <>
      <PartHead title={t('admin.tenants')} lead={t('admin.tenantsLead')}>
        <Button leftSection={<Icon name="plus" small />} onClick={() => setAdding(true)}>
          {t('admin.addTenant')}
        </Button>
      </PartHead>
      {data === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={() => void refetch()} />)}
      {data !== undefined && (
        <DataTable
          label={t('admin.tenants')} rows={data.items} keyOf={({ id }) => id}
          columns={columnsOf(setLimited)} empty={<EmptyState
            icon="building" title={t('admin.nothingFound')}
          />}
        />
      )}
      {isAdding && <NewTenantWindow close={() => setAdding(false)} />}
      {limited !== undefined && (
        <TenantQuotaWindow tenant={limited} close={() => setLimited(undefined)} />
      )}
    </>
  );
}

function columnsOf(limit: (tenant: Tenant) => void): Column<Tenant>[] {
  return [
    {
      key: 'name', label: t('admin.name'), width: 'minmax(0, 2fr)',
      cell: ({ id, title }) => (
        <span className="hf-cell-name">
          <span className="hf-face" aria-hidden="true"><Icon name="building" /></span>
          <span><span>{title === '' ? id : title}</span><small>{id}</small></span>
        </span>
      ),
    },
    {
      key: 'policy', label: t('admin.tenantPolicy'), width: '160px', isWide: true,
      cell: ({ policy }) => policy,
    },
    {
      key: 'since', label: t('admin.since'), width: '110px', isWide: true,
      cell: ({ createdAt }) => <small>{createdAt === undefined ? '' : timeText(createdAt)}</small>,
    },
    {
      key: 'act', label: t('admin.actions'), width: '100px', isNumber: true,
      cell: (tenant) => (
        <Button
          size="compact-sm" variant="default" onClick={() => limit(tenant)}
          aria-label={t('admin.quotaOf', { name: tenant.id })}
        >
          {t('admin.quota')}
        </Button>
      ),
    },
  ];
}

function NewTenantWindow({ close }: { readonly close: () => void }): ReactNode {
  const [id, setId] = useState('');
  const [title, setTitle] = useState('');
  const [policy, setPolicy] = useState('');
  const submit = async (): Promise<void> => {
    await api.addTenant({
      body: {
        id: id.trim().toLowerCase(), ...(title.trim() !== '' && { title: title.trim() }),
        ...(policy.trim() !== '' && { policy: policy.trim() }),
      },
    });
    await reload('tenants');
    say(t('admin.tenantAdded', { name: title.trim() || id }));
  };
  return (
    <Ask
      title={t('admin.addTenant')} isOpen onClose={close} action={t('admin.add')} submit={submit}
      isReady={id.trim() !== ''}
    >
      <TextInput
        label={t('admin.tenantId')} description={t('admin.groupIdText')} value={id} data-autofocus
        spellCheck={false} onChange={(event) => setId(event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.tenantTitle')} value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.tenantPolicy')} description={t('admin.tenantPolicyText')} value={policy}
        spellCheck={false} onChange={(event) => setPolicy(event.currentTarget.value)}
      />
    </Ask>
  );
}

function TenantQuotaWindow(
  { tenant, close }: { readonly tenant: Tenant; readonly close: () => void },
): ReactNode {
  const { data } = useQuery({
    queryKey: ['admin', 'quotas', tenant.id],
    queryFn: ({ signal }) => api.listQuotas({ tenant: tenant.id }, { signal }),
  });
  const row = data?.items.find(({ kind }) => kind === 'tenant');
  const [limitBytes, setLimit] = useState<number | null>();
  return (
    <Ask
      title={t('admin.quotaOf', { name: tenant.id })} isOpen onClose={close}
      action={t('admin.save')} isReady={limitBytes !== undefined}
      submit={async () => {
        await api.setQuota({ body: { tenant: tenant.id, limitBytes: limitBytes ?? null } });
        await reload('quotas');
        say(t('admin.quotaSaved', { name: tenant.id }));
      }}
    >
      <p>{t('admin.quotaText')}</p>
      {row !== undefined && <QuotaField bytes={row.limitBytes} onChange={setLimit} />}
    </Ask>
  );
}
