/** The entries of a folder, as a list or as tiles. Only what can be seen is in the page. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import type { FileNode, Sort } from '../../api/shapes.ts';
import { t } from '../../texts/texts.ts';
import { EntryRow } from './entry-row.tsx';
import { EntryTile } from './entry-tile.tsx';
import { usePick } from './folder-screen.ts';
import type { FolderScreen } from './folder-screen.ts';
import { ListHead } from './list-head.tsx';
import { nameOfTarget } from './operations.ts';

const ROW_PX = 46;
const TILE_PX = 168;
const TILE_HEIGHT_PX = 172;
const TILE_GAP_PX = 12;
/** The head of the list stays above the entries. */
const HEAD_PX = 40;
const SPARE_ROWS = 12;
/** The next page is asked for when so many entries are left below. */
const AHEAD = 400;

export type Layout = 'list' | 'grid';

export interface EntriesProps {
  readonly screen: FolderScreen;
  readonly folder: FileNode;
  readonly nodes: readonly FileNode[];
  readonly layout: Layout;
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly isComplete: boolean;
  readonly loadMore: () => void;
}

export function Entries(props: EntriesProps): ReactNode {
  const { screen, folder, nodes, layout, isComplete, loadMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const columns = layout === 'list' ? 1
    : Math.max(2, Math.floor((width - 28) / (TILE_PX + TILE_GAP_PX)));
  const rowCount = Math.ceil(nodes.length / columns);
  const rows = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => (layout === 'list' ? ROW_PX : TILE_HEIGHT_PX + TILE_GAP_PX),
    overscan: SPARE_ROWS,
    scrollPaddingStart: HEAD_PX,
    scrollPaddingEnd: 16,
  });
  const shown = rows.getVirtualItems();
  const lastShown = ((shown.at(-1)?.index ?? 0) + 1) * columns;
  useEffect(() => rows.measure(), [rows, layout]);
  useEffect(() => {
    if (!isComplete && lastShown + AHEAD > nodes.length) loadMore();
  }, [isComplete, lastShown, nodes.length, loadMore]);
  useEffect(() => {
    screen.columnCount = columns;
    screen.pageCount = columns * Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0)
      / (layout === 'list' ? ROW_PX : TILE_HEIGHT_PX)) - 1);
    screen.reveal = (at) => rows.scrollToIndex(Math.floor(at / columns));
  }, [screen, rows, columns, layout]);
  const activeId = usePick(screen.selection, (selection) => selection.activeId);
  return (
    <div
      ref={scroller} id="entries" className={`hf-entries hf-entries-${layout}`} role="grid"
      aria-label={t('files.contents', { folder: nameOfTarget(folder) })} aria-multiselectable
      aria-rowcount={isComplete ? rowCount + 1 : -1} tabIndex={0}
      {...(activeId !== undefined && { 'aria-activedescendant': `entry-${activeId}` })}
      onClick={({ target, currentTarget }) => {
        if (target === currentTarget || isCanvas(target)) screen.clear();
      }}
    >
      <ListHead {...props} />
      <div className="hf-canvas" role="rowgroup" style={{ height: `${rows.getTotalSize()}px` }}>
        {shown.map(({ index, start }) => {
          const style = { transform: `translateY(${start}px)` };
          if (layout === 'grid') {
            return <TileRow key={index} {...{ nodes, columns, index, style }} />;
          }
          const node = nodes[index];
          return node && <EntryRow key={node.id} node={node} at={index} style={style} />;
        })}
      </div>
    </div>
  );
}

function isCanvas(target: EventTarget): boolean {
  return target instanceof Element && target.matches('.hf-canvas, .hf-tiles');
}

interface TileRowProps {
  readonly nodes: readonly FileNode[];
  readonly columns: number;
  readonly index: number;
  readonly style: { readonly transform: string };
}

function TileRow({ nodes, columns, index, style }: TileRowProps): ReactNode {
  const part = nodes.slice(index * columns, (index + 1) * columns);
  return (
    <div
      className="hf-tiles" role="row" aria-rowindex={index + 2}
      style={{ ...style, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
    >
      {part.map((node) => <EntryTile key={node.id} node={node} />)}
    </div>
  );
}

function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const watch = new ResizeObserver(() => setWidth(current.clientWidth));
    watch.observe(current);
    return () => watch.disconnect();
  }, [element]);
  return width;
}
