import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverSlice } from '../../platform/index.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import { tenantMove } from './tenant-move.ts';

describe('tenant move', () => {
  const asked: [string, unknown][] = [];
  const noted: string[] = [];
  const move = {
    tenant: 'acme', from: 0, to: 2, state: 'reverse', isPaused: false, rowsCopied: 10,
    rowsCompared: 11, rowsFollowed: 12, freezeMs: 33.4, freezeFailures: 1, reverseUntil: 0,
    trouble: 'The copy differs.',
  };
  const run = async (args: string[], flags: Record<string, string> = {}) => {
    asked.length = 0;
    noted.length = 0;
    const terminal = new MemoryTerminal();
    const command = tenantMove({
      slices: [serverSlice],
      ask: async (_, operation, input) => {
        asked.push([operation, input]);
        if (operation === 'shard.list') return { shards: [{ number: 2, name: 'big' }] };
        return operation === 'tenant.moves' ? { moves: [move] } : move;
      },
      noteAct: async (_, { act, tenant, note }) => {
        noted.push(`${act} ${tenant} ${note}`);
      },
    });
    return { terminal, code: await command.run(terminal, { args, flags }) };
  };

  it('begins a move, whatever the tenant is called, and it is in the log', async () => {
    const { code, terminal } = await run(['status'], { to: '2' });
    assert.equal(code, 0);
    assert.deepEqual(asked, [['tenant.move', { tenant: 'status', to: 2 }]]);
    assert.deepEqual(noted, ['tenant-moved status from shard 0 to 2']);
    assert.match(terminal.printed, /from shard 0 to shard 2/);
  });

  it('knows a shard by its name too, and says when it knows none of that name', async () => {
    assert.equal((await run(['acme'], { to: 'big' })).code, 0);
    assert.deepEqual(asked.at(-1), ['tenant.move', { tenant: 'acme', to: 2 }]);
    const { code, terminal } = await run(['acme'], { to: 'small' });
    assert.equal(code, 1);
    assert.match(terminal.complaints, /no shard "small"\. See: holdfast shard list/);
    assert.deepEqual(asked, [['shard.list', {}]]);
  });

  it('shows how far it is, and what troubles it', async () => {
    const { terminal } = await run(['status']);
    assert.match(terminal.printed, /acme\tshard 0 to 2\treverse\t10 copied, 11 compared, 12 foll/);
    assert.match(terminal.printed, /writers waited 33 ms/);
    assert.match(terminal.printed, /way back is open until 1970-01-01T00:00:00.000Z/);
    assert.match(terminal.printed, /TROUBLE: The copy differs/);
    assert.match((await run(['status', 'other'])).terminal.printed, /No tenant was moved/);
  });

  it('asks for what is to become of a move, and for nothing that makes no sense', async () => {
    for (const word of ['pause', 'resume', 'abort', 'back', 'finish']) {
      assert.equal((await run([word, 'acme'])).code, 0);
      assert.deepEqual(asked, [[`tenant.move-${word}`, { tenant: 'acme' }]]);
    }
    for (const args of [['acme'], ['pause'], ['stop', 'acme'], ['pause', 'acme', 'x']]) {
      assert.equal((await run(args)).code, 2, args.join(' '));
      assert.deepEqual(asked, []);
    }
  });
});
