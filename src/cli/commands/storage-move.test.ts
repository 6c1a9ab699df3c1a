import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { MemoryTerminal } from '../memory-terminal.ts';
import { storageMove } from './storage-move.ts';

describe('storage move', () => {
  const did: string[] = [];
  const command = (fault?: Error) => storageMove({
    slices: [],
    open: async (_, { to, policy }) => {
      did.push(`open ${to} ${policy}`);
      return {
        plan: async () => [{
          tenant: 'default', place: 's3 default files/', blockCount: 3, storedBytes: 3 * 1024,
          lackingCount: 1,
        }],
        run: async (onProgress) => {
          if (fault !== undefined) throw fault;
          onProgress('default', { blockCount: 25_000, copiedBytes: 2 ** 20 });
          did.push('run');
        },
        close: async () => {
          did.push('close');
        },
      };
    },
  });
  const run = async (
    flags: Record<string, string | true>, fault?: Error,
  ): Promise<{ terminal: MemoryTerminal; code: number }> => {
    did.length = 0;
    const terminal = new MemoryTerminal();
    return { terminal, code: await command(fault).run(terminal, { args: [], flags }) };
  };

  it('shows the plan, and moves nothing without being told to', async () => {
    const { terminal, code } = await run({ to: 'mirror', policy: 'cold' });
    assert.equal(code, 0);
    assert.match(terminal.printed, /3 blocks, 3\.0 KiB to s3 default files\/; 1 to copy/);
    assert.match(terminal.printed, /nothing was moved/);
    assert.deepEqual(did, ['open mirror cold', 'close']);
  });

  it('moves with --yes, tells how far it is, and says what the settings need then', async () => {
    const { terminal } = await run({ to: 'local', yes: true });
    assert.deepEqual(did, ['open local default', 'run', 'close']);
    assert.match(terminal.printed, /25000 blocks done, 1\.0 MiB copied/);
    assert.match(terminal.printed, /moved\. Before the next start set storage\.backend to "local"/);
  });

  it('wants to know where to, and lets go of the data when the move fails', async () => {
    assert.equal((await run({ to: 'nowhere' })).code, 2);
    assert.deepEqual(did, []);
    const fault = new Error('the bucket is away');
    await assert.rejects(run({ to: 'mirror', yes: true }, fault), (error) => error === fault);
    assert.deepEqual(did, ['open mirror default', 'close']);
  });
});
