/** Whose storage a command is about, where each tenant's is looked after by itself. */
import { DEFAULT_TENANT, parseTenantId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { flagText } from './command.ts';
import type { CommandFlag, CommandInput } from './command.ts';

export const TENANT_FLAG: CommandFlag = {
  flags: '--tenant <id>', docs: 'the storage of this tenant (default)',
};

/** @throws invalid: no tenant's name. */
export function tenantOf(input: CommandInput): TenantId {
  const text = flagText(input, 'tenant');
  return text === undefined ? DEFAULT_TENANT : parseTenantId(text);
}

/** For orders: nothing is said of the default tenant. */
export function tenantInput(input: CommandInput): { tenant?: string } {
  const tenant = tenantOf(input);
  return tenant === DEFAULT_TENANT ? {} : { tenant };
}
