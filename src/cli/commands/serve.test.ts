import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { lockData, serverSlice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import { runCommandLine } from '../command-line.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import type { RunningServer, StartServer } from '../start-server.ts';
import { configCheck } from './config-check.ts';
import { configShow } from './config-show.ts';
import { serve } from './serve.ts';

class FakeProcess extends EventEmitter {
  exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

let root = '';
let terminal: MemoryTerminal;
let events: FakeProcess;
let told: string[];

const startServer: StartServer = async ({ data }) => {
  told.push(`started ${data.isNew ? 'new' : 'old'}`);
  const server: RunningServer = {
    url: 'http://127.0.0.1:1234',
    greeting: ['Sign in: here'],
    async stop(deadlineMs) {
      told.push(`stopped within ${deadlineMs}`);
    },
    async reload() {
      told.push('reloaded');
      events.emit('SIGTERM');
    },
  };
  return server;
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-serve-'));
  terminal = new MemoryTerminal();
  events = new FakeProcess();
  told = [];
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function run(...argv: string[]): Promise<number> {
  const slices = [serverSlice];
  const commands = [
    serve({ startServer, slices, events }), configCheck(slices), configShow(slices),
  ];
  return runCommandLine(argv, { commands, terminal, version: '0' });
}

describe('holdfast serve', () => {
  it('starts, says where, stops on a signal, and lets go of the data', async () => {
    const data = join(root, 'data');
    const ended = run('serve', '--data', data);
    while (!terminal.printed.includes('Sign in')) await new Promise(setImmediate);
    assert.throws(() => lockData(data), { message: /\(pid \d+\) on http:\/\/127\.0\.0\.1:1234\./ });
    events.emit('SIGTERM');
    assert.equal(await ended, EXIT.done);
    assert.equal(terminal.printed, 'Holdfast serves on http://127.0.0.1:1234\nSign in: here\n');
    assert.deepEqual(told, ['started new', 'stopped within 20000']);
    lockData(data).release();
    assert.deepEqual(events.eventNames(), []);
  });

  it('reloads on SIGHUP', async () => {
    const ended = run('serve', '--data', join(root, 'data'));
    while (terminal.printed === '') await new Promise(setImmediate);
    events.emit('SIGHUP');
    await ended;
    assert.ok(told.includes('reloaded'));
  });

  it('refuses a data directory that is in use, or not ours', async () => {
    const data = join(root, 'data');
    const first = run('serve', '--data', data);
    while (terminal.printed === '') await new Promise(setImmediate);
    assert.equal(await run('serve', '--data', data), EXIT.refused);
    assert.match(terminal.complaints, /already running/);
    events.emit('SIGTERM');
    await first;
    await writeFile(join(root, 'photo'), '');
    assert.equal(await run('serve', '--data', root), EXIT.refused);
  });

  it('refuses to listen beyond this machine in the clear, and touches nothing', async () => {
    const data = join(root, 'data');
    assert.equal(await run('serve', '--data', data, '--listen', '0.0.0.0:1'), EXIT.usage);
    assert.match(terminal.complaints, /--listen: .*--tls-cert/);
    assert.deepEqual(told, []);
    await assert.rejects(readFile(join(data, 'holdfast.json')));
  });

  it('lets go of the data when the server cannot start', async () => {
    const data = join(root, 'data');
    const failing: StartServer = async () => {
      throw new HoldfastError('unavailable', 'test', 'Port taken.');
    };
    const commands = [serve({ startServer: failing, slices: [serverSlice], events })];
    const options = { commands, terminal, version: '0' };
    assert.equal(await runCommandLine(['serve', '--data', data], options), EXIT.failed);
    assert.equal(terminal.complaints, 'Port taken.\n');
    lockData(data).release();
  });
});

describe('holdfast config', () => {
  it('check lists every mistake, show tells where values come from', async () => {
    const file = join(root, 'holdfast.toml');
    await writeFile(file, '[server]\ndrain_secnods = 5\nlisten = 7\n');
    assert.equal(await run('config', 'check', '--config', file), EXIT.usage);
    assert.match(terminal.complaints, /line 2: .*drain_seconds\?\n.*line 3: server.listen/);
    await writeFile(file, '[server]\ndrain_seconds = 5\n');
    assert.equal(await run('config', 'check', '--config', file), EXIT.done);
    assert.equal(await run('config', 'show', '--config', file), EXIT.done);
    assert.match(terminal.printed, /drain_seconds = 5 {2}# .*holdfast\.toml line 2/);
    assert.match(terminal.printed, /listen = "127\.0\.0\.1:8420" {2}# default/);
  });

  it('says which file cannot be read', async () => {
    assert.equal(await run('config', 'check', '--config', join(root, 'none.toml')), EXIT.usage);
    assert.match(terminal.complaints, /none\.toml cannot be read/);
  });
});
