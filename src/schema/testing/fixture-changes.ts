/** A change as a product would have it, of tables that no product has: the name of a person, which
 *  was one column, becomes two. */
import { mariadbGolden } from '../stores/mariadb/mariadb-golden.ts';
import { OUR_COLLATION } from '../stores/mariadb/mariadb-schema-target.ts';
import { sqliteGolden } from '../stores/sqlite/sqlite-catalogue.ts';
import type { Backfill, Contract, Expand, SchemaChange } from '../change.ts';
import type { Goldens } from '../lint.ts';
import type { Row, RowUpgrades } from '../row-upgrades.ts';

/** As the version before made it. */
export const PERSON_BEFORE = `id BIGINT NOT NULL, full_name VARCHAR(255) NULL,
  form SMALLINT NOT NULL DEFAULT 0, PRIMARY KEY (id)`;
/** As it is for this version: what the contract takes away is not in it any more. */
export const PERSON_AFTER = `id BIGINT NOT NULL, form SMALLINT NOT NULL DEFAULT 0,
  given_name VARCHAR(255) NULL, family_name VARCHAR(255) NULL, PRIMARY KEY (id)`;

export const PERSON_ROWS: RowUpgrades = {
  table: 'person', key: ['id'], versionColumn: 'form',
  columns: ['full_name', 'given_name', 'family_name'],
  upgrades: [
    (row: Row): Row => {
      const [given = '', family = ''] = String(row['full_name'] ?? '').split(' ');
      return { ...row, given_name: given, family_name: family };
    },
  ],
};

const addColumn = (column: string, type: string) => {
  const text = `ALTER TABLE person ADD COLUMN ${column} ${type}`;
  return { effect: { table: 'person', column }, sqlite: text, mariadb: text };
};

export const PERSON_EXPAND: Expand = {
  id: 'person-names', kind: 'expand', family: 'metadata', minCode: '1.0.0', algorithm: 'instant',
  title: 'Given and family names of their own', isNeeded: true,
  steps: [
    addColumn('given_name', 'VARCHAR(255) NULL'), addColumn('family_name', 'VARCHAR(255) NULL'),
  ],
};

export const PERSON_BACKFILL: Backfill = {
  id: 'person-names-rows', kind: 'backfill', family: 'metadata', minCode: '2.0.0',
  title: 'Names of people from before', after: 'person-names', rows: PERSON_ROWS,
};

export const PERSON_CONTRACT: Contract = {
  id: 'person-full-name-gone', kind: 'contract', family: 'metadata', minCode: '2.1.0',
  title: 'The name in one column', after: 'person-names-rows', rows: PERSON_ROWS,
  algorithm: 'instant',
  steps: [{
    effect: { table: 'person', column: 'full_name', isGone: true },
    sqlite: 'ALTER TABLE person DROP COLUMN full_name',
    mariadb: 'ALTER TABLE person DROP COLUMN full_name',
  }],
};

export const PERSON_CHANGES: readonly SchemaChange[] = [
  PERSON_EXPAND, PERSON_BACKFILL, PERSON_CONTRACT,
];

export const PERSON_GOLDENS: Goldens = {
  metadata: {
    sqlite: sqliteGolden(`CREATE TABLE person (${PERSON_AFTER})`),
    mariadb: mariadbGolden({ person: PERSON_AFTER }, OUR_COLLATION),
  },
  identity: { sqlite: [], mariadb: [] },
};
