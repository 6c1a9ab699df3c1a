/** The program's first file: reads the command line and hands it to a command. */
import { readFile } from 'node:fs/promises';
import {
  configCheck, configShow, openTerminal, runCommandLine, serve, versionCommand,
} from '../cli/index.ts';
import { SLICES } from './settings.ts';
import { startServer } from './server.ts';

const manifest = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const commands = [
  serve({ startServer, slices: SLICES, events: process }),
  configCheck(SLICES),
  configShow(SLICES),
  versionCommand(manifest.version),
];

process.exitCode = await runCommandLine(process.argv.slice(2), {
  commands, terminal: openTerminal(), version: manifest.version,
});
