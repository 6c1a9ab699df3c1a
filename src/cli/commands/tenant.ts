/** The companies or households on an installation. A server may run: it obeys at once. */
import { HoldfastError } from '../../base/errors.ts';
import { loadConfig } from '../../platform/index.ts';
import type { Config } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { noteAct, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export interface TenantParts extends UserParts {
  /** Names of the storage policies that the settings know, `default` among them. */
  readonly listPolicies: (config: Config) => readonly string[];
}

export function tenantCommands(parts: TenantParts): Command[] {
  return [tenantAdd(parts), tenantList(parts)];
}

function tenantAdd(parts: TenantParts): Command {
  return {
    name: 'tenant add', summary: 'Make a tenant: users, files and storage apart from all others',
    details: 'Nothing is shared, moved or copied between tenants, and nobody finds people of\n'
      + 'another one. Name and storage policy are for good. Add people with: user add --tenant',
    args: [{ name: '<tenant>', docs: 'lower-case letters, digits and -, a letter first' }],
    flags: [
      ...USER_FLAGS,
      { flags: '--title <text>', docs: 'how the tenant is shown (the name)' },
      {
        flags: '--policy <name>',
        docs: 'where and how its files lie: one of storage.policies in the settings (default)',
      },
    ],
    exits: USER_EXITS,
    async run(terminal, input) {
      const [id = ''] = input.args;
      const title = flagText(input, 'title');
      const policy = flagText(input, 'policy') ?? 'default';
      checkPolicy(policy, parts.listPolicies(await loadConfig(configRequest(input, parts.slices))));
      return withIdentity(parts, input, async ({ tenants }) => {
        const tenant = await tenants.create({ id, policy, ...(title !== undefined && { title }) });
        await noteAct(parts, input, {
          act: 'tenant-added', tenant: tenant.id, subject: tenant.id, note: `policy ${policy}`,
        });
        terminal.print(`made tenant ${tenant.id}, storage policy ${policy}`);
        return EXIT.done;
      });
    },
  };
}

function checkPolicy(wanted: string, known: readonly string[]): void {
  if (known.includes(wanted)) return;
  const message = `The settings have no storage policy ${wanted}. There are: ${known.join(', ')}`;
  throw new HoldfastError('not-found', 'cli/tenantAdd', message, { code: 'policy-missing' });
}

function tenantList(parts: TenantParts): Command {
  return {
    name: 'tenant list', summary: 'List all tenants: name, title, storage policy, since when',
    flags: USER_FLAGS, exits: USER_EXITS,
    async run(terminal, input) {
      return withIdentity(parts, input, async ({ tenants }) => {
        for (const { id, title, policy, createdAt } of await tenants.list()) {
          const since = createdAt === 0 ? '' : new Date(createdAt).toISOString().slice(0, 10);
          terminal.print([id, title, policy, since].join('\t'));
        }
        return EXIT.done;
      });
    },
  };
}
