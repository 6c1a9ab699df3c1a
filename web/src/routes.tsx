/** Addresses below /app, and the view that each shows. */
import {
  createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect,
} from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { EmptyState, ErrorState, LoadingRows } from './parts/states.tsx';
import { Shell } from './shell/shell.tsx';
import { t } from './texts/texts.ts';
import { VIEWS } from './views/views.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: Lost });

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how the router is told
    throw redirect({ href: '/app/files', replace: true });
  },
});

const addresses = VIEWS.flatMap(({ path, load, hasParts = false }) => (
  [path, ...(hasParts ? [`${path}/$part`] : [])].map((address) => ({ address, load }))
));

const views = addresses.map(({ address, load }) => createRoute({
  getParentRoute: () => root,
  path: address,
  validateSearch: (search: Record<string, unknown>): Record<string, string> => {
    const texts = Object.entries(search).filter(([, value]) => typeof value === 'string');
    return Object.fromEntries(texts) as Record<string, string>;
  },
  component: lazyRouteComponent(load, 'default'),
}));

/** Plain texts, as in a form: the router would write JSON. */
function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

function writeSearch(search: Readonly<Record<string, unknown>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') params.set(name, value);
  }
  const text = params.toString().replaceAll('%2F', '/');
  return text === '' ? '' : `?${text}`;
}

export const router = createRouter({
  routeTree: root.addChildren([start, ...views]),
  basepath: '/app',
  parseSearch,
  stringifySearch: writeSearch,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <LoadingRows />,
  defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function Lost(): ReactNode {
  return (
    <EmptyState icon="search" title={t('error.lost')} text={t('error.lostText')}>
      <a href="/app/files">{t('error.toFiles')}</a>
    </EmptyState>
  );
}
