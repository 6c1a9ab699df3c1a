import { parseUserId } from '../../base/ids.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { noteAct, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userDisable(parts: UserParts): Command {
  return switching(parts, {
    name: 'user disable', disabled: true,
    summary: 'Keep an account out from now on, on all devices; nothing of it is deleted',
  });
}

export function userEnable(parts: UserParts): Command {
  return switching(parts, {
    name: 'user enable', disabled: false, summary: 'Let a disabled account in again',
  });
}

function switching(
  parts: UserParts,
  { name, disabled, summary }: { name: string; disabled: boolean; summary: string },
): Command {
  return {
    name, summary, flags: USER_FLAGS, exits: USER_EXITS,
    args: [{ name: '<name>', docs: 'the account' }],
    async run(terminal, input) {
      const id = parseUserId(input.args[0] ?? '');
      return withIdentity(parts, input, async ({ users }) => {
        const { tenant } = await users.setDisabled(id, disabled);
        const act = disabled ? 'user-disabled' : 'user-enabled';
        await noteAct(parts, input, { act, tenant, subject: id });
        terminal.print(`${id} is ${disabled ? 'disabled' : 'enabled'}`);
        return EXIT.done;
      });
    },
  };
}
