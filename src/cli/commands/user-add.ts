import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import {
  noteAct, PASSWORD_FLAG, readPassword, USER_EXITS, USER_FLAGS, withNewIdentity,
} from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userAdd(parts: UserParts): Command {
  return {
    name: 'user add',
    summary: 'Make an account',
    args: [{ name: '<name>', docs: 'lower-case letters, digits, and . _ - @' }],
    flags: [
      ...USER_FLAGS, PASSWORD_FLAG,
      { flags: '--admin', docs: 'may administer the server' },
      { flags: '--display-name <text>', docs: 'how the person is shown (the name)' },
    ],
    exits: USER_EXITS,
    async run(terminal, input) {
      const [id = ''] = input.args;
      const displayName = flagText(input, 'display-name');
      return withNewIdentity(parts, input, async ({ users }) => {
        const password = await readPassword(terminal, input);
        const user = await users.add({
          id, password, admin: input.flags['admin'] === true,
          ...(displayName !== undefined && { displayName }),
        });
        const { id: subject, admin } = user;
        await noteAct(parts, input, {
          act: 'user-added', subject, ...(admin && { note: 'administrator' }),
        });
        terminal.print(`made ${user.admin ? 'administrator' : 'user'} ${user.id}`);
        return EXIT.done;
      });
    },
  };
}
