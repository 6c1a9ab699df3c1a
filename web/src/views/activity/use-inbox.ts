/** What waits for a decision of whoever looks: held changes, and conflict copies. */
import { useQuery } from '@tanstack/react-query';
import type { Act, Quarantine } from '../../../../src/wire/client.ts';
import { api } from '../../api/client.ts';

export const INBOX_KEY = ['inbox'] as const;
const CONFLICTS_MAX = 50;
/** Nothing is told when a device is held back. */
const HELD_EVERY_MS = 120_000;

export interface Inbox {
  readonly held: readonly Quarantine[];
  readonly conflicts: readonly Act[];
  readonly count: number;
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useInbox(): Inbox {
  const held = useQuery({
    queryKey: [...INBOX_KEY, 'held'], retry: false, refetchInterval: HELD_EVERY_MS,
    queryFn: async ({ signal }) => (await api.listQuarantines({ signal })).items,
  });
  // Of the newest thousand acts: older ones somebody has long seen in the folder.
  const conflicts = useQuery({
    queryKey: [...INBOX_KEY, 'conflicts'], retry: false, staleTime: HELD_EVERY_MS,
    queryFn: async ({ signal }) => {
      const { items } = await api.listActivity(
        { only: 'conflict-copies', limit: CONFLICTS_MAX }, { signal },
      );
      return [...new Map(items.map((item) => [item.nodeId, item])).values()];
    },
  });
  const open = (held.data ?? []).filter(({ state }) => state === 'open');
  const copies = conflicts.data ?? [];
  return {
    held: open, conflicts: copies, count: open.length + copies.length,
    isLoading: held.isPending || conflicts.isPending,
    error: held.error ?? conflicts.error,
    retry: () => {
      void held.refetch();
      void conflicts.refetch();
    },
  };
}
