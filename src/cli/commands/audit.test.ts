import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AuditLog } from '../../audit/index.ts';
import { openDataDirectory, serverSlice, systemClock } from '../../platform/index.ts';
import { runCommandLine } from '../command-line.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import { auditCommands } from './audit.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-audit-command-'));
after(() => rm(root, { recursive: true }));

async function run(...words: string[]) {
  const terminal = new MemoryTerminal();
  const exit = await runCommandLine(['audit', ...words, '--data', root], {
    commands: auditCommands([serverSlice]), terminal, version: '1',
  });
  const out = terminal.printed.split('\n').filter((line) => line !== '');
  return { exit, out, err: terminal.complaints };
}

describe('holdfast audit', () => {
  const folder = join(root, 'audit', 'default');

  before(async () => {
    await openDataDirectory(root, systemClock);
    const log = await AuditLog.open({ folder, tenant: 'default', now: () => 0 });
    await log.append({ at: 1_000, act: 'create', user: 'ada', name: 'a,"b"' });
    await log.append({ at: 2_000, act: 'delete', user: 'bob', name: '=1+1' });
    await log.close();
  });

  it('finds a sound log sound, and prints where it ends', async () => {
    const { exit, out } = await run('verify');
    assert.equal(exit, 0);
    assert.match(out.join('\n'), /entries: 2, in 1 file\nEvery entry.*\nplace: 2:[0-9a-f]{64}$/);
    const [place = ''] = out.at(-1)?.match(/2:.*/) ?? [];
    assert.equal((await run('verify', '--since', place)).exit, 0);
    assert.equal((await run('verify', '--since', `1:${'0'.repeat(64)}`)).exit, 1);
  });

  it('exports as JSON and for spreadsheets, without making formulas of names', async () => {
    const { out } = await run('export', '--user', 'ada');
    assert.deepEqual(out.map((line) => JSON.parse(line) as unknown), [
      { seq: 1, at: 1_000, act: 'create', user: 'ada', name: 'a,"b"' },
    ]);
    const table = await run('export', '--format', 'csv', '--from', '1970-01-01T00:00:00Z');
    assert.deepEqual(table.out.slice(1), [
      '1,1970-01-01T00:00:01.000Z,create,ada,,,,,,"a,""b""",,,,,',
      "2,1970-01-01T00:00:02.000Z,delete,bob,,,,,,'=1+1,,,,,",
    ]);
    assert.equal((await run('export', '--until', '1970-01-01T00:00:02Z')).out.length, 1);
  });

  it('says what it wants', async () => {
    assert.match((await run('export', '--from', 'soon')).err, /2026-11-20T10:00:00Z/);
    assert.match((await run('export', '--format', 'xml')).err, /json or csv/);
    assert.match((await run('verify', '--since', '3')).err, /64 hexadecimal digits/);
    assert.match((await run('verify', '--tenant', '../x')).err, /A tenant's name/);
  });

  it('checks the logs of all tenants, unless one is named', async () => {
    const other = join(root, 'audit', 'acme');
    const log = await AuditLog.open({ folder: other, tenant: 'acme', now: () => 0 });
    await log.append({ at: 1_000, act: 'create', user: 'eve' });
    await log.close();
    const { exit, out } = await run('verify');
    assert.equal(exit, 0);
    assert.match(out.join('\n'), /^tenant default\nentries: 2.*tenant acme\nentries: 1/s);
    const path = join(other, '00000000000000000001.log');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('eve', 'ada'));
    assert.equal((await run('verify')).exit, 1);
    assert.equal((await run('verify', '--tenant', 'default')).exit, 0);
    await rm(other, { recursive: true });
  });

  it('names the place of a changed line', async () => {
    const path = join(folder, '00000000000000000001.log');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('bob', 'eve'));
    const { exit, out } = await run('verify');
    assert.equal(exit, 1);
    assert.match(out.join('\n'), /DAMAGED behind entry 1, in 0{19}1\.log: a line was changed/);
    assert.equal((await run('export')).exit, 1);
  });
});
