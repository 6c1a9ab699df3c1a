import { parseUserId } from '../../base/ids.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { noteAct, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { UserParts } from '../user-command.ts';

export function userSecondFactorOff(parts: UserParts): Command {
  return {
    name: 'user second-factor-off',
    summary: 'Let somebody who has lost phone and recovery codes sign in with the password alone',
    args: [{ name: '<name>', docs: 'the account' }],
    flags: USER_FLAGS,
    exits: USER_EXITS,
    async run(terminal, input) {
      const id = parseUserId(input.args[0] ?? '');
      return withIdentity(parts, input, async ({ users, secondFactors }) => {
        const { tenant } = await users.get(id);
        if (!await secondFactors.turnOffFor(id)) {
          terminal.print(`${id} signs in with the password alone already`);
          return EXIT.done;
        }
        await noteAct(parts, input, { act: 'second-factor-off', tenant, subject: id });
        terminal.print(`${id} signs in with the password alone from now on`);
        return EXIT.done;
      });
    },
  };
}
