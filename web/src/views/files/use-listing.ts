/** The entries of a folder, page by page as somebody scrolls. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { listingKey } from '../../api/listings.ts';
import { PAGE_ITEMS, listChildren, nodeByPath } from '../../api/nodes.ts';
import type { FileNode, Sort } from '../../api/shapes.ts';
import { useSession } from '../../shell/session-gate.tsx';
import { live } from '../../api/live-here.ts';
import { inOrder } from '../../api/entry-order.ts';

/** How often an open folder is looked at again where what others change is not told. */
const LOOK_EVERY_MS = 20_000;

export interface FolderListing {
  readonly folder: FileNode | undefined;
  readonly nodes: readonly FileNode[];
  /** All entries are here. */
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  readonly isLoadingMore: boolean;
  readonly error: Error | null;
  readonly loadMore: () => void;
  readonly retry: () => void;
}

export function useListing(path: string, sort: Sort): FolderListing {
  const { root } = useSession();
  const node = useQuery({
    queryKey: ['node', path],
    queryFn: ({ signal }) => nodeByPath(path, signal),
    ...(path === '/' && { initialData: root }),
  });
  const folderId = node.data?.kind === 'folder' ? node.data.id : undefined;
  const list = useInfiniteQuery({
    queryKey: listingKey(folderId ?? '', sort),
    queryFn: ({ pageParam, signal }) => listChildren(folderId ?? '', {
      sort, cursor: pageParam, limit: PAGE_ITEMS, signal,
    }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    enabled: folderId !== undefined,
    refetchInterval: ({ state }) => {
      const isTold = live.state.value !== 'off';
      return isTold || (state.data?.pages.length ?? 0) > 1 ? false : LOOK_EVERY_MS;
    },
    placeholderData: (data) => {
      const shown = data?.pages[0]?.folder.id === folderId ? keepPreviousData(data) : undefined;
      return shown;
    },
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const isComplete = data !== undefined && !hasNextPage;
  const nodes = useMemo(() => {
    const all = data?.pages.flatMap(({ items }) => items) ?? [];
    // A list that is still growing stays as the server sorts it, or entries would jump.
    return isComplete && data.pages.length === 1 ? inOrder(all, sort) : all;
  }, [data, isComplete, sort]);
  return {
    folder: data?.pages[0]?.folder ?? (node.data?.kind === 'folder' ? node.data : undefined),
    nodes, isComplete,
    isLoading: node.isPending || (folderId !== undefined && list.isPending),
    isLoadingMore: isFetchingNextPage,
    error: data === undefined ? node.error ?? list.error : null,
    loadMore: () => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    retry: () => {
      void node.refetch();
      if (folderId !== undefined) void list.refetch();
    },
  };
}
