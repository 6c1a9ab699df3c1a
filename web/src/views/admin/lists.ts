/** Lists of the administration: page by page, as the tables ask for them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { queryClient } from '../../api/query-client.ts';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

interface Asked {
  readonly limit: number;
  readonly cursor?: string;
}

const PAGE = 200;

export function useList<T>(
  key: readonly unknown[],
  ask: (asked: Asked, options: { signal: AbortSignal }) => Promise<Page<T>>,
) {
  const query = useInfiniteQuery({
    queryKey: ['admin', ...key],
    queryFn: ({ pageParam, signal }) => ask({
      limit: PAGE, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [isFetchingNextPage, fetchNextPage]);
  return {
    rows: data?.pages.flatMap(({ items }) => items), error,
    refetch: () => void refetch(), loadMore: hasNextPage ? loadMore : undefined,
  };
}

/** After something has changed. */
export function reload(...keys: string[]): Promise<unknown> {
  return Promise.all(keys.map((key) =>
    queryClient.invalidateQueries({ queryKey: ['admin', key] })));
}
