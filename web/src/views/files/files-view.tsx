/** A folder: its tools, its entries, its details, and the windows over it. */
import { Button } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { isStatus } from '../../api/http.ts';
import type { FileNode, Sort } from '../../api/shapes.ts';
import { useStore } from '../../api/store.ts';
import { folderHref, hrefOf, useGo, useSearch } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import { Preview } from '../../preview/preview.tsx';
import { SharingHost } from '../sharing/sharing-host.tsx';
import { ConflictPrompt } from './conflict-prompt.tsx';
import { DetailsPanel } from './details-panel.tsx';
import { useDropTarget } from './drag.ts';
import { Entries } from './entries.tsx';
import type { EntriesProps } from './entries.tsx';
import { matching } from '../../api/entry-order.ts';
import { FolderPicker } from './folder-picker.tsx';
import { FolderScreen, ScreenContext, useScreen } from './folder-screen.ts';
import { useKept } from './kept-choices.ts';
import { NewFolderDialog } from './new-folder-dialog.tsx';
import { NodeMenu } from './node-menu.tsx';
import { nameOfTarget } from './operations.ts';
import { Toolbar, usePickers } from './toolbar.tsx';
import { useKeys } from './use-keys.ts';
import { useListing } from './use-listing.ts';
import type { FolderListing } from './use-listing.ts';
import './files.css';

export function FilesView(): ReactNode {
  const path = useSearch()['in'] ?? '/';
  const go = useGo();
  const screen = useMemo(() => new FolderScreen(go), [go]);
  const { layout, setLayout, sort, setSort } = useKept();
  const listing = useListing(path, sort);
  const { folder } = listing;
  const [filter, setFilter] = useState('');
  const filterField = useRef<HTMLInputElement>(null);
  useEffect(() => setFilter(''), [path]);
  const nodes = useMemo(() => matching(listing.nodes, filter), [listing.nodes, filter]);
  useMemo(() => screen.show(path, folder, nodes), [screen, path, folder, nodes]);
  useKeys(screen, useCallback(() => filterField.current?.focus(), []));
  useTitle(folder);
  const drop = useDropTarget(folder);
  return (
    <ScreenContext value={screen}>
      <div className="hf-files" {...drop}>
        <Toolbar
          {...{ path, folder, nodes, filter, filterField, layout }}
          isComplete={listing.isComplete || listing.isLoading} onFilter={setFilter}
          onLayout={setLayout}
        />
        <div className="hf-files-body">
          <div className="hf-files-list">
            <Content
              {...{ screen, listing, nodes, layout, sort, filter }} onSort={setSort}
              onFilter={setFilter}
            />
          </div>
          {folder !== undefined && <DetailsPanel folder={folder} />}
        </div>
        {folder?.may.create === true && (
          <div className="hf-drop-sign" aria-hidden="true">
            <span>
              <Icon name="upload" />{t('files.dropHere', { folder: nameOfTarget(folder) })}
            </span>
          </div>
        )}
      </div>
      <NodeMenu />
      <NewFolderDialog />
      <FolderPicker />
      <ConflictPrompt />
      <Sharing />
      <Preview />
    </ScreenContext>
  );
}

function Sharing(): ReactNode {
  const screen = useScreen();
  const asking = useStore(screen.asking);
  const node = asking?.kind === 'share' ? asking.node : undefined;
  return <SharingHost node={node} close={() => screen.asking.set(undefined)} />;
}

interface ContentProps extends Omit<EntriesProps, 'folder' | 'isComplete' | 'loadMore'> {
  readonly listing: FolderListing;
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  readonly onSort: (sort: Sort) => void;
}

function Content({ listing, filter, onFilter, ...rest }: ContentProps): ReactNode {
  const { folder, isLoading, error, retry, isComplete, loadMore, nodes: all } = listing;
  if (isStatus(error, 404)) {
    return (
      <EmptyState icon="search" title={t('files.notHere')} text={t('files.notHereText')}>
        <Link href={folderHref('/')}>{t('error.toFiles')}</Link>
      </EmptyState>
    );
  }
  if (error !== null) return <ErrorState error={error} retry={retry} />;
  if (isLoading || folder === undefined) return <LoadingRows />;
  if (all.length === 0 && isComplete) return <EmptyFolder folder={folder} />;
  if (rest.nodes.length === 0 && isComplete) {
    return (
      <EmptyState
        icon="search" title={t('files.noMatch', { text: filter })} text={t('files.noMatchText')}
      >
        <Link className="hf-search-all" href={hrefOf('/search', { q: filter })}>
          {t('search.everywhere')}
        </Link>
        <Button variant="default" onClick={() => onFilter('')}>{t('files.filterClear')}</Button>
      </EmptyState>
    );
  }
  return <Entries {...rest} {...{ folder, isComplete, loadMore }} />;
}

function EmptyFolder({ folder }: { readonly folder: FileNode }): ReactNode {
  const screen = useScreen();
  const { pickFiles, inputs } = usePickers(folder);
  if (!folder.may.create) {
    return <EmptyState icon="folder" title={t('files.empty')} text={t('files.emptyReadOnly')} />;
  }
  return (
    <EmptyState icon="folder" title={t('files.empty')} text={t('files.emptyText')}>
      {inputs}
      <Button leftSection={<Icon name="upload" small />} onClick={pickFiles}>
        {t('files.uploadFiles')}
      </Button>
      <Button
        variant="default" leftSection={<Icon name="folderPlus" small />}
        onClick={() => screen.asking.set({ kind: 'new-folder' })}
      >
        {t('files.newFolder')}
      </Button>
    </EmptyState>
  );
}

function useTitle(folder: FileNode | undefined): void {
  const name = folder === undefined ? '' : nameOfTarget(folder);
  useEffect(() => {
    document.title = name === '' ? t('app.name') : `${name} · ${t('app.name')}`;
  }, [name]);
}
