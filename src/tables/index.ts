/** The door of tables. What is under `stores/` is named by src/app alone. */
export { columnsOf } from './carried-table.ts';
export type { CarriedRow, CarriedTable, TableSide } from './carried-table.ts';
export { carryTables, compareTables } from './carry-tables.ts';
export type { OnRows, TablePair } from './carry-tables.ts';
