/** Groups of accounts, to share with: they take effect with the next request, restart or not. */
import { parseGroupId, parseUserId } from '../../base/ids.ts';
import type { Group } from '../../identity/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { noteAct, OF_TENANT_FLAG, USER_EXITS, USER_FLAGS, withIdentity } from '../user-command.ts';
import type { NotedAct, UserParts } from '../user-command.ts';

const GROUP = { name: '<group>', docs: 'lower-case letters, digits, and . _ - @' };
const changed = ({ id, tenant }: Group, note: string): NotedAct =>
  ({ act: 'group-changed', tenant, subject: id, note });
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
      ...USER_FLAGS, OF_TENANT_FLAG,
      { flags: '--display-name <text>', docs: 'how the group is shown (the name)' },
    ],
    async run(terminal, input) {
      const displayName = flagText(input, 'display-name');
      const tenant = flagText(input, 'tenant');
      return withIdentity(parts, input, async ({ groups }) => {
        const [id = ''] = input.args;
        const group = await groups.add({
          id, ...(displayName !== undefined && { displayName }),
          ...(tenant !== undefined && { tenant }),
        });
        await noteAct(parts, input, changed(group, 'made'));
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
        const group = await groups.get(id);
        await groups.remove(id);
        await noteAct(parts, input, changed(group, 'removed'));
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
    summary: 'List all groups with their tenants, or the members of one',
    async run(terminal, input) {
      const [wanted] = input.args;
      return withIdentity(parts, input, async ({ groups }) => {
        if (wanted === undefined) {
          for await (const { id, displayName, tenant } of groups.list()) {
            terminal.print([id, displayName, tenant].join('\t'));
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
        if (isNew) await noteAct(parts, input, changed(await groups.get(group), `${user} joined`));
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
        if (wasIn) await noteAct(parts, input, changed(await groups.get(group), `${user} left`));
        terminal.print(wasIn ? `${user} is out of ${group}` : `${user} was not in ${group}`);
        return EXIT.done;
      });
    },
  };
}
