/** A device is held back in a server: who is told, and what the commands say and do. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { NewAuditEntry } from '../audit/index.ts';
import { parsePath } from '../base/names.ts';
import { brakeCommands, MemoryTerminal, runCommandLine } from '../cli/index.ts';
import { Batches, bodyOf, ContentStore, FileService, SpaceDirectory } from '../files/index.ts';
import { Identity } from '../identity/index.ts';
import {
  MemoryIdentityData, MemoryIdentityStore,
} from '../identity/stores/memory/memory-identity-store.ts';
import { MemoryMailer } from '../mail/backends/memory/memory-mailer.ts';
import { Outbox } from '../mail/index.ts';
import type { Mail } from '../mail/index.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import { ManualClock, Metrics, serverSlice, silentLog } from '../platform/index.ts';
import { MemoryBlockStore } from '../storage/backends/memory/memory-block-store.ts';
import { brakeOperations } from './brake-operations.ts';
import { openMassChange } from './mass-change.ts';

const WINDOW_MS = 60_000;
const folder = await mkdtemp(join(tmpdir(), 'holdfast-brake-'));
after(() => rm(folder, { recursive: true }));

async function open() {
  const clock = new ManualClock(Date.UTC(2026, 10, 21));
  const now = (): number => clock.now();
  const metrics = new Metrics();
  const metadata = new MemoryMetadataStore();
  const identity = await Identity.open({
    store: new MemoryIdentityStore(new MemoryIdentityData()), clock,
    config: { hashCost: { memoryKib: 8, passes: 1, parallelism: 1 } },
  });
  const password = 'correct horse';
  await identity.users.add({ id: 'root', password, admin: true, email: 'root@example.org' });
  const { id: user, tenant } = await identity.users.add({ id: 'anna', password });
  const mailer = new MemoryMailer();
  const told = new Promise<Mail>((resolve) => {
    mailer.onSend = resolve;
  });
  const outbox = await Outbox.open({
    folder: join(folder, 'outbox'), mailer, clock, log: silentLog, metrics,
  });
  const notes: Omit<NewAuditEntry, 'at'>[] = [];
  const massChange = openMassChange({
    metadata, lists: metadata, identity, policy: { limit: 2, windowMs: WINDOW_MS }, clock,
    log: silentLog, metrics, note: (entry) => notes.push(entry), outbox,
  });
  await massChange.load();
  const blocks = new MemoryBlockStore();
  const content = new ContentStore({ blocks, metadata, witness: () => [], claims: blocks.reclaim });
  const spaces = new SpaceDirectory({
    metadata, now, defaults: { casePolicy: 'sensitive', quotaBytes: undefined },
  });
  const files = new FileService({ metadata, content, spaces, now, brake: massChange.brake });
  const batches = new Batches({ metadata, content, now, keep: massChange.keep });
  const operations = brakeOperations(metadata, { brakes: massChange.service(batches), batches });
  const caller = {
    user, tenant, displayName: 'Anna', admin: false, groups: [], groupsRev: 0, device: 'laptop',
    deviceId: 'a1', credential: 'app-password',
  } as const;
  const run = async (...words: string[]) => {
    const terminal = new MemoryTerminal();
    const commands = brakeCommands({
      slices: [serverSlice],
      ask: async (_config, operation, input) => operations[operation]?.(input as never, {
        progress: () => undefined, signal: new AbortController().signal,
      }) ?? assert.fail(`there is ${operation}`),
    });
    const exit = await runCommandLine(words, { commands, terminal, version: '1' });
    return { exit, out: terminal.printed, err: terminal.complaints };
  };
  return { clock, metrics, files, caller, notes, told, outbox, run };
}

it('log, figures, audit log and administrators are told, and the commands decide', async () => {
  const site = await open();
  const { files, caller, clock, notes, run } = site;
  const write = (name: string) =>
    files.upload(caller, parsePath([name]), bodyOf(Buffer.from(name)));
  const nobody = { exit: 0, out: '', err: 'No device is held back.\n' };
  assert.deepEqual(await run('brake', 'list'), nobody);
  for (let id = 1; id <= 2; id += 1) {
    for (const name of ['a', 'b', 'c']) await write(name);
    clock.advance(2 * WINDOW_MS);
    for (const name of ['a', 'b', 'c']) await files.remove(caller, parsePath([name]));
    assert.match(await site.metrics.text(), /quarantines_open 1\b/);
    const mail = await site.told; // The first one.
    assert.deepEqual([mail.to, /keep (\d+) --yes/.exec(mail.text)?.[1]], ['root@example.org', '1']);
    const listed = await run('brake', 'list');
    assert.match(listed.out, new RegExp(`^${id}\\topen\\t2026-.*\\tanna\\tlaptop\\t1\\t1\\t0\n$`));
    assert.match((await run('brake', 'show', `${id}`)).out, /\ndeleted\tc\t1\n$/);
    const decision = id === 1 ? 'undo' : 'keep';
    const planned = await run('brake', decision, `${id}`);
    assert.match(planned.out, /1 files and folders.*\nNothing was done\./s);
    const { exit, out } = await run('brake', decision, `${id}`, '--yes');
    assert.equal(exit, 0);
    assert.match(out, id === 1 ? /undone; laptop sees/ : /^batch 1: 1 made, 0 left/);
    assert.equal(await files.find(caller, parsePath(['c'])) !== undefined, id === 1);
    assert.equal((await run('brake', decision, `${id}`, '--yes')).exit, 3, 'decided once');
  }
  assert.match((await run('brake', 'list', '--all')).out, /^2\tkept.*\n1\tundone/);
  assert.equal((await run('brake', 'show', '99')).exit, 3);
  assert.equal((await run('brake', 'show', 'x')).exit, 2);
  assert.deepEqual(notes.map(({ act, user, note }) => [act, user, note]), [
    ['brake-applied', 'anna', 'quarantine 1'], ['brake-decided', 'anna', 'quarantine 1: undone'],
    ['brake-applied', 'anna', 'quarantine 2'], ['brake-decided', 'anna', 'quarantine 2: kept'],
  ]);
  assert.match(await site.metrics.text(), /quarantines_open 0\b/);
  await site.outbox.close();
});
