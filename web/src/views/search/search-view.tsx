/** Names in all folders, or in one and below it. */
import { Button, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import { folderHref, hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { Preview } from '../../preview/preview.tsx';
import { exactTimeText, sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { FolderScreen, ScreenContext, useScreen } from '../files/folder-screen.ts';
import './search.css';

/** So many are looked for without being asked to look further. */
const FOUND_ENOUGH = 50;

export function SearchView(): ReactNode {
  const { q: text = '' } = useSearch();
  const go = useGo();
  const screen = useMemo(() => new FolderScreen(go), [go]);
  useEffect(() => {
    document.title = `${t('search.title')} · ${t('app.name')}`;
  }, []);
  return (
    <ScreenContext value={screen}>
      <div className="hf-files">
        <header className="hf-toolbar hf-search-head">
          <div className="hf-toolbar-line"><h1>{t('search.title')}</h1></div>
          <div className="hf-toolbar-line"><Field key={text} text={text} /></div>
        </header>
        {text.trim() === '' ? (
          <EmptyState icon="search" title={t('search.begin')} text={t('search.beginText')} />
        ) : <Findings text={text} />}
      </div>
      <Preview />
    </ScreenContext>
  );
}

function Field({ text }: { readonly text: string }): ReactNode {
  const go = useGo();
  const [words, setWords] = useState(text);
  return (
    <form
      className="hf-search-field" role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go(hrefOf('/search', { q: words.trim() }), { replace: true });
      }}
    >
      <TextInput
        aria-label={t('search.field')} placeholder={t('search.field')} value={words} data-autofocus
        autoFocus={text === ''} maxLength={200} type="search"
        leftSection={<Icon name="search" small />}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
    </form>
  );
}

function Findings({ text }: { readonly text: string }): ReactNode {
  const screen = useScreen();
  const { data, error, refetch, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey: ['search', text],
    queryFn: ({ pageParam, signal }) => api.search({
      query: text, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const nodes = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const lookedCount = data?.pages.reduce((sum, page) => sum + page.lookedCount, 0) ?? 0;
  useMemo(() => screen.show('/', undefined, nodes), [screen, nodes]);
  const [wanted, setWanted] = useState(FOUND_ENOUGH);
  const goesOn = hasNextPage && !isFetching && error === null && nodes.length < wanted;
  useEffect(() => {
    if (goesOn) void fetchNextPage();
  }, [goesOn, fetchNextPage]);
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows />;
  const isOver = !hasNextPage;
  if (nodes.length === 0 && isOver) {
    return (
      <EmptyState
        icon="search" title={t('search.none', { text })} text={t('search.noneText')}
      />
    );
  }
  return (
    <section className="hf-search" tabIndex={0} aria-label={t('search.list')}>
      <ul>{nodes.map((node) => <Row key={node.id} node={node} />)}</ul>
      <p className="hf-search-foot" role="status">
        {isFetching ? t('search.looking', { count: lookedCount })
          : t(isOver ? 'search.found' : 'search.foundSoFar', { count: nodes.length })}
        {!isOver && !isFetching && (
          <Button variant="default" onClick={() => setWanted(nodes.length + FOUND_ENOUGH)}>
            {t('search.more')}
          </Button>
        )}
      </p>
    </section>
  );
}

function Row({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const { icon, colour } = kindOf(node);
  const above = node.path.slice(0, node.path.lastIndexOf('/'));
  const isFolder = node.kind === 'folder';
  return (
    <li className="hf-search-row">
      <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>
      <div className="hf-search-name">
        <Link
          href={folderHref(isFolder ? node.path : above)}
          onClick={(event) => {
            if (isFolder) return;
            event.preventDefault();
            screen.open(node);
          }}
        >
          {node.name}
        </Link>
        <small>
          {t('search.in')}{' '}
          <Link href={folderHref(above)}>{above === '' ? t('files.root') : above.slice(1)}</Link>
        </small>
      </div>
      <small className="hf-search-time" title={exactTimeText(node.modifiedAt)}>
        {timeText(node.modifiedAt)}
      </small>
      <small className="hf-search-size hf-number">{isFolder ? '' : sizeText(node.sizeBytes)}</small>
    </li>
  );
}
