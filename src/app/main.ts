/** The program's first file: reads the command line and hands it to a command. */
import { readFile } from 'node:fs/promises';
import type { TenantId } from '../base/ids.ts';
import {
  auditCommands, brakeCommands, clusterKey, clusterKeyRotate, configCheck, configShow,
  databaseMove, dbTop, digestCommand, diskAdd,
  diskDrain,
  diskList, diskMove, diskRetire, diskUndrain, durability, gcRestore, gcRun, gcStatus,
  groupCommands, historyCommands, keysCommands, mailTest, nodeCommands, openTerminal,
  quotaCommands, retentionCommands, runCommandLine, schemaCommands, serve, shardCommands,
  storageMove, tenantCommands,
  tenantMove, userAdd,
  userDisable,
  userEmail, userEnable, userList, userPassword, userSecondFactorOff,
  userTransfer, verifyExplain, verifyProve, verifyRun, verifyStatus, versionCommand,
} from '../cli/index.ts';
import { leaveEntry } from '../audit/index.ts';
import type { NotedAct, StartServer } from '../cli/index.ts';
import type { PlainRecord } from '../operations/index.ts';
import {
  databaseSlice, serverSlice, silentLog, stayAwake, systemClock, systemRandom,
} from '../platform/index.ts';
import type { Config } from '../platform/index.ts';
import { openCollectionAlone, readCollectionStatus } from './collection.ts';
import { keyParts } from './keys.ts';
import { SLICES } from './settings.ts';
import { nodeCommandParts } from './node-commands.ts';
import { makeKeyOf, rotateKeyOf } from './cluster.ts';
import { storageMoveParts } from './storage-move.ts';
import { storageSettings } from './storage-policies.ts';
import { openIdentityAlone } from './stores.ts';
import { auditFolder } from './tenant-audit.ts';
import { verifyParts } from './verification.ts';

const manifest = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const terminal = openTerminal();

const users = {
  slices: SLICES,
  openIdentity: (path: string, { create, config }: { create: boolean; config: Config }) =>
    openIdentityAlone(path, { clock: systemClock, create, database: config.of(databaseSlice) }),
  noteAct: (path: string, { tenant, ...act }: NotedAct) => leaveEntry(auditFolder(path, tenant), {
    at: systemClock.now(), user: '', device: 'command line', ...act,
  }),
};

const collection = {
  slices: SLICES,
  readStatus: (path: string, tenant: TenantId) => readCollectionStatus(path, tenant, systemClock),
  openCollector: (
    path: string, { config, tenant }: { config: Config; tenant: TenantId },
  ) => openCollectionAlone(path, {
    tenant,
    clock: systemClock, log: silentLog, random: systemRandom, ...storageSettings(config),
    complain: (line) => terminal.complain(line),
  }),
};

const disks = {
  slices: SLICES,
  ask: async (config: Config, operation: string, input: object) => (
    await import('./orders.ts')).order(
    config, { operation, input: input as PlainRecord },
    { clock: systemClock, random: systemRandom },
  ),
};

const verifying = verifyParts(SLICES, systemClock);

// What only one command needs is loaded by that one: most commands are over in half a second.
const start: StartServer = async (options) => {
  const isFiler = options.config.of(serverSlice).role === 'filer';
  if (isFiler) return (await import('./filer.ts')).startFiler(options);
  return (await import('./server.ts')).startServer(options);
};

const commands = [
  serve({ startServer: start, slices: SLICES, events: process }),
  userAdd(users),
  userList(users),
  userPassword(users),
  userSecondFactorOff(users),
  userEmail(users),
  userDisable(users),
  userEnable(users),
  userTransfer({ ...disks, noteAct: users.noteAct }),
  ...groupCommands(users),
  ...tenantCommands({
    ...users, listPolicies: (config) => ['default', ...storageSettings(config).policies.keys()],
  }),
  tenantMove({ ...disks, noteAct: users.noteAct }),
  clusterKey({ slices: SLICES, makeKey: makeKeyOf }),
  clusterKeyRotate({ slices: SLICES, rotateKey: rotateKeyOf }),
  diskList(disks),
  diskAdd(disks),
  diskDrain(disks),
  diskUndrain(disks),
  diskMove(disks),
  diskRetire(disks),
  durability({
    slices: SLICES,
    readFleet: async (config, tenant) => (await import('./figures.ts')).readFleet(
      config, tenant, { clock: systemClock, random: systemRandom }),
  }),
  ...keysCommands(keyParts(SLICES)),
  storageMove(storageMoveParts(SLICES, { clock: systemClock, random: systemRandom })),
  gcStatus(collection),
  gcRun(collection),
  gcRestore(collection),
  verifyStatus(verifying),
  verifyRun(verifying),
  verifyExplain(verifying),
  verifyProve(verifying),
  ...historyCommands(disks),
  ...brakeCommands(disks),
  dbTop(disks),
  databaseMove({
    slices: SLICES,
    open: async (config, { to }) => (await import('./database-move.ts')).openDatabaseMove(
      config, { to, clock: systemClock }),
  }),
  ...quotaCommands({ ...disks, noteAct: users.noteAct }),
  ...retentionCommands({ ...disks, noteAct: users.noteAct }),
  ...shardCommands(disks),
  ...auditCommands(SLICES),
  ...nodeCommands(nodeCommandParts(SLICES, systemClock)),
  ...schemaCommands({
    slices: SLICES, clock: systemClock,
    open: async (config, { alters }) => (await import('./schema.ts')).openSchema(
      config, { alters, clock: systemClock }),
  }),
  mailTest({
    slices: SLICES,
    sendTest: async (config, address, { onReply }) => (await import('./mail.ts')).sendTestMail(
      config, address, { clock: systemClock, random: systemRandom, onReply }),
  }),
  digestCommand,
  configCheck(SLICES),
  configShow(SLICES),
  versionCommand(manifest.version),
];

/** For a thread or socket that would not let go: everything that matters is closed by then. */
const LEAVE_MS_MAX = 1_000;

const letGo = stayAwake();
process.exitCode = await runCommandLine(process.argv.slice(2), {
  commands, terminal, version: manifest.version,
});
letGo();

systemClock.after(LEAVE_MS_MAX, () => process.exit());
