/** Where in the page somebody is: the part of the address behind /app. */
import { useRouter, useRouterState } from '@tanstack/react-router';
import { useCallback } from 'react';

export function hrefOf(
  path: string, search: Readonly<Record<string, string | undefined>> = {},
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== '') params.set(name, value);
  }
  const text = params.toString().replaceAll('%2F', '/');
  return `/app${path}${text === '' ? '' : `?${text}`}`;
}

/** The address of a folder by its path in the caller's tree. */
export function folderHref(path: string): string {
  return hrefOf('/files', { in: path === '/' ? undefined : path });
}

export function useSearch(): Readonly<Record<string, string | undefined>> {
  return useRouterState({ select: (state) => state.location.search });
}

export function usePathname(): string {
  return useRouterState({ select: (state) => state.location.pathname });
}

export interface Going {
  readonly replace?: boolean;
}

/** Goes to an address below /app without loading the page again. */
export function useGo(): (href: string, going?: Going) => void {
  const { history } = useRouter();
  return useCallback((href: string, { replace = false }: Going = {}) => {
    if (replace) history.replace(href);
    else history.push(href);
  }, [history]);
}
