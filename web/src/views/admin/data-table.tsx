/** A table of any length: only the rows in sight are drawn, and the next page is asked for when the
 *  end comes near. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { t } from '../../texts/texts.ts';

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  /** A track of the grid: `120px`, `minmax(0, 2fr)`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
  /** Left out on a phone. */
  readonly isWide?: boolean;
}

export interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly rowPx?: number;
  /** There is a next page. */
  readonly loadMore?: (() => void) | undefined;
  /** What stands in place of rows. */
  readonly empty: ReactNode;
}

const ROW_PX = 52;
const NEAR_END = 30;
const NARROW = matchMedia('(max-width: 720px)');

export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { label, rows, keyOf, rowPx = ROW_PX, loadMore, empty } = props;
  const isNarrow = useSyncExternalStore(listenToWidth, () => NARROW.matches);
  const columns = props.columns.filter(({ isWide = false }) => !isNarrow || !isWide);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowPx,
    overscan: 12,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last + NEAR_END > rows.length) loadMore?.();
  }, [last, rows.length, loadMore]);
  if (rows.length === 0) return empty;
  const tracks = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') };
  return (
    <div
      className="hf-table" ref={scroller} tabIndex={0} role="table" aria-label={label}
      aria-rowcount={loadMore === undefined ? rows.length + 1 : -1}
    >
      <div role="rowgroup">
        <div className="hf-table-head" role="row" aria-rowindex={1} style={tracks}>
          {columns.map((column) => (
            <span key={column.key} role="columnheader" {...marksOf(column)}>{column.label}</span>
          ))}
        </div>
      </div>
      <div
        role="rowgroup" className="hf-table-body" style={{ height: `${virtual.getTotalSize()}px` }}
      >
        {shown.map(({ index, start }) => {
          const row = rows[index];
          return row !== undefined && (
            <div
              key={keyOf(row)} className="hf-table-row" role="row" aria-rowindex={index + 2}
              style={{ ...tracks, height: `${rowPx}px`, transform: `translateY(${start}px)` }}
            >
              {columns.map((column) => (
                <div key={column.key} role="cell" {...marksOf(column)}>{column.cell(row)}</div>
              ))}
            </div>
          );
        })}
      </div>
      {loadMore !== undefined && <p className="hf-table-more">{t('loading')}</p>}
    </div>
  );
}

function marksOf<Row>({ isNumber = false }: Column<Row>) {
  return isNumber ? { 'data-number': true } : {};
}

function listenToWidth(changed: () => void): () => void {
  NARROW.addEventListener('change', changed);
  return () => NARROW.removeEventListener('change', changed);
}
