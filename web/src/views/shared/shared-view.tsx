/** What others share with me, and what I share with others. */
import { Button, Tabs } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import { SHARES_KEY } from '../sharing/share-changes.ts';
import { GivenRow } from './given-row.tsx';
import { ReceivedRow } from './received-row.tsx';
import './shared.css';

type Direction = 'with-me' | 'by-me';
const DIRECTIONS = ['with-me', 'by-me'] as const;
const WORDS = {
  'with-me': {
    tab: 'shared.withMe', list: 'shared.listWithMe', empty: 'shared.withMeEmpty',
    emptyText: 'shared.withMeEmptyText',
  },
  'by-me': {
    tab: 'shared.byMe', list: 'shared.listByMe', empty: 'shared.byMeEmpty',
    emptyText: 'shared.byMeEmptyText',
  },
} as const;
const PAGE_ITEMS = 100;

export function SharedView(): ReactNode {
  const shown: Direction = useSearch()['show'] === 'by-me' ? 'by-me' : 'with-me';
  const go = useGo();
  useEffect(() => {
    document.title = `${t('shared.title')} · ${t('app.name')}`;
  }, []);
  return (
    <div className="hf-shared">
      <header className="hf-shared-head"><h1>{t('shared.title')}</h1></header>
      <Tabs
        value={shown} keepMounted={false} className="hf-shared-tabs"
        onChange={(value) => {
          go(hrefOf('/shared', { show: value === 'by-me' ? value : undefined }), { replace: true });
        }}
      >
        <Tabs.List aria-label={t('shared.parts')}>
          {DIRECTIONS.map((one) => (
            <Tabs.Tab key={one} value={one}>{t(WORDS[one].tab)}</Tabs.Tab>
          ))}
        </Tabs.List>
        {DIRECTIONS.map((one) => (
          <Tabs.Panel key={one} value={one} className="hf-shared-panel">
            <SharesList direction={one} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </div>
  );
}

function SharesList({ direction }: { readonly direction: Direction }): ReactNode {
  const words = WORDS[direction];
  const query = useInfiniteQuery({
    queryKey: [...SHARES_KEY, 'list', direction], staleTime: 0,
    queryFn: ({ pageParam, signal }) => api.listShares({
      direction, limit: PAGE_ITEMS, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const { data, error, refetch, hasNextPage, isFetching, fetchNextPage } = query;
  const [wantedPages, setWantedPages] = useState(1);
  const pageCount = data?.pages.length ?? 0;
  const lacksPages = hasNextPage && pageCount < wantedPages;
  // A change elsewhere asks for the list anew, and gives up on a page that is on the way.
  useEffect(() => {
    if (lacksPages && !isFetching) void fetchNextPage();
  }, [lacksPages, isFetching, fetchNextPage]);
  if (data === undefined) {
    return error === null ? <LoadingRows />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  const shares = data.pages.flatMap((page) => page.items);
  if (shares.length === 0) {
    return <EmptyState icon="shared" title={t(words.empty)} text={t(words.emptyText)} />;
  }
  const Row = direction === 'by-me' ? GivenRow : ReceivedRow;
  return (
    <>
      <ul className="hf-shared-list" aria-label={t(words.list)}>
        {shares.map((share) => <Row key={share.id} share={share} />)}
      </ul>
      {hasNextPage && (
        <Button
          variant="default" className="hf-shared-more" loading={lacksPages}
          onClick={() => setWantedPages(pageCount + 1)}
        >
          {t('shared.more')}
        </Button>
      )}
    </>
  );
}
