/** What happened lately, by days, alike things together, as it comes. */
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { InfiniteData, QueryKey } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Act, Acts } from '../../../../src/wire/client.ts';
import { changesCome } from '../../api/apply-changes.ts';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { useStore } from '../../api/store.ts';
import { folderHref } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { clockText, dayText, exactTimeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { daysOf } from './act-runs.ts';
import type { Run } from './act-runs.ts';

const KEY = ['activity'] as const;
const PAGE_ITEMS = 100;
/** Whoever has looked further back is told that there is something new, and nothing jumps. */
const PAGES_RELOADED_MAX = 2;
const NAMES_MAX = 30;
/** Pages in which nothing was for whoever asks are passed over. */
const EMPTY_PAGES_MAX = 10;

const ICONS: Readonly<Record<Act['change'], IconName>> = {
  added: 'plus', changed: 'edit', moved: 'move', renamed: 'edit', deleted: 'trash',
  restored: 'restore', shared: 'shared', unshared: 'lock',
};

/** `nodeId`: only what happened at or below it. */
export function HappenedList({ nodeId }: { readonly nodeId: string | undefined }): ReactNode {
  const key = [...KEY, nodeId ?? ''];
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => api.listActivity({
      limit: PAGE_ITEMS, ...(nodeId !== undefined && { nodeId }),
      ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchOnWindowFocus: false,
  });
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const pageCount = data?.pages.length ?? 0;
  const come = useStore(changesCome);
  const seen = useRef(come);
  const hasNew = come !== seen.current && pageCount > PAGES_RELOADED_MAX;
  useEffect(() => {
    if (come === seen.current || pageCount > PAGES_RELOADED_MAX) return;
    seen.current = come;
    void refetch();
  }, [come, pageCount, refetch]);
  const days = useMemo(() => {
    const acts = data?.pages.flatMap(({ items }) => items) ?? [];
    return daysOf([...new Map(acts.map((act) => [act.id, act])).values()]);
  }, [data]);
  const isFruitless = days.length === 0 && hasNextPage && !isFetchingNextPage
    && pageCount < EMPTY_PAGES_MAX;
  useEffect(() => {
    if (isFruitless) void fetchNextPage();
  }, [isFruitless, fetchNextPage]);
  if (data === undefined) {
    if (error === null) return <LoadingRows />;
    return <ErrorState error={error} retry={() => void refetch()} />;
  }
  if (days.length === 0 && !hasNextPage) {
    return (
      <EmptyState icon="wait" title={t('activity.empty')} text={t('activity.emptyText')}>
        <Link href={folderHref('/')}>{t('activity.toFiles')}</Link>
      </EmptyState>
    );
  }
  return (
    <div className="hf-happened">
      {hasNew && (
        <Button
          className="hf-happened-new" size="compact-sm" radius="xl" onClick={() => beginAnew(key)}
        >
          {t('activity.new')}
        </Button>
      )}
      {days.map(({ at, runs }) => (
        <section key={at} aria-label={dayText(at)}>
          <h2>{dayText(at)}</h2>
          <ol>{runs.map((run) => <RunRow key={run.key} run={run} />)}</ol>
        </section>
      ))}
      {hasNextPage && (
        <Button
          variant="default" className="hf-happened-more" loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t('activity.earlier')}
        </Button>
      )}
    </div>
  );
}

function beginAnew(key: QueryKey): void {
  queryClient.setQueryData<InfiniteData<Acts>>(key, (data) => data && {
    pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1),
  });
}

function RunRow({ run }: { readonly run: Run }): ReactNode {
  const { act, acts, count, folder } = run;
  const { user } = useSession();
  const isOpenable = acts.length > 1 && count > 1;
  return (
    <li>
      <span className={`hf-act hf-act-${act.change}`}><Icon name={ICONS[act.change]} small /></span>
      <div>
        <p>{sentenceOf(run, user.id)}</p>
        {folder !== undefined && folder !== '/' && (
          <small><Link href={folderHref(folder)}>{folder}</Link></small>
        )}
        {isOpenable && (
          <details>
            <summary>{t('activity.which', { count })}</summary>
            <ul>
              {acts.slice(0, NAMES_MAX).map((one) => <Name key={one.id} act={one} />)}
              {acts.length > NAMES_MAX && (
                <li>{t('activity.andMore', { count: acts.length - NAMES_MAX })}</li>
              )}
            </ul>
          </details>
        )}
      </div>
      <time dateTime={act.at} title={exactTimeText(act.at)}>{clockText(act.at)}</time>
    </li>
  );
}

function Name({ act: { kind, name, change, oldPath } }: { readonly act: Act }): ReactNode {
  const { icon, colour } = kindOf({ kind, name });
  const old = oldPath?.slice(oldPath.lastIndexOf('/') + 1);
  return (
    <li>
      <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} small /></span>
      {change === 'renamed' && old !== undefined ? `${old} → ${name}` : name}
    </li>
  );
}

function sentenceOf({ act, count, folder }: Run, userId: string): string {
  const { by, byName, change, name, oldPath } = act;
  const who = by === undefined ? t('activity.somebody')
    : by === userId ? t('activity.you') : byName ?? by;
  const place = folder === undefined ? t('activity.goneFolder')
    : folder === '/' ? t('activity.inRoot') : folder.slice(folder.lastIndexOf('/') + 1);
  const old = oldPath?.slice(oldPath.lastIndexOf('/') + 1);
  const fill = { who, name, folder: place, count, old: old ?? '' };
  return change === 'renamed' && count === 1 && old === undefined
    ? t('act.renamedPlain', fill) : t(`act.${change}`, fill);
}
