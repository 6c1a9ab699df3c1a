/** The past of somebody's files, for operators: what has changed, and bringing it back. */
import type { BatchRecord, DiffChange, DiffEntry } from '../../metadata/index.ts';
import { HoldfastError } from '../../base/errors.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { asker, DISK_EXITS, DISK_FLAGS, onlyPlanned, YES_FLAG } from '../disk-command.ts';
import type { Answer, DiskParts } from '../disk-command.ts';

const USER = { name: '<user>', docs: 'whose files' };
const FOLDER_FLAG = {
  flags: '--folder <path>', docs: 'only this file or folder, like Projects/Tower',
};
const SHARING_FLAG = {
  flags: '--with-sharing', docs: 'bring permissions, shares and links of that moment back too',
};
const WHEN = 'a moment in UTC like 2026-11-20T10:00:00Z, or a revision like rev-42';
/** Pages of one comparison: 500 changes or 500 events each. */
const PAGES_MAX = 100_000;

export function historyCommands(parts: DiskParts): Command[] {
  return [historyDiff(parts), historyRestore(parts), historyUndo(parts), historyList(parts)];
}

type Ask = (operation: string, input: Answer) => Promise<Answer>;

interface Page {
  readonly entries: readonly DiffEntry[];
  readonly next?: number;
  /** The later moment, so that it stays the same from page to page. */
  readonly to: string;
}

function historyDiff(parts: DiskParts): Command {
  return {
    name: 'history diff', summary: 'List what has changed between two moments',
    details: 'Columns: what happened (added, changed, moved, deleted, shared), path, path before.',
    args: [USER], exits: DISK_EXITS,
    flags: [
      ...DISK_FLAGS, { flags: '--from <when>', docs: WHEN },
      { flags: '--to <when>', docs: 'the later moment (now)' }, FOLDER_FLAG,
    ],
    async run(terminal, input) {
      const from = wanted(input, 'from');
      const to = flagText(input, 'to');
      const ask = await asker(parts, input);
      const order = { ...whoseOf(input), from, ...(to !== undefined && { to }) };
      const counts = await eachChange(ask, order, (entry) => terminal.print(lineOf(entry)));
      terminal.complain(sumOf(counts));
      return EXIT.done;
    },
  };
}

function historyRestore(parts: DiskParts): Command {
  return {
    name: 'history restore', summary: 'Bring files back to what they were at a moment',
    details: 'Nothing is lost by it: what is overwritten becomes a version, what is surplus goes\n'
      + 'to the trash, and "history undo" takes all of it back. Permissions, shares and links\n'
      + 'stay as they are, unless --with-sharing brings those of that moment back too: links that\n'
      + 'were ended work again, later shares end, what had expired stays expired.',
    args: [USER], exits: DISK_EXITS,
    flags: [
      ...DISK_FLAGS, { flags: '--to <when>', docs: WHEN }, FOLDER_FLAG, SHARING_FLAG, YES_FLAG,
    ],
    async run(terminal, input) {
      const to = wanted(input, 'to');
      const sharing = input.flags['with-sharing'] === true;
      const ask = await asker(parts, input);
      const order = whoseOf(input);
      const counts = await eachChange(ask, { ...order, from: to }, () => undefined);
      showPlan(terminal, counts, { to, sharing });
      if (input.flags['yes'] !== true) return onlyPlanned(terminal, true);
      return showEnd(terminal, await ask('history.restore', { ...order, to, sharing }));
    },
  };
}

function historyUndo(parts: DiskParts): Command {
  return {
    name: 'history undo', summary: 'Take a restore back as a whole',
    details: 'What somebody has changed since the restore stays, and is counted.',
    args: [USER, { name: '<batch>', docs: 'its number, as "history list" shows it' }],
    flags: DISK_FLAGS, exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const batch = input.args[1] ?? '';
      return showEnd(terminal, await ask('history.undo', { ...whoseOf(input), batch }));
    },
  };
}

function historyList(parts: DiskParts): Command {
  return {
    name: 'history list', summary: 'List the last restores of somebody\'s files, newest first',
    details: 'Columns: batch, kind, state, when, revision it leads to, brought back, left alone.',
    args: [USER], flags: DISK_FLAGS, exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { batches } = await ask('history.list', whoseOf(input));
      for (const batch of batches as readonly BatchRecord[]) {
        const { id, kind, state, at, asOf, doneCount, skippedCount } = batch;
        const when = new Date(at).toISOString();
        terminal.print([id, kind, state, when, `rev-${asOf}`, doneCount, skippedCount].join('\t'));
      }
      return EXIT.done;
    },
  };
}

type Counts = Record<DiffChange, number>;

/** Every page of a comparison. */
async function eachChange(
  ask: Ask, order: Answer, act: (entry: DiffEntry) => void,
): Promise<Counts> {
  const counts: Counts = { added: 0, changed: 0, moved: 0, deleted: 0, shared: 0 };
  let place: Answer = {};
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await ask('history.diff', { ...order, ...place }) as unknown as Page;
    for (const entry of page.entries) {
      act(entry);
      for (const change of entry.changes) counts[change] += 1;
    }
    if (page.next === undefined) return counts;
    // The end must not run away while pages are fetched.
    place = { after: page.next, to: page.to };
  }
  const message = 'Too much has changed between these moments to be listed at once.';
  throw new HoldfastError('invalid', 'cli/history', message);
}

function lineOf({ before, after, changes }: DiffEntry): string {
  const [was, is] = [before?.path.join('/'), after?.path.join('/')];
  const path = is ?? was ?? '';
  return [changes.join('+'), path, ...(was !== undefined && was !== path ? [was] : [])].join('\t');
}

function sumOf({ added, changed, moved, deleted, shared }: Counts): string {
  return `added ${added}, changed ${changed}, moved ${moved}, deleted ${deleted}, shared ${shared}`;
}

function showPlan(
  terminal: Terminal, counts: Counts, { to, sharing }: { to: string; sharing: boolean },
): void {
  const { added, changed, moved, deleted, shared } = counts;
  terminal.print(`Back to ${to}:`);
  terminal.print(`  added since, go to the trash: ${added}`);
  terminal.print(`  changed since, get their old content or times back: ${changed}`);
  terminal.print(`  moved since, go back: ${moved}`);
  terminal.print(`  deleted since, come back: ${deleted}`);
  const fate = sharing ? 'taken back' : 'left as they are';
  if (shared > 0) terminal.print(`  with changes of shares and links, ${fate}: ${shared}`);
  terminal.print('  (a folder that was added or deleted counts once, with all in it)');
}

function showEnd(terminal: Terminal, answer: Answer): number {
  const { id, state, doneCount, skippedCount } = answer as unknown as BatchRecord;
  if (state === 'running') {
    terminal.complain(`Batch ${id} could not go on. It does so at the next start of the server; `
      + 'its log says why it stopped.');
    return EXIT.failed;
  }
  terminal.print(`batch ${id}: ${doneCount} brought back, ${skippedCount} left alone`);
  return EXIT.done;
}

function whoseOf(input: CommandInput): { user: string; folder?: string } {
  const folder = flagText(input, 'folder');
  return { user: input.args[0] ?? '', ...(folder !== undefined && { folder }) };
}

function wanted(input: CommandInput, name: string): string {
  const value = flagText(input, name);
  if (value !== undefined) return value;
  throw new HoldfastError('invalid', 'cli/history', `Say the moment: --${name}, ${WHEN}.`);
}
