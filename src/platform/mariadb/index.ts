/** The door to MariaDB servers, beside the platform's own: whoever has no such server never loads
 *  what speaks to one. What is said on a connection lives under the modules' `stores/mariadb/`. */
export { alterTables } from './alter-tables.ts';
export type { AlterOptions } from './alter-tables.ts';
export { ChangeMarks } from './change-marks.ts';
export type { CatchUp, KnownStates, SeenState } from './change-marks.ts';
export {
  FENCED, RetriesSpent, ServerError, explainedFault, isBeaten, isOutcomeUnknown, isPassing,
  serverFault, toFault,
} from './faults.ts';
export type { DatabaseWords, ServerFault } from './faults.ts';
export { GatheredQuestions } from './gathered-questions.ts';
export { LoneStatements } from './lone-statements.ts';
export type { LoneParts } from './lone-statements.ts';
export { knowDatabase, noteLatest } from './known-database.ts';
export type { KnownDatabase, KnownNumberName } from './known-database.ts';
export { keysOf, namedSql, namedTable, ownerOf, valuesFor } from './named-sql.ts';
export type { NamedSql, SqlValue, TableOwner } from './named-sql.ts';
export { NODE_TURN_TABLES, keepTurns, raisingTurn } from './node-turn.ts';
export { inOurWords, inServersWords } from './dialect.ts';
export { lookAtDatabase } from './look-at-database.ts';
export type { DatabaseFacts } from './look-at-database.ts';
export { makeMissingTables } from './missing-tables.ts';
export { OneByOne } from './one-by-one.ts';
export { OneSession, patienceOfSmall } from './one-session.ts';
export type { AskOne, OneSessionParts } from './one-session.ts';
export { underSchemaLock } from './schema-lock.ts';
export type { AskRows } from './schema-lock.ts';
export { checkSettings, readSettings, unsafeSettings } from './server-settings.ts';
export { asSchemaUser, newChoice, withChoice } from './nodes.ts';
export type { ServerHost } from './nodes.ts';
export type { ServerSettings } from './server-settings.ts';
export {
  CONNECT_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, Session,
} from './session.ts';
export type { Answer, ServerAddress, SessionMode } from './session.ts';
export { SessionPool } from './session-pool.ts';
export { SharedQuestion } from './shared-question.ts';
export { TurnWriter, noTurns } from './turn-writer.ts';
export type { Ask, TurnParts, TurnSql } from './turn-writer.ts';
export { Tries, patiently, rest } from './patience.ts';
export { readRights } from './user-rights.ts';
export type { RightsFound } from './user-rights.ts';
export { statements } from '../sql/statement-registry.ts';
export type { RegisteredStatement, StatementOwner } from '../sql/statement-registry.ts';
export { ask, withSession } from './with-session.ts';
