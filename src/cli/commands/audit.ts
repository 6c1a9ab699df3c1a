import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readHead, verifyAudit } from '../../audit/index.ts';
import type { AuditEntry, AuditVerdict, ChainPlace } from '../../audit/index.ts';
import { DEFAULT_TENANT, parseTenantId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import { findDataDirectory, loadConfig, serverSlice } from '../../platform/index.ts';
import type { Slice } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandFlag, CommandInput, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';

const FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data)' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
];
const EXITS = {
  0: 'done',
  1: 'the log is damaged or was changed, with the place on screen',
  2: 'wrong usage',
  3: 'refused: see the message',
};
const PLACE = /^(\d{1,15}):([0-9a-f]{64})$/;

/** They only read, and work whether or not a server runs. */
export function auditCommands(slices: readonly Slice[]): readonly Command[] {
  return [verifyCommand(slices), exportCommand(slices)];
}

function verifyCommand(slices: readonly Slice[]): Command {
  return {
    name: 'audit verify',
    summary: 'Check that no entry of the audit log was changed, removed or added',
    details: 'Prints the place at which the log ends. Keep it somewhere else: with --since a later '
      + 'check also finds that the log as a whole was replaced.',
    flags: [
      ...FLAGS,
      { flags: '--tenant <name>', docs: 'whose log (all of them; with --since: default)' },
      { flags: '--since <place>', docs: 'a place that an earlier check printed' },
    ],
    exits: EXITS,
    async run(terminal, input) {
      const root = await rootOf(slices, input);
      const since = sinceOf(input);
      const tenants = await tenantsOf(root, input);
      let isSound = true;
      for (const tenant of tenants) {
        const folder = join(root, tenant);
        const verdict = await verifyAudit(folder, since ?? await readHead(folder));
        if (tenants.length > 1) terminal.print(`tenant ${tenant}`);
        for (const line of linesOf(verdict)) terminal.print(line);
        isSound &&= verdict.breaks.length === 0;
      }
      return isSound ? EXIT.done : EXIT.failed;
    },
  };
}

function exportCommand(slices: readonly Slice[]): Command {
  return {
    name: 'audit export',
    summary: 'Print the audit log, one entry a line, in JSON or as a table for spreadsheets',
    flags: [
      ...FLAGS,
      { flags: '--tenant <name>', docs: 'whose log (default)' },
      { flags: '--format <name>', docs: 'json (default) or csv' },
      { flags: '--from <time>', docs: 'not before this time, as 2026-11-20T10:00:00Z' },
      { flags: '--until <time>', docs: 'before this time' },
      { flags: '--user <name>', docs: 'only what this user did' },
    ],
    exits: EXITS,
    async run(terminal, input) {
      const tenant = flagText(input, 'tenant') ?? DEFAULT_TENANT;
      const folder = join(await rootOf(slices, input), parseTenantId(tenant));
      const print = printerOf(terminal, flagText(input, 'format') ?? 'json');
      const [from, until] = [timeOf(input, 'from'), timeOf(input, 'until')];
      const user = flagText(input, 'user');
      const verdict = await verifyAudit(folder, undefined, (entry) => {
        if (entry === undefined) return;
        if (from !== undefined && entry.at < from) return;
        if (until !== undefined && entry.at >= until) return;
        if (user !== undefined && entry.user !== user) return;
        print(entry);
      });
      if (verdict.breaks.length === 0) return EXIT.done;
      for (const line of linesOf(verdict)) terminal.complain(line);
      return EXIT.failed;
    },
  };
}

/** Of all logs: each tenant's is a folder in it. */
async function rootOf(slices: readonly Slice[], input: CommandInput): Promise<string> {
  const config = await loadConfig(configRequest(input, slices));
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  return join(path, 'audit');
}

/** A place belongs to one log, so with one it is that of the default tenant, unless another is
 *  named. */
async function tenantsOf(root: string, input: CommandInput): Promise<readonly string[]> {
  const named = flagText(input, 'tenant');
  if (named !== undefined) return [parseTenantId(named)];
  if (flagText(input, 'since') !== undefined) return [DEFAULT_TENANT];
  const entries = await readdir(root, { withFileTypes: true }).catch(none);
  const found = entries.filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  return [...new Set([DEFAULT_TENANT, ...found.sort()])];
}

/** Nothing has been audited yet; whatever else is wrong is for whoever reads the logs. */
function none(error: unknown): [] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}

function sinceOf(input: CommandInput): ChainPlace | undefined {
  const text = flagText(input, 'since');
  if (text === undefined) return undefined;
  const [, seq, hash] = PLACE.exec(text) ?? [];
  if (hash !== undefined) return { seq: Number(seq), hash };
  throw wrong('--since wants a place as "holdfast audit verify" prints it: a number, a colon and '
    + '64 hexadecimal digits.');
}

function timeOf(input: CommandInput, name: string): number | undefined {
  const text = flagText(input, name);
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw wrong(`--${name} wants a time as 2026-11-20T10:00:00Z.`);
  return at;
}

function wrong(message: string): HoldfastError {
  return new HoldfastError('invalid', 'cli/audit', message);
}

function linesOf({ entries, segments, place, tornBytes, breaks }: AuditVerdict): string[] {
  const lines = [`entries: ${entries}, in ${segments} file${segments === 1 ? '' : 's'}`];
  if (tornBytes > 0) {
    lines.push(`${tornBytes} bytes at the end are no whole entry: a server writes there just now, `
      + 'or ended while it did.');
  }
  for (const { afterSeq, segment, reason } of breaks) {
    lines.push(`DAMAGED behind entry ${afterSeq}, in ${segment}: ${REASONS[reason]}`);
  }
  lines.push(breaks.length === 0 ? 'Every entry is as it was written.'
    : 'What is behind a break cannot be trusted. Compare with a backup of the folder "audit".');
  return [...lines, `place: ${place.seq}:${place.hash}`];
}

const REASONS = {
  header: 'its first line is damaged',
  line: 'a line was changed, removed or added',
  order: 'it does not go on from the file before, or one is missing',
  shorter: 'entries are missing at the end, or the log was replaced',
} as const;

const COLUMNS = [
  'seq', 'at', 'act', 'user', 'device', 'from', 'space', 'rev', 'node', 'name', 'nameBefore',
  'folder', 'folderBefore', 'subject', 'note',
] as const satisfies readonly (keyof AuditEntry)[];

function printerOf(terminal: Terminal, format: string): (entry: AuditEntry) => void {
  if (format === 'json') return (entry) => terminal.print(JSON.stringify(entry));
  if (format !== 'csv') throw wrong('--format is json or csv.');
  terminal.print(COLUMNS.join(','));
  return (entry) => {
    const row = { ...entry, at: new Date(entry.at).toISOString() };
    terminal.print(COLUMNS.map((column) => cellOf(row[column])).join(','));
  };
}

/** RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front. */
function cellOf(value: string | number | undefined): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
