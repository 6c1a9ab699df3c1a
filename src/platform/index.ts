export { ManualClock, stayAwake, systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { describeError, openLog, silentLog } from './log.ts';
export type { LogFacts, LogLevel, LogOptions, Logger, OpenLog } from './log.ts';
export { Metrics } from './metrics.ts';
export type {
  Labels, MetricCounter, MetricGauge, MetricHistogram, MetricOptions,
} from './metrics.ts';
export { bodyOf } from './http/exchange.ts';
export type { Exchange, HttpHandler } from './http/exchange.ts';
export { HttpServer } from './http/http-server.ts';
export type { HttpServerOptions, HttpState } from './http/http-server.ts';
export { nodeHttp } from './http/node-http.ts';
export type { ListenAddress, TlsFiles } from './http/listener.ts';
export type { Route } from './http/route-table.ts';
export type { UpgradeHandler } from './http/upgrades.ts';
export { TrustedProxies } from './http/trusted-proxies.ts';
export { clusterSlice } from './cluster/cluster-settings.ts';
export type { ClusterSettings } from './cluster/cluster-settings.ts';
export type { ChangeHints, HintPage } from './cluster/change-hints.ts';
export { LeasedWork } from './cluster/leased-work.ts';
export type { LeasedWorkOptions } from './cluster/leased-work.ts';
export type { Lease, LeaseRecord, Leases } from './cluster/leases.ts';
export { NODE_AWAITED_MS, NODE_DEAD_MS, quietRoundOf } from './cluster/node-registry.ts';
export type { NodeEntry, NodeRecord, NodeRegistry } from './cluster/node-registry.ts';
export { Config } from './config/config.ts';
export type { ConfigSources, Mistake, ShownSetting } from './config/config.ts';
export { inspectConfig, loadConfig } from './config/environment.ts';
export type { ConfigRequest } from './config/environment.ts';
export { configurationManual } from './config/manual.ts';
export {
  flag, formatBytes, integer, listOf, oneOf, optionalText, seconds, sizeBytes, text,
} from './config/parsers.ts';
export type { Limits } from './config/parsers.ts';
export { SettingError, setting, slice } from './config/setting.ts';
export type {
  Contradiction, RawTable, RawValue, Setting, Settings, Slice, ValuesOf,
} from './config/setting.ts';
export {
  databaseSlice, formatDatabaseUrl, parseDatabaseUrl, readDatabaseSecrets,
} from './database-settings.ts';
export { nodesInUse } from './database-nodes.ts';
export type { NodesInUse } from './database-nodes.ts';
export type { DatabaseSecrets, DatabaseSettings, DatabaseUrl } from './database-settings.ts';
export { DATA_FORMAT, findDataDirectory, openDataDirectory } from './data-directory.ts';
export type { DataDirectory } from './data-directory.ts';
export { lockData } from './data-lock.ts';
export type { DataLock } from './data-lock.ts';
export { Effects } from './effects.ts';
export { watchBursts } from './burst-garbage.ts';
export { LOOP_DELAY_MAX_MS, watchEventLoop } from './event-loop.ts';
export type { LoopDelay } from './event-loop.ts';
export { armFailpoint, failpoint } from './failpoint.ts';
export { isThere } from './file-presence.ts';
export { NoteFolder } from './note-folder.ts';
export { readSqliteHeader } from './sqlite-header.ts';
export { watchSignals } from './process-signals.ts';
export type { ProcessEvents, SignalOptions } from './process-signals.ts';
export { SeededRandom, systemRandom } from './random.ts';
export type { Random } from './random.ts';
export { RetryBudget, RetryBudgets } from './retry-budget.ts';
export type { RetryFigures } from './retry-budget.ts';
export { asRequest, currentRequest, markThread } from './sql/request-mark.ts';
export { countedStatement } from './sql/counted-statement.ts';
export type { RunStatement } from './sql/counted-statement.ts';
export { SqlRefusal, checkRows } from './sql/sql-refusal.ts';
export { prepareTexts, sqliteText } from './sql/sqlite-texts.ts';
export type { PreparedTexts, SqliteText, SqliteTexts } from './sql/sqlite-texts.ts';
export { StatementTally, statementTally } from './sql/statement-tally.ts';
export type { StatementCount, StatementFigures } from './sql/statement-tally.ts';
export {
  formatListenAddress, isLoopback, parseListenAddress, serverSlice,
} from './server-settings.ts';
