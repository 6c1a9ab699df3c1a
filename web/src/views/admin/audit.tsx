/** Who did what: filtered, page by page, and as a file to take along. */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { AuditEntry } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { exactTimeText } from '../../texts/figures.ts';
import { LANGUAGE, t } from '../../texts/texts.ts';
import { ACTS, actText } from './audit-acts.ts';
import { auditCsv, exportEntries, saveText } from './audit-export.ts';
import type { AuditFilter } from './audit-export.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { useList } from './lists.ts';
import { PartHead } from './part-head.tsx';

const FIELDS = ['user', 'act', 'since', 'until'] as const;
const ROW_PX = 44;
const short = new Intl.DateTimeFormat(LANGUAGE, {
  day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit',
  hour12: false,
});

export function AuditTab(): ReactNode {
  const search = useSearch();
  const go = useGo();
  const [isExporting, setExporting] = useState(false);
  const filter = filterOf(search);
  const { rows, error, refetch, loadMore } = useList(
    ['audit', JSON.stringify(filter)],
    (paging, options) => api.listAudit({ ...filter, ...paging }, options),
  );
  const change = (field: (typeof FIELDS)[number], value: string): void =>
    go(hrefOf('/admin/audit', { ...search, [field]: value }), { replace: true });
  const isFiltered = FIELDS.some((field) => (search[field] ?? '') !== '');
  const download = async (): Promise<void> => {
    setExporting(true);
    try {
      const { entries, isWhole } = await exportEntries(filter);
      saveText('audit.csv', auditCsv(entries));
      say(t(isWhole ? 'admin.exported' : 'admin.exportedPart', { count: entries.length }));
    } catch (failure) {
      sayFailed(failure);
    } finally {
      setExporting(false);
    }
  };
  return (
    <>
      <PartHead title={t('admin.audit')} lead={t('admin.auditLead')}>
        <Button
          variant="default" leftSection={<Icon name="download" small />} loading={isExporting}
          onClick={() => void download()}
        >
          {t('admin.export')}
        </Button>
      </PartHead>
      <Filters search={search} change={change} />
      {rows === undefined && (error === null ? <LoadingRows />
        : <ErrorState error={error} retry={refetch} />)}
      {rows !== undefined && (
        <DataTable
          label={t('admin.audit')} rows={rows} keyOf={({ seq }) => String(seq)} columns={COLUMNS}
          loadMore={loadMore} rowPx={ROW_PX} empty={(
            <EmptyState
              icon="list" title={t(isFiltered ? 'admin.nothingFound' : 'admin.noAudit')}
              text={t('admin.noAuditText')}
            />
          )}
        />
      )}
    </>
  );
}

function Filters({ search, change }: {
  readonly search: Readonly<Record<string, string | undefined>>;
  readonly change: (field: (typeof FIELDS)[number], value: string) => void;
}): ReactNode {
  const [user, setUser] = useState(search['user'] ?? '');
  const isFiltered = FIELDS.some((field) => (search[field] ?? '') !== '');
  const go = useGo();
  return (
    <form
      className="hf-admin-filters" aria-label={t('admin.filter')} role="search"
      onSubmit={(event) => {
        event.preventDefault();
        change('user', user.trim());
      }}
    >
      <TextInput
        label={t('admin.user')} value={user} spellCheck={false} autoComplete="off"
        onChange={(event) => setUser(event.currentTarget.value)}
        onBlur={() => change('user', user.trim())}
      />
      <NativeSelect
        label={t('admin.act')} value={search['act'] ?? ''}
        data={[
          { value: '', label: t('admin.everything') },
          ...ACTS.map((act) => ({ value: act, label: actText(act) })),
        ]}
        onChange={(event) => change('act', event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.from')} type="date" value={search['since'] ?? ''}
        onChange={(event) => change('since', event.currentTarget.value)}
      />
      <TextInput
        label={t('admin.to')} type="date" value={search['until'] ?? ''}
        onChange={(event) => change('until', event.currentTarget.value)}
      />
      {isFiltered && (
        <Button
          variant="subtle"
          onClick={() => {
            setUser('');
            go(hrefOf('/admin/audit'), { replace: true });
          }}
        >
          {t('admin.clearFilter')}
        </Button>
      )}
    </form>
  );
}

/** Days are those of whoever looks. */
function filterOf(search: Readonly<Record<string, string | undefined>>): AuditFilter {
  const { user = '', act = '', since = '', until = '' } = search;
  const time = (day: string, clock: string): string | undefined => {
    const at = new Date(`${day}T${clock}`);
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  };
  const [from, to] = [time(since, '00:00:00'), time(until, '23:59:59.999')];
  return {
    ...(user !== '' && { user }), ...(act !== '' && { act }),
    ...(from !== undefined && { since: from }), ...(to !== undefined && { until: to }),
  };
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    key: 'at', label: t('admin.time'), width: '132px',
    cell: ({ at }) => <small title={exactTimeText(at)}>{short.format(new Date(at))}</small>,
  },
  {
    key: 'user', label: t('admin.user'), width: 'minmax(70px, 0.6fr)',
    cell: ({ user }) => (user === '' ? <small>{t('admin.theServer')}</small> : user),
  },
  {
    key: 'act', label: t('admin.act'), width: 'minmax(120px, 1fr)',
    cell: ({ act, name, subject }) => (
      <>
        <span title={act}>{actText(act)}</span>
        <small className="hf-on-phone">{name ?? subject}</small>
      </>
    ),
  },
  {
    key: 'what', label: t('admin.what'), width: 'minmax(0, 1.6fr)', isWide: true,
    cell: ({ name, nameBefore, subject, note }) => (
      <span title={note}>
        {name ?? subject ?? ''}
        {nameBefore !== undefined
          && <small>{` ${t('admin.wasCalled', { name: nameBefore })}`}</small>}
        {name !== undefined && subject !== undefined && <small>{` ${subject}`}</small>}
        {note !== undefined && <small>{` ${note}`}</small>}
      </span>
    ),
  },
  {
    key: 'where', label: t('admin.fromWhere'), width: 'minmax(0, 1.2fr)', isWide: true,
    cell: ({ device, from }) => (
      <small title={placeOf(device, from)}>{placeOf(device, from)}</small>
    ),
  },
];

function placeOf(...parts: readonly (string | undefined)[]): string {
  return parts.filter((one) => one !== undefined && one !== '').join(', ');
}
