import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Identity } from '../../identity/index.ts';
import {
  MemoryIdentityData, MemoryIdentityStore,
} from '../../identity/stores/memory/memory-identity-store.ts';
import { ManualClock, serverSlice } from '../../platform/index.ts';
import { runCommandLine } from '../command-line.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import type { NotedAct } from '../user-command.ts';
import { groupCommands } from './group.ts';
import { tenantCommands } from './tenant.ts';
import { userAdd } from './user-add.ts';
import { userDisable } from './user-disable.ts';
import { userList } from './user-list.ts';

const AT = Date.UTC(2026, 10, 21);

/** A data directory of accounts, and what was noted for the audit log. */
function accounts() {
  const data = new MemoryIdentityData();
  const notes: NotedAct[] = [];
  const parts = {
    slices: [serverSlice],
    openIdentity: () => Identity.open({
      store: new MemoryIdentityStore(data), clock: new ManualClock(AT),
      config: { hashCost: { memoryKib: 8, passes: 1, parallelism: 1 } },
    }),
    noteAct: async (_path: string, act: NotedAct) => void notes.push(act),
    listPolicies: () => ['default', 'cold'],
  };
  const commands = [
    ...tenantCommands(parts), ...groupCommands(parts), userAdd(parts), userList(parts),
    userDisable(parts),
  ];
  const run = async (...words: string[]) => {
    const terminal = new MemoryTerminal({ input: 'correct horse\n' });
    const exit = await runCommandLine(words, { commands, terminal, version: '1' });
    return { exit, out: terminal.printed, err: terminal.complaints };
  };
  const addUser = (...words: string[]) => run('user', 'add', ...words, '--password-stdin');
  return { run, addUser, notes };
}

describe('holdfast tenant', () => {
  it('makes tenants, whose policy the settings must know', async () => {
    const { run } = accounts();
    const added = await run('tenant', 'add', 'acme', '--title', 'Acme & Co.', '--policy', 'cold');
    assert.deepEqual([added.exit, added.out], [0, 'made tenant acme, storage policy cold\n']);
    await run('tenant', 'add', 'basil');
    assert.equal((await run('tenant', 'list')).out,
      'acme\tAcme & Co.\tcold\t2026-11-21\nbasil\tbasil\tdefault\t2026-11-21\n'
      + 'default\tdefault\tdefault\t\n');
    assert.match((await run('tenant', 'add', 'other', '--policy', 'hot')).err,
      /no storage policy hot\. There are: default, cold/);
    const wrong = [['acme', /already a tenant/], ['No', /starts with a letter/]] as const;
    for (const [id, why] of wrong) {
      const { exit, err } = await run('tenant', 'add', id);
      assert.notEqual(exit, 0);
      assert.match(err, why);
    }
  });

  it('has people and groups, in which only its own people are', async () => {
    const { run, addUser } = accounts();
    await run('tenant', 'add', 'acme');
    assert.equal((await addUser('anna')).exit, 0);
    assert.equal((await addUser('eve', '--tenant', 'acme')).exit, 0);
    assert.match((await addUser('zoe', '--tenant', 'none')).err, /no such tenant/);
    assert.equal((await run('user', 'list')).out,
      'anna\tuser\tenabled\t2026-11-21\tdefault\neve\tuser\tenabled\t2026-11-21\tacme\n');
    await run('group', 'add', 'bakers');
    await run('group', 'add', 'brewers', '--tenant', 'acme');
    assert.equal((await run('group', 'list')).out,
      'bakers\tbakers\tdefault\nbrewers\tbrewers\tacme\n');
    const crossing = await run('group', 'join', 'bakers', 'eve');
    assert.equal(crossing.exit, 3);
    assert.match(crossing.err, /different tenants/);
    assert.equal((await run('group', 'join', 'brewers', 'eve')).exit, 0);
    assert.equal((await run('group', 'list', 'bakers')).out, '');
    assert.equal((await run('group', 'list', 'brewers')).out, 'eve\n');
  });

  it('has what is done to it noted in its own audit log', async () => {
    const { run, addUser, notes } = accounts();
    await run('tenant', 'add', 'acme');
    await addUser('anna');
    await addUser('eve', '--tenant', 'acme', '--admin');
    await run('user', 'disable', 'eve');
    await run('group', 'add', 'brewers', '--tenant', 'acme');
    await run('group', 'join', 'brewers', 'eve');
    await run('group', 'remove', 'brewers');
    assert.deepEqual(notes.map(({ act, tenant, subject }) => [act, tenant, subject].join(' ')), [
      'tenant-added acme acme', 'user-added default anna', 'user-added acme eve',
      'user-disabled acme eve', 'group-changed acme brewers', 'group-changed acme brewers',
      'group-changed acme brewers',
    ]);
  });
});
