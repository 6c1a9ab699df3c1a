/**
 * The views, in the order of the navigation. A view is a folder here, with a component that is
 * loaded when somebody first goes there.
 */
import type { ComponentType } from 'react';
import type { IconName } from '../parts/icons.tsx';
import type { TextKey } from '../texts/texts.ts';

export interface View {
  /** Below /app. */
  readonly path: string;
  readonly label: TextKey;
  readonly icon: IconName;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
  /** Left out of the navigation of everybody else. */
  readonly isForAdmins?: boolean;
  /** How many things wait there is shown beside its name. */
  readonly badge?: 'waiting';
  /** Reached by other ways than the navigation. */
  readonly isElsewhere?: boolean;
  /** There are addresses below it, which it shows too. */
  readonly hasParts?: boolean;
}

export const VIEWS: readonly View[] = [
  {
    path: '/files', label: 'nav.files', icon: 'folder',
    load: async () => ({ default: (await import('./files/files-view.tsx')).FilesView }),
  },
  {
    path: '/search', label: 'search.title', icon: 'search',
    load: async () => ({ default: (await import('./search/search-view.tsx')).SearchView }),
  },
  {
    path: '/shared', label: 'nav.shared', icon: 'shared',
    load: async () => ({ default: (await import('./shared/shared-view.tsx')).SharedView }),
  },
  {
    path: '/activity', label: 'nav.activity', icon: 'wait', badge: 'waiting',
    load: async () => ({ default: (await import('./activity/activity-view.tsx')).ActivityView }),
  },
  {
    path: '/trash', label: 'nav.trash', icon: 'trash',
    load: async () => ({ default: (await import('./trash/trash-view.tsx')).TrashView }),
  },
  {
    path: '/time', label: 'time.title', icon: 'restore', isElsewhere: true,
    load: async () => ({ default: (await import('./time/time-view.tsx')).TimeView }),
  },
  {
    path: '/account', label: 'nav.account', icon: 'user', isElsewhere: true,
    load: async () => ({ default: (await import('./account/account-view.tsx')).AccountView }),
  },
  {
    path: '/safety', label: 'nav.safety', icon: 'shield',
    load: async () => ({ default: (await import('./safety/safety-view.tsx')).SafetyView }),
  },
  {
    path: '/admin', label: 'nav.admin', icon: 'settings', isForAdmins: true, hasParts: true,
    load: async () => ({ default: (await import('./admin/admin-view.tsx')).AdminView }),
  },
];
