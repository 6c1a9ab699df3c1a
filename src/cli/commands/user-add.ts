import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import {
  noteAct, PASSWORD_FLAG, readPassword, OF_TENANT_FLAG, USER_EXITS, USER_FLAGS, withNewIdentity,
} from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userAdd(parts: UserParts): Command {
  return {
    name: 'user add',
    summary: 'Make an account',
    args: [{ name: '<name>', docs: 'lower-case letters, digits, and . _ - @' }],
    flags: [
      ...USER_FLAGS, PASSWORD_FLAG, OF_TENANT_FLAG,
      { flags: '--admin', docs: 'may administer the server' },
      { flags: '--display-name <text>', docs: 'how the person is shown (the name)' },
      { flags: '--email <address>', docs: 'where mail for the person goes' },
    ],
    exits: USER_EXITS,
    async run(terminal, input) {
      const [id = ''] = input.args;
      const displayName = flagText(input, 'display-name');
      const wanted = flagText(input, 'tenant');
      const email = flagText(input, 'email');
      // Nobody is waited for with the accounts open: they may be carried elsewhere meanwhile.
      const password = await readPassword(terminal, input);
      return withNewIdentity(parts, input, async ({ users }) => {
        const user = await users.add({
          id, password, admin: input.flags['admin'] === true,
          ...(displayName !== undefined && { displayName }),
          ...(email !== undefined && { email }),
          ...(wanted !== undefined && { tenant: wanted }),
        });
        const { id: subject, tenant, admin } = user;
        await noteAct(parts, input, {
          act: 'user-added', tenant, subject, ...(admin && { note: 'administrator' }),
        });
        terminal.print(`made ${user.admin ? 'administrator' : 'user'} ${user.id}`);
        return EXIT.done;
      });
    },
  };
}
