/** What is different now from how a folder was, by what became of it. */
import { Button } from '@mantine/core';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import type { Diff, Difference } from '../../../../src/wire/client.ts';
import { isStatus } from '../../api/http.ts';
import { folderHref } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';

/** What came back is looked for first: it is what one misses. */
const GROUPS = [
  ['deleted', 'time.headDeleted'], ['changed', 'time.headChanged'], ['moved', 'time.headMoved'],
  ['added', 'time.headAdded'],
] as const;

/** Pages in which nothing was for whoever asks are passed over, so many at a time. */
const EMPTY_PAGES_MAX = 20;

interface DifferenceListProps {
  readonly top: string;
  readonly query: UseInfiniteQueryResult<InfiniteData<Diff>>;
  readonly isGone: boolean;
  readonly isNow: boolean;
}

export function DifferenceList({ top, query, isGone, isNow }: DifferenceListProps): ReactNode {
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const isFruitless = items.length === 0 && hasNextPage && !isFetchingNextPage
    && (data?.pages.length ?? 0) < EMPTY_PAGES_MAX;
  useEffect(() => {
    if (isFruitless) void fetchNextPage();
  }, [isFruitless, fetchNextPage]);
  if (isGone) return <EmptyState icon="trash" title={t('time.gone')} text={t('time.goneText')} />;
  if (isNow) return <Same />;
  if (isStatus(error, 403)) {
    return <EmptyState icon="lock" title={t('time.denied')} text={t('time.onlyOwner')} />;
  }
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined || isFruitless) return <LoadingRows count={4} />;
  if (items.length === 0 && !hasNextPage) return <Same />;
  return (
    <div className="hf-differences">
      {GROUPS.map(([change, head]) => {
        const group = items.filter((item) => item.change === change);
        return group.length > 0 && (
          <section key={change}>
            <h2><i className={`hf-plot-${change}`} />{t(head, { count: group.length })}</h2>
            <ul>
              {group.map((item) => (
                <DifferenceRow key={`${item.nodeId} ${item.path}`} item={item} top={top} />
              ))}
            </ul>
          </section>
        );
      })}
      {hasNextPage && (
        <Button
          variant="default" className="hf-past-more" loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t('time.more')}
        </Button>
      )}
    </div>
  );
}

function Same(): ReactNode {
  return <EmptyState icon="check" title={t('time.same')} text={t('time.sameText')} />;
}

interface DifferenceRowProps {
  readonly item: Difference;
  readonly top: string;
}

function DifferenceRow({ item, top }: DifferenceRowProps): ReactNode {
  const { kind, path, oldPath, change } = item;
  const short = shortened(path, top);
  const { icon, colour } = kindOf({ kind, name: path.slice(path.lastIndexOf('/') + 1) });
  const folder = kind === 'folder' ? path : path.slice(0, path.lastIndexOf('/')) || '/';
  return (
    <li>
      <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>
      <span>
        {change === 'deleted' ? short : <Link href={folderHref(folder)}>{short}</Link>}
        {oldPath !== undefined && (
          <small>{t('time.was', { path: shortened(oldPath, top) })}</small>
        )}
      </span>
    </li>
  );
}

/** Without the way to the folder that is looked at. */
function shortened(path: string, top: string): string {
  const start = top === '/' ? '/' : `${top}/`;
  return path.startsWith(start) && path.length > start.length ? path.slice(start.length) : path;
}
