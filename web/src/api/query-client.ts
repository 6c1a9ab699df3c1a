/** What has been asked for is kept here, and asked for again when the server is back. */
import { QueryClient } from '@tanstack/react-query';
import { Problem } from './http.ts';
import { connection } from './connection.ts';

const STALE_MS = 15_000;
const KEPT_MS = 10 * 60_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      gcTime: KEPT_MS,
      // Whether the server can be reached is known better than by the browser's own guess.
      networkMode: 'always',
      refetchOnWindowFocus: true,
      retry: (count, error) => error instanceof Problem && error.status === 503 && count < 3,
    },
    mutations: { networkMode: 'always' },
  },
});

/** Everything on the screen is loaded again once the server can be reached again. */
export function refreshAfterOutages(): () => void {
  let { isReachable } = connection.state.value;
  return connection.state.listen(() => {
    const is = connection.state.value.isReachable;
    if (is && !isReachable) void queryClient.invalidateQueries();
    isReachable = is;
  });
}
