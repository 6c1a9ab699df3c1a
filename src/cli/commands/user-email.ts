import { parseUserId } from '../../base/ids.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { noteAct, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

/** The audit log says that it was changed, and not to what. */
export function userEmail(parts: UserParts): Command {
  return {
    name: 'user email',
    summary: 'Say where mail for a user goes; without an address nowhere from now on',
    args: [
      { name: '<name>', docs: 'the account' },
      { name: '[address]', docs: 'such as anna@example.org' },
    ],
    flags: USER_FLAGS,
    exits: USER_EXITS,
    async run(terminal, input) {
      const [name = '', address] = input.args;
      const id = parseUserId(name);
      return withIdentity(parts, input, async ({ users }) => {
        const { email, tenant } = await users.setEmail(id, address);
        await noteAct(parts, input, {
          act: 'user-changed', tenant, subject: id, note: 'mail address',
        });
        terminal.print(email === undefined ? `no mail for ${id}` : `mail for ${id}: ${email}`);
        return EXIT.done;
      });
    },
  };
}
