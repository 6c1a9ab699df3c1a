import type { Route } from '../../platform/index.ts';

/** What clients expect before some paths. The server answers with and without it. */
export const INDEX_PREFIX = '/index.php';

export function withIndex(routes: readonly Route[]): Route[] {
  return routes.flatMap((route) => [
    route, { ...route, prefix: `${INDEX_PREFIX}${route.prefix}` },
  ]);
}
