/**
 * A long list: only the rows in sight are in the document. It is a grid with one stop for the Tab key; within it
 * the arrow keys, Page Up, Page Down, Home and End move and Enter opens. Rows have one height.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { names } from './names';
import type { Column } from './Table';
import styles from './VirtualTable.module.css';

const ROW_HEIGHT = 41;
const ROWS_NEAR_END = 20;

export interface VirtualTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  readonly href: (row: Row) => string;
  /** Called when the last rows come in sight. */
  readonly onNearEnd?: (() => void) | undefined;
  /** CSS height of the list. */
  readonly height?: string | undefined;
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>): ReactNode {
  const { label, columns, rows, rowKey, href, onNearEnd, height = 'max(20rem, calc(100vh - 20rem))' } = props;
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const at = Math.min(current, Math.max(rows.length - 1, 0));
  const tracks = columns.map(({ width = '1fr' }) => width).join(' ');

  // The virtualizer's functions change with each scroll: nothing here is memoised by the compiler.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollPaddingStart: ROW_HEIGHT,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : rowKey(row);
    },
  });
  const items = virtual.getVirtualItems();
  const lastInSight = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (rows.length > 0 && lastInSight >= rows.length - ROWS_NEAR_END) onNearEnd?.();
  }, [lastInSight, rows.length, onNearEnd]);

  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setCurrent(next);
    virtual.scrollToIndex(next);
  };

  const open = (index: number): void => {
    const row = rows[index];
    if (row !== undefined) void navigate(href(row));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const next = moves[event.key];
    if (next !== undefined) moveTo(next);
    else if (event.key === 'Enter') open(at);
    else return;
    event.preventDefault();
  };

  const currentRow = rows[at];
  return (
    <div
      ref={scroller}
      className={styles['scroller']}
      style={{ height }}
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      onKeyDown={onKeyDown}
      {...(currentRow === undefined ? {} : { 'aria-activedescendant': rowId(label, rowKey(currentRow)) })}
    >
      <div role="rowgroup" className={styles['head']}>
        <div role="row" aria-rowindex={1} className={styles['row']} style={{ gridTemplateColumns: tracks }}>
          {columns.map((column) => (
            <div
              key={column.id}
              role="columnheader"
              className={names(styles['cell'], column.end && styles['end'])}
            >
              {column.header}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles['rows']} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            // The grid takes the keys for its rows.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
            <div
              key={item.key}
              id={rowId(label, rowKey(row))}
              role="row"
              aria-rowindex={item.index + 2}
              className={names(styles['row'], styles['body'], item.index === at && styles['current'])}
              style={{ gridTemplateColumns: tracks, transform: `translateY(${item.start}px)` }}
              onClick={() => {
                setCurrent(item.index);
                open(item.index);
              }}
            >
              {columns.map((column) => (
                <div
                  key={column.id}
                  role="gridcell"
                  className={names(styles['cell'], column.end && styles['end'])}
                >
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowId(label: string, key: string | number): string {
  return `${label.replaceAll(/\W+/g, '-')}-${key}`;
}
