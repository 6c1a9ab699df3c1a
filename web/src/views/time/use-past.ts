/** What the view of the past asks the server. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type {
  InfiniteData, UseInfiniteQueryResult, UseQueryResult,
} from '@tanstack/react-query';
import type { Activity, Diff, Past } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';
import { isStatus } from '../../api/http.ts';
import { nodeByPath } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import type { Span } from './time-range.ts';

const PAGE_ITEMS = 200;
export const BUCKETS = 60;

/** The past does not change: it is asked for once. */
export function usePast(
  path: string, at: string,
): UseInfiniteQueryResult<InfiniteData<Past>> {
  return useInfiniteQuery({
    queryKey: ['past', path, at],
    queryFn: ({ pageParam, signal }) => api.listPast({
      path, at, limit: PAGE_ITEMS, ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    staleTime: Infinity, refetchOnWindowFocus: false, retry: false,
  });
}

/** The folder of today; null: there is none at this place. */
export function useFolderNow(path: string): UseQueryResult<FileNode | null> {
  return useQuery({
    queryKey: ['time', 'folder', path], retry: false,
    queryFn: async ({ signal }) => {
      try {
        return await nodeByPath(path, signal);
      } catch (error) {
        if (isStatus(error, 404)) return null;
        throw error;
      }
    },
  });
}

export function useActivity(
  folderId: string | undefined, { from, to }: Span,
): UseQueryResult<Activity> {
  return useQuery({
    queryKey: ['time', 'activity', folderId, from, to],
    queryFn: ({ signal }) => api.readActivity({
      id: folderId ?? '', buckets: BUCKETS,
      from: new Date(from).toISOString(), to: new Date(to).toISOString(),
    }, { signal }),
    enabled: folderId !== undefined, retry: false, placeholderData: (data) => data,
  });
}

export function useDifferences(
  folderId: string | undefined, at: string,
): UseInfiniteQueryResult<InfiniteData<Diff>> {
  return useInfiniteQuery({
    queryKey: ['time', 'diff', folderId, at],
    queryFn: ({ pageParam, signal }) => api.diffNode({
      id: folderId ?? '', from: at, limit: PAGE_ITEMS,
      ...(pageParam !== undefined && { cursor: pageParam }),
    }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    enabled: folderId !== undefined, retry: false,
  });
}
