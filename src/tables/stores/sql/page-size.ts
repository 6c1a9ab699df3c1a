/** How much is read at once: pages of rows with large values have fewer rows. */
import { columnsOf } from '../../carried-table.ts';
import type { CarriedTable } from '../../carried-table.ts';

const ROWS_OF_PAGE = 2_000;
/** A manifest lists the blocks of a file: some kilobytes as a rule, megabytes of the largest. */
const ROWS_OF_HEAVY_PAGE = 200;
const HEAVY = new Set(['manifest', 'body', 'xml', 'owner_xml']);

/** Rows that belong together are read together: so many groups of them. */
export const GROUPS_OF_PAGE = 100;

export function rowsOfPage(table: CarriedTable): number {
  return columnsOf(table).some((column) => HEAVY.has(column)) ? ROWS_OF_HEAVY_PAGE : ROWS_OF_PAGE;
}
