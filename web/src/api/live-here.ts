/** The changes as this tab follows them: while somebody is signed in and looks at it. */
import { useEffect } from 'react';
import { applyChanges } from './apply-changes.ts';
import { connection } from './connection.ts';
import { addressOf, isStatus, send } from './http.ts';
import { LiveUpdates } from './live.ts';
import type { LivePage } from './live.ts';
import { queryClient } from './query-client.ts';

/** What the first picture needs goes first. */
const START_AFTER_MS = 1_500;

function withCursor(cursor: string | undefined): Record<string, string> {
  return cursor === undefined ? {} : { cursor };
}

function askWhoIsThere(): void {
  void queryClient.invalidateQueries({ queryKey: ['session'] });
}

export const live = new LiveUpdates({
  openStream: (cursor) => new EventSource(addressOf('/changes/stream', withCursor(cursor))),
  ask: async (cursor) => {
    try {
      const response = await send('GET', addressOf('/changes', withCursor(cursor)), {});
      return await response.json() as LivePage;
    } catch (error) {
      if (isStatus(error, 401)) askWhoIsThere();
      throw error;
    }
  },
  apply: applyChanges,
  beforeNextFrame: (run) => void requestAnimationFrame(run),
  onAccessEnded: askWhoIsThere,
  random: () => Math.random(),
});

/** For as long as whoever calls it is on the screen. */
export function useLiveUpdates(): void {
  useEffect(() => {
    const follow = (): void => {
      if (document.visibilityState === 'visible') live.start();
      else live.stop();
    };
    const first = setTimeout(() => {
      follow();
      document.addEventListener('visibilitychange', follow);
    }, START_AFTER_MS);
    const unlisten = connection.state.listen(() => {
      if (connection.state.value.isReachable) live.reachAgain();
    });
    return () => {
      clearTimeout(first);
      document.removeEventListener('visibilitychange', follow);
      unlisten();
      live.forget();
    };
  }, []);
}
