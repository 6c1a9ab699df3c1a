import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userList(parts: UserParts): Command {
  return {
    name: 'user list',
    summary: 'List all accounts: name, role, state, since when, tenant',
    flags: USER_FLAGS,
    exits: USER_EXITS,
    async run(terminal, input) {
      return withIdentity(parts, input, async ({ users }) => {
        for await (const user of users.list()) {
          const role = user.admin ? 'administrator' : 'user';
          const state = user.disabled ? 'disabled' : 'enabled';
          const since = new Date(user.createdAt).toISOString().slice(0, 10);
          terminal.print([user.id, role, state, since, user.tenant].join('\t'));
        }
        return EXIT.done;
      });
    },
  };
}
