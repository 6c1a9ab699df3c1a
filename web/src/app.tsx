import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { queryClient, refreshAfterOutages } from './api/query-client.ts';
import { router } from './routes.tsx';
import { THEME } from './theme.ts';
import './parts/mantine.css';
import './parts/tokens.css';

export function App(): ReactNode {
  useEffect(refreshAfterOutages, []);
  return (
    <MantineProvider
      theme={THEME} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
