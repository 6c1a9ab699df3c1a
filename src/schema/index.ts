/** The door of schema. What is under `stores/` is named by src/app alone. */
export { digestOf } from './catalogue.ts';
export type { Catalogue, Drift } from './catalogue.ts';
export { CHANGES } from './changes.ts';
export { compareVersions } from './change.ts';
export type {
  Algorithm, Backfill, ChangeKind, Contract, Effect, Engine, Expand, Family, SchemaChange,
  SchemaStep,
} from './change.ts';
export type { Nodes, Objection } from './contract.ts';
export { driftText, findDrift } from './drift.ts';
export type { ShardDrift } from './drift.ts';
export { lint } from './lint.ts';
export type { Goldens, LintFinding } from './lint.ts';
export { currentVersion, upgradeRow } from './row-upgrades.ts';
export type { Row, RowUpgrades } from './row-upgrades.ts';
export type { ChangeNote, SchemaBook, ShardRun } from './schema-book.ts';
export { SchemaRunner } from './schema-runner.ts';
export type { Progress, RunOutcome, SchemaParts, SchemaPolicy } from './schema-runner.ts';
export type { SchemaShard, SchemaTarget } from './schema-target.ts';
export { checkServing } from './serving.ts';
export type { Served, ServingParts } from './serving.ts';
export { schemaSlice } from './settings.ts';
export { readStatus } from './status.ts';
export type { ChangeStatus } from './status.ts';
