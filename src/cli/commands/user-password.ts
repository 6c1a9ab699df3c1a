import { parseUserId } from '../../base/ids.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import {
  noteAct, PASSWORD_FLAG, readPassword, USER_EXITS, USER_FLAGS, withIdentity,
} from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userPassword(parts: UserParts): Command {
  return {
    name: 'user password',
    summary: 'Set a new password; ends the user\'s sessions, app passwords stay',
    args: [{ name: '<name>', docs: 'the account' }],
    flags: [...USER_FLAGS, PASSWORD_FLAG],
    exits: USER_EXITS,
    async run(terminal, input) {
      const id = parseUserId(input.args[0] ?? '');
      // Nobody is waited for with the accounts open: they may be carried elsewhere meanwhile.
      const password = await readPassword(terminal, input);
      return withIdentity(parts, input, async ({ users }) => {
        const { tenant } = await users.get(id);
        await users.setPassword(id, password);
        await noteAct(parts, input, { act: 'password-set', tenant, subject: id });
        terminal.print(`set a new password for ${id}`);
        return EXIT.done;
      });
    },
  };
}
