/** What was deleted and can come back. */
import { Button, Checkbox, Group } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { reloadListing } from '../../api/listings.ts';
import type { TrashItem } from '../../api/shapes.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { refreshSession } from '../../shell/session-gate.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { runAll } from '../files/run-all.ts';
import './trash.css';

const TRASH_KEY = ['trash'];
const ROW_PX = 58;

/** What is to be deleted for good, as soon as somebody says so. */
type Doomed = readonly TrashItem[] | 'everything' | undefined;

export function TrashView(): ReactNode {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [doomed, setDoomed] = useState<Doomed>();
  const query = useInfiniteQuery({
    queryKey: TRASH_KEY,
    queryFn: ({ pageParam, signal }) => api.listTrash({
      limit: 200, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const selected = items.filter(({ id }) => chosen.has(id));
  useEffect(() => {
    document.title = `${t('trash.title')} · ${t('app.name')}`;
  }, []);
  const change = (run: Promise<void>): void => {
    setChosen(new Set());
    void run.finally(() => void queryClient.invalidateQueries({ queryKey: TRASH_KEY }));
  };
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <div className="hf-files">
      <header className="hf-toolbar hf-trash-head">
        <div className="hf-toolbar-line">
          <h1>{t('trash.title')}</h1>
          {selected.length > 0 && (
            <>
              <Button onClick={() => change(restore(selected))}>{t('trash.restore')}</Button>
              <Button variant="light" color="red" onClick={() => setDoomed(selected)}>
                {t('trash.remove')}
              </Button>
            </>
          )}
          {selected.length === 0 && items.length > 0 && (
            <Button variant="default" onClick={() => setDoomed('everything')}>
              {t('trash.clear')}
            </Button>
          )}
        </div>
      </header>
      {error !== null && data === undefined
        && <ErrorState error={error} retry={() => void refetch()} />}
      {error === null && data === undefined && <LoadingRows />}
      {data !== undefined && items.length === 0 && (
        <EmptyState icon="trash" title={t('trash.empty')} text={t('trash.emptyText')} />
      )}
      {items.length > 0 && (
        <TrashList
          items={items} chosen={chosen} toggle={toggle}
          restore={(item) => change(restore([item]))}
          loadMore={() => {
            if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
          }}
        />
      )}
      <RemoveDialog doomed={doomed} close={() => setDoomed(undefined)} change={change} />
    </div>
  );
}

interface TrashListProps {
  readonly items: readonly TrashItem[];
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
  readonly restore: (item: TrashItem) => void;
  readonly loadMore: () => void;
}

function TrashList({ items, chosen, toggle, restore: back, loadMore }: TrashListProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last + 50 > items.length) loadMore();
  }, [last, items.length, loadMore]);
  return (
    <div
      ref={scroller} className="hf-trash" tabIndex={0} role="region"
      aria-label={t('trash.list')}
    >
      <ul style={{ height: `${rows.getTotalSize()}px` }}>
        {shown.map(({ index, start }) => {
          const item = items[index];
          return item && (
            <TrashRow
              key={item.id} item={item} isChosen={chosen.has(item.id)} start={start}
              toggle={() => toggle(item.id)} restore={() => back(item)}
            />
          );
        })}
      </ul>
    </div>
  );
}

interface TrashRowProps {
  readonly item: TrashItem;
  readonly isChosen: boolean;
  readonly start: number;
  readonly toggle: () => void;
  readonly restore: () => void;
}

function TrashRow({ item, isChosen, start, toggle, restore: back }: TrashRowProps): ReactNode {
  const { icon, colour } = kindOf(item);
  const folder = item.originalPath?.slice(0, item.originalPath.lastIndexOf('/'));
  const by = item.deletedByName ?? item.deletedBy;
  return (
    <li
      className="hf-trash-row" style={{ transform: `translateY(${start}px)` }}
      data-chosen={isChosen}
    >
      <Checkbox
        size="xs" checked={isChosen} onChange={toggle}
        aria-label={t('files.select', { name: item.name })}
      />
      <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>
      <div className="hf-trash-name">
        <span>{item.name}</span>
        {folder !== undefined && (
          <small>{t('trash.from')} {folder === '' ? t('files.root') : folder}</small>
        )}
      </div>
      <small className="hf-trash-time" title={exactTimeText(item.deletedAt)}>
        {timeText(item.deletedAt)} {t('trash.deletedBy', { name: by })}
      </small>
      <small className="hf-trash-size hf-number">{sizeText(item.sizeBytes)}</small>
      <Button size="compact-sm" variant="light" onClick={back}>{t('trash.restore')}</Button>
    </li>
  );
}

interface RemoveDialogProps {
  readonly doomed: Doomed;
  readonly close: () => void;
  readonly change: (run: Promise<void>) => void;
}

function RemoveDialog({ doomed, close, change }: RemoveDialogProps): ReactNode {
  const items = doomed === 'everything' || doomed === undefined ? [] : doomed;
  const title = doomed === 'everything' ? t('trash.clearTitle')
    : t('trash.removeTitle', { count: items.length, name: items[0]?.name ?? '' });
  return (
    <Dialog title={title} isOpen={doomed !== undefined} onClose={close}>
      <p className="hf-trash-warning">{t('trash.removeText')}</p>
      <Group justify="flex-end" gap={10}>
        <Button variant="default" onClick={close} data-autofocus>{t('action.cancel')}</Button>
        <Button
          color="red" data-danger
          onClick={() => {
            close();
            change(doomed === 'everything' ? clear() : remove(items));
          }}
        >
          {t('trash.remove')}
        </Button>
      </Group>
    </Dialog>
  );
}

async function restore(items: readonly TrashItem[]): Promise<void> {
  const { done, failed } = await runAll(items, ({ id }) => api.restoreTrashed({ id }));
  void reloadListing();
  void refreshSession();
  if (failed[0] !== undefined) sayFailed(failed[0][1]);
  if (done.length === 0) return;
  say(t('trash.restored', { count: done.length, name: items[0]?.name ?? '' }), {
    undo: async () => {
      await runAll(done, ([, { id }]) => api.deleteNode({ id }));
      await queryClient.invalidateQueries({ queryKey: TRASH_KEY });
      void reloadListing();
    },
  });
}

async function remove(items: readonly TrashItem[]): Promise<void> {
  const { done, failed } = await runAll(items, ({ id }) => api.dropTrashed({ id }));
  void refreshSession();
  if (failed[0] !== undefined) sayFailed(failed[0][1]);
  if (done.length > 0) say(t('trash.removed', { count: done.length, name: items[0]?.name ?? '' }));
}

async function clear(): Promise<void> {
  try {
    await api.emptyTrash();
    void refreshSession();
    say(t('trash.cleared'));
  } catch (error) {
    sayFailed(error);
  }
}
