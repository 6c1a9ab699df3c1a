/** Commands that ask somebody for a password: what is open while they wait. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Identity } from '../../identity/index.ts';
import {
  MemoryIdentityData, MemoryIdentityStore,
} from '../../identity/stores/memory/memory-identity-store.ts';
import { ManualClock, serverSlice } from '../../platform/index.ts';
import { runCommandLine } from '../command-line.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import { userAdd } from './user-add.ts';
import { userPassword } from './user-password.ts';

const PASSWORD = 'correct horse';

/** Notes each time that somebody is asked, and each time that the accounts are opened or closed. */
class WatchedTerminal extends MemoryTerminal {
  readonly #seen: string[];

  constructor(seen: string[], secrets: readonly string[]) {
    super({ input: `${PASSWORD}\n`, secrets });
    this.#seen = seen;
  }

  override async askSecret(): Promise<string | undefined> {
    this.#seen.push('asked');
    return super.askSecret();
  }

  override async readInput(): Promise<string> {
    this.#seen.push('read');
    return super.readInput();
  }
}

function accounts() {
  const data = new MemoryIdentityData();
  const seen: string[] = [];
  const parts = {
    slices: [serverSlice],
    openIdentity: async () => {
      const identity = await Identity.open({
        store: new MemoryIdentityStore(data), clock: new ManualClock(1_700_000_000_000),
        config: { hashCost: { memoryKib: 8, passes: 1, parallelism: 1 } },
      });
      seen.push('opened');
      const close = identity.close.bind(identity);
      return Object.assign(identity, {
        close: () => {
          seen.push('closed');
          return close();
        },
      });
    },
    noteAct: () => Promise.resolve(),
  };
  const commands = [userAdd(parts), userPassword(parts)];
  const run = async (words: readonly string[], secrets: readonly string[] = []) => {
    seen.length = 0;
    const terminal = new WatchedTerminal(seen, secrets);
    const exit = await runCommandLine(words, { commands, terminal, version: '1' });
    return { exit, seen: [...seen], err: terminal.complaints };
  };
  return { run };
}

describe('A command that needs a password', () => {
  const typed = [PASSWORD, PASSWORD];

  it('has it before it opens the accounts, which may be carried elsewhere meanwhile', async () => {
    const { run } = accounts();
    for (const words of [['user', 'add', 'anna'], ['user', 'password', 'anna']]) {
      assert.deepEqual(await run(words, typed),
        { exit: 0, seen: ['asked', 'asked', 'opened', 'closed'], err: '' });
    }
    assert.deepEqual(await run(['user', 'add', 'ben', '--password-stdin']),
      { exit: 0, seen: ['read', 'opened', 'closed'], err: '' });
  });

  it('opens nothing when nobody is there, or the two differ', async () => {
    const { run } = accounts();
    const nobody = await run(['user', 'add', 'anna']);
    assert.deepEqual([nobody.exit === 0, nobody.seen], [false, ['asked']]);
    assert.match(nobody.err, /--password-stdin/);
    const differing = await run(['user', 'add', 'anna'], [PASSWORD, 'another horse']);
    assert.deepEqual([differing.exit === 0, differing.seen], [false, ['asked', 'asked']]);
    assert.match(differing.err, /differ/);
  });
});
