/** Asks who is signed in, and shows the sign-in to whoever is not. */
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import { isStatus } from '../api/http.ts';
import { queryClient } from '../api/query-client.ts';
import type { Session } from '../api/shapes.ts';
import { ErrorState } from '../parts/states.tsx';
import { SignIn } from './sign-in.tsx';

export const SESSION_KEY = ['session'] as const;
const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('useSession outside of SessionGate');
  return session;
}

export function refreshSession(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: SESSION_KEY });
}

export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: SESSION_KEY, queryFn: ({ signal }) => api.getSession({ signal }), staleTime: 60_000,
  });
  if (isStatus(error, 401)) return <SignIn hadSession={data !== undefined} />;
  if (data !== undefined) {
    return <SessionContext value={data}>{children}</SessionContext>;
  }
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  return null;
}
