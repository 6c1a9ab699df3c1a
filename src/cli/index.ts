export { EXIT, flagText } from './command.ts';
export type {
  Command, CommandArgument, CommandFlag, CommandInput, Terminal,
} from './command.ts';
export { runCommandLine } from './command-line.ts';
export type { CommandLineOptions } from './command-line.ts';
export { clusterKey } from './commands/cluster-key.ts';
export { configCheck } from './commands/config-check.ts';
export { configShow } from './commands/config-show.ts';
export { serve } from './commands/serve.ts';
export type { ServeParts } from './commands/serve.ts';
export { userAdd } from './commands/user-add.ts';
export { userDisable, userEnable } from './commands/user-disable.ts';
export { userList } from './commands/user-list.ts';
export { userPassword } from './commands/user-password.ts';
export { versionCommand } from './commands/version.ts';
export { CONFIG_FLAGS, configRequest } from './config-flags.ts';
export type { RunningServer, StartOptions, StartServer } from './start-server.ts';
export { MemoryTerminal } from './memory-terminal.ts';
export { openTerminal } from './terminal.ts';
export type { UserParts } from './user-command.ts';
