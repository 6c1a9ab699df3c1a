/** The program's first file: reads the command line and hands it to a command. */
import { readFile } from 'node:fs/promises';
import {
  clusterKey, configCheck, configShow, openTerminal, runCommandLine, serve, userAdd, userDisable,
  userEnable, userList, userPassword, versionCommand,
} from '../cli/index.ts';
import type { StartServer } from '../cli/index.ts';
import { serverSlice, systemClock } from '../platform/index.ts';
import { SLICES } from './settings.ts';
import { startFiler } from './filer.ts';
import { makeKeyOf } from './cluster.ts';
import { startServer } from './server.ts';
import { openIdentityAlone } from './stores.ts';

const manifest = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const users = {
  slices: SLICES,
  openIdentity: (path: string, { create }: { create: boolean }) =>
    openIdentityAlone(path, { clock: systemClock, create }),
};

const start: StartServer = (options) =>
  options.config.of(serverSlice).role === 'filer' ? startFiler(options) : startServer(options);

const commands = [
  serve({ startServer: start, slices: SLICES, events: process }),
  userAdd(users),
  userList(users),
  userPassword(users),
  userDisable(users),
  userEnable(users),
  clusterKey({ slices: SLICES, makeKey: makeKeyOf }),
  configCheck(SLICES),
  configShow(SLICES),
  versionCommand(manifest.version),
];

/** For a thread or socket that would not let go: everything that matters is closed by then. */
const LEAVE_MS_MAX = 1_000;

process.exitCode = await runCommandLine(process.argv.slice(2), {
  commands, terminal: openTerminal(), version: manifest.version,
});

systemClock.after(LEAVE_MS_MAX, () => process.exit());
