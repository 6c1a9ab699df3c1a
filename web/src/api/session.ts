import { call } from './http.ts';
import type { Session } from './shapes.ts';

export function getSession(signal?: AbortSignal): Promise<Session> {
  return call('GET', '/session', { ...(signal && { signal }) });
}

export function signIn(user: string, password: string): Promise<Session> {
  return call('POST', '/session', { body: { user, password } });
}

export function signOut(): Promise<void> {
  return call('DELETE', '/session');
}
