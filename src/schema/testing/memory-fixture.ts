/** A shard in memory with the table that fixture changes are about. */
import type { Row } from '../row-upgrades.ts';
import type { FixtureShard } from '../schema-target.conformance.ts';
import { MemorySchemaTarget, memoryShard } from '../stores/memory/memory-schema-target.ts';
import type { MemoryShard } from '../stores/memory/memory-schema-target.ts';
import { sqliteGolden } from '../stores/sqlite/sqlite-catalogue.ts';
import { PERSON_BEFORE } from './fixture-changes.ts';

export interface MemoryFixture extends FixtureShard {
  readonly inside: MemoryShard;
}

export function memoryFixture(name: string): MemoryFixture {
  const inside = memoryShard(sqliteGolden(`CREATE TABLE person (${PERSON_BEFORE})`));
  const rows = (): Row[] => inside.rows.get('person') ?? [];
  const target = () => new MemorySchemaTarget(inside);
  return {
    inside,
    shard: { name, family: 'metadata', engine: 'sqlite', open: async () => target() },
    async insert(more) {
      inside.rows.set('person', [...rows(), ...more.map((row) => (
        { given_name: null, family_name: null, ...row }))]);
    },
    async readRows() {
      return rows().toSorted((a, b) => Number(a['id']) - Number(b['id']));
    },
    async addColumn(column) {
      const shape = { name: column, type: 'varchar(255)', isNullable: true, default: null,
        collation: '' };
      inside.catalogue = inside.catalogue.map((table) => (
        { ...table, columns: [...table.columns, shape] }));
    },
  };
}
