/** Groups of accounts, to share with: they take effect with the next request, restart or not. */
import { parseGroupId, parseUserId } from '../../base/ids.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { noteAct, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { NotedAct, UserParts } from '../user-command.ts';

const GROUP = { name: '<group>', docs: 'lower-case letters, digits, and . _ - @' };
const changed = (subject: string, note: string): NotedAct =>
  ({ act: 'group-changed', subject, note });
const SHARED = { flags: USER_FLAGS, exits: USER_EXITS };

export function groupCommands(parts: UserParts): Command[] {
  return [groupAdd(parts), groupRemove(parts), groupList(parts), groupJoin(parts),
    groupLeave(parts)];
}

function groupAdd(parts: UserParts): Command {
  return {
    ...SHARED,
    name: 'group add', summary: 'Make a group, to share files with', args: [GROUP],
    flags: [
      ...USER_FLAGS, { flags: '--display-name <text>', docs: 'how the group is shown (the name)' },
    ],
    async run(terminal, input) {
      const displayName = flagText(input, 'display-name');
      return withIdentity(parts, input, async ({ groups }) => {
        const [id = ''] = input.args;
        const group = await groups.add({ id, ...(displayName !== undefined && { displayName }) });
        await noteAct(parts, input, changed(group.id, 'made'));
        terminal.print(`made group ${group.id}`);
        return EXIT.done;
      });
    },
  };
}

function groupRemove(parts: UserParts): Command {
  return {
    ...SHARED,
    name: 'group remove', args: [GROUP],
    summary: 'Remove a group: what was shared with it is out of its members\' reach at once',
    details: 'The name of a removed group is never given out again: what was shared with it must\n'
      + 'not come back to life for others.',
    async run(terminal, input) {
      const id = parseGroupId(input.args[0] ?? '');
      return withIdentity(parts, input, async ({ groups }) => {
        await groups.remove(id);
        await noteAct(parts, input, changed(id, 'removed'));
        terminal.print(`removed group ${id}`);
        return EXIT.done;
      });
    },
  };
}

function groupList(parts: UserParts): Command {
  return {
    ...SHARED,
    name: 'group list', args: [{ name: '[group]', docs: 'show only who is in this one' }],
    summary: 'List all groups, or the members of one',
    async run(terminal, input) {
      const [wanted] = input.args;
      return withIdentity(parts, input, async ({ groups }) => {
        if (wanted === undefined) {
          for await (const { id, displayName } of groups.list()) {
            terminal.print([id, displayName].join('\t'));
          }
          return EXIT.done;
        }
        const { id } = await groups.get(parseGroupId(wanted));
        for await (const member of groups.members(id)) terminal.print(member);
        return EXIT.done;
      });
    },
  };
}

const MEMBER = [GROUP, { name: '<user>', docs: 'the account' }];

function groupJoin(parts: UserParts): Command {
  return {
    ...SHARED,
    name: 'group join', summary: 'Take an account into a group', args: MEMBER,
    async run(terminal, input) {
      const group = parseGroupId(input.args[0] ?? '');
      const user = parseUserId(input.args[1] ?? '');
      return withIdentity(parts, input, async ({ groups }) => {
        const isNew = await groups.join(group, user);
        if (isNew) await noteAct(parts, input, changed(group, `${user} joined`));
        terminal.print(isNew ? `${user} is in ${group} now` : `${user} was in ${group} already`);
        return EXIT.done;
      });
    },
  };
}

function groupLeave(parts: UserParts): Command {
  return {
    ...SHARED,
    name: 'group leave', summary: 'Take an account out of a group', args: MEMBER,
    async run(terminal, input) {
      const group = parseGroupId(input.args[0] ?? '');
      const user = parseUserId(input.args[1] ?? '');
      return withIdentity(parts, input, async ({ groups }) => {
        const wasIn = await groups.leave(group, user);
        if (wasIn) await noteAct(parts, input, changed(group, `${user} left`));
        terminal.print(wasIn ? `${user} is out of ${group}` : `${user} was not in ${group}`);
        return EXIT.done;
      });
    },
  };
}
