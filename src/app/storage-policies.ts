/** What the configuration says of where and how content is stored. */
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { clusterSlice, databaseSlice } from '../platform/index.ts';
import type { ClusterSettings, Config, DatabaseSettings } from '../platform/index.ts';
import {
  backendSlice, erasureSlice, partOf, STORAGE_POLICIES, storageSlice,
} from '../storage/index.ts';
import type { HomeSettings } from './block-home.ts';
import { fleetSettings } from './fleet.ts';
import { partOfHome } from './home-list.ts';

/** Storage policies by name, without that of the default tenant. */
export type Policies = ReadonlyMap<string, HomeSettings>;

/** Of the home of a tenant with that policy. @throws invalid: the settings do not have it. */
export function settingsOfHome(
  { policies, ...usual }: HomeSettings & { readonly policies: Policies },
  { tenant, policy }: { tenant: TenantId; policy: string },
): HomeSettings {
  if (tenant === DEFAULT_TENANT) return usual;
  const found = policy === DEFAULT_TENANT ? usual : policies.get(policy);
  if (found === undefined) {
    const message = `The files of tenant ${tenant} are kept by the storage policy "${policy}", `
      + `which the settings do not have: write [${STORAGE_POLICIES.under}.${policy}] into them, as `
      + 'it was.';
    throw new HoldfastError('invalid', 'app/settingsOfHome', message, { code: 'no-policy' });
  }
  return { ...found, backend: partOf(found.backend, partOfHome(tenant)) };
}

export interface StorageSettings extends HomeSettings {
  /** By name, without that of the default tenant. */
  readonly policies: Policies;
  readonly database: DatabaseSettings;
  readonly cluster: ClusterSettings;
}

/** Of the default tenant, and of every other policy; and of the database. */
export function storageSettings(config: Config): StorageSettings {
  const own = { settings: fleetSettings(config), backend: config.of(backendSlice) };
  const policies = [...config.sets(STORAGE_POLICIES.under)].map(([name, set]) => {
    const settings = { ...own.settings, ...set.of(storageSlice), ...set.of(erasureSlice) };
    return [name, { settings, backend: set.of(backendSlice) }] as const;
  });
  return {
    ...own, policies: new Map(policies), database: config.of(databaseSlice),
    cluster: config.of(clusterSlice),
  };
}
