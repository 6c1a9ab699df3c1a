/** The parts of the administration, in the order of its own navigation. Each is loaded when
 *  somebody first goes there. */
import type { ComponentType } from 'react';
import type { IconName } from '../../parts/icons.tsx';
import type { TextKey } from '../../texts/texts.ts';

export interface AdminTab {
  /** Below /app/admin; '' for the first. */
  readonly part: string;
  readonly label: TextKey;
  readonly icon: IconName;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
  /** Concerns all tenants: administrators of one alone do not see it. */
  readonly isOfInstallation?: boolean;
}

export const TABS: readonly AdminTab[] = [
  {
    part: '', label: 'admin.overview', icon: 'gauge',
    load: async () => ({ default: (await import('./overview.tsx')).Overview }),
  },
  {
    part: 'users', label: 'admin.users', icon: 'user',
    load: async () => ({ default: (await import('./users.tsx')).Users }),
  },
  {
    part: 'groups', label: 'admin.groups', icon: 'shared',
    load: async () => ({ default: (await import('./groups.tsx')).Groups }),
  },
  {
    part: 'spaces', label: 'admin.spaces', icon: 'folder',
    load: async () => ({ default: (await import('./spaces.tsx')).Spaces }),
  },
  {
    part: 'storage', label: 'admin.storage', icon: 'disk',
    load: async () => ({ default: (await import('./storage.tsx')).StorageTab }),
  },
  {
    part: 'health', label: 'admin.health', icon: 'pulse', isOfInstallation: true,
    load: async () => ({ default: (await import('./health.tsx')).HealthTab }),
  },
  {
    part: 'verifiers', label: 'admin.verifiers', icon: 'shield',
    load: async () => ({ default: (await import('./verifiers.tsx')).VerifiersTab }),
  },
  {
    part: 'jobs', label: 'admin.jobs', icon: 'wait',
    load: async () => ({ default: (await import('./jobs.tsx')).JobsTab }),
  },
  {
    part: 'audit', label: 'admin.audit', icon: 'list',
    load: async () => ({ default: (await import('./audit.tsx')).AuditTab }),
  },
  {
    part: 'retention', label: 'admin.retention', icon: 'history',
    load: async () => ({ default: (await import('./retention.tsx')).RetentionTab }),
  },
  {
    part: 'locks', label: 'admin.locks', icon: 'lock',
    load: async () => ({ default: (await import('./locks.tsx')).LocksTab }),
  },
  {
    part: 'webhooks', label: 'admin.webhooks', icon: 'send',
    load: async () => ({ default: (await import('./webhooks.tsx')).WebhooksTab }),
  },
  {
    part: 'tenants', label: 'admin.tenants', icon: 'building', isOfInstallation: true,
    load: async () => ({ default: (await import('./tenants.tsx')).TenantsTab }),
  },
  {
    part: 'settings', label: 'admin.settings', icon: 'settings', isOfInstallation: true,
    load: async () => ({ default: (await import('./settings.tsx')).SettingsTab }),
  },
];
