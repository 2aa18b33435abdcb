/**
 * A long list: only the rows in sight are in the document. It is a grid with one stop for the Tab key; within it
 * the arrow keys, Page Up, Page Down, Home and End move and Enter opens. Rows have one height.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  memo,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from 'react';
import { useNavigate } from 'react-router';
import { names } from './names';
import type { Column } from './Table';
import styles from './VirtualTable.module.css';

const ROW_HEIGHT = 41;
const COMPACT_ROW_HEIGHT = 65;
const PHONE = '(max-width: 40rem)';
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
  /** What stands for the columns on a phone: two lines. */
  readonly compact?: ((row: Row) => ReactNode) | undefined;
  /** Told when somebody begins to read, scrolled away from the top or in it with the mouse or the keys, and ends. */
  readonly onReading?: ((reading: boolean) => void) | undefined;
  /** Where it begins, and where it is scrolled to: for a list that is come back to. */
  readonly initialTop?: number | undefined;
  readonly onScrollTo?: ((top: number) => void) | undefined;
  /** A change of it brings the list back to its top. */
  readonly toTop?: number | undefined;
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>): ReactNode {
  const { label, columns, rows, rowKey, href, onNearEnd, height = 'max(20rem, calc(100vh - 20rem))' } = props;
  const { compact, onReading, initialTop = 0, onScrollTo, toTop } = props;
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const isPhone = useSyncExternalStore(onPhoneChange, isOnPhone);
  const isCompact = compact !== undefined && isPhone;
  const rowHeight = isCompact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
  // A row stays the current one when others come before it.
  const [current, setCurrent] = useState<{ readonly key: string | number | null; readonly index: number }>({
    key: null,
    index: 0,
  });
  const at = useMemo(() => {
    const found = current.key === null ? -1 : rows.findIndex((row) => rowKey(row) === current.key);
    return found >= 0 ? found : Math.min(current.index, Math.max(rows.length - 1, 0));
  }, [rows, rowKey, current]);
  const tracks = columns.map(({ width = '1fr' }) => width).join(' ');

  // The virtualizer's functions change with each scroll: nothing here is memoised by the compiler.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollPaddingStart: isCompact ? 0 : ROW_HEIGHT,
    initialOffset: initialTop,
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

  useEffect(() => {
    virtual.measure();
  }, [virtual, rowHeight]);

  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = initialTop;
    // Only where it begins.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const firstTop = useRef(toTop);
  useEffect(() => {
    if (toTop === firstTop.current) return;
    firstTop.current = toTop;
    scroller.current?.scrollTo(0, 0);
  }, [toTop]);

  const reading = useReading(initialTop > 0, onReading);

  const choose = (index: number): void => {
    const row = rows[index];
    setCurrent({ key: row === undefined ? null : rowKey(row), index });
  };

  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    choose(next);
    virtual.scrollToIndex(next);
  };

  const open = (index: number): void => {
    const row = rows[index];
    if (row !== undefined) void navigate(href(row));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2);
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
      onScroll={(event) => {
        const { scrollTop } = event.currentTarget;
        reading('scrolled', scrollTop > 0);
        onScrollTo?.(scrollTop);
      }}
      onFocus={() => reading('focused', true)}
      onBlur={() => reading('focused', false)}
      onPointerEnter={({ pointerType }) => reading('pointed', pointerType === 'mouse')}
      onPointerLeave={() => reading('pointed', false)}
      {...(currentRow === undefined ? {} : { 'aria-activedescendant': rowId(label, rowKey(currentRow)) })}
    >
      <div role="rowgroup" className={names(styles['head'], isCompact && styles['hidden'])}>
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
              className={names(
                styles['row'],
                styles['body'],
                isCompact && styles['compact'],
                item.index === at && styles['current'],
              )}
              style={{
                transform: `translateY(${item.start}px)`,
                ...(isCompact ? {} : { gridTemplateColumns: tracks }),
              }}
              onClick={(event) => {
                choose(item.index);
                if (isForNewTab(event)) window.open(href(row), '_blank');
                else open(item.index);
              }}
            >
              <Cells row={row} columns={columns} compact={isCompact ? compact : undefined} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface CellsProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly compact: ((row: Row) => ReactNode) | undefined;
}

/** Scrolling moves rows and does not change what they say. */
const Cells = memo(function Cells<Row>({ row, columns, compact }: CellsProps<Row>): ReactNode {
  if (compact !== undefined) {
    return (
      <div role="gridcell" aria-colspan={columns.length} className={styles['cell']}>
        {compact(row)}
      </div>
    );
  }
  return columns.map((column) => (
    <div key={column.id} role="gridcell" className={names(styles['cell'], column.end && styles['end'])}>
      {column.cell(row)}
    </div>
  ));
}) as <Row>(props: CellsProps<Row>) => ReactNode;

type Sign = 'scrolled' | 'focused' | 'pointed';

/** Tells `onReading` when the first sign of a reader comes and when the last one goes. */
function useReading(
  scrolled: boolean,
  onReading: ((reading: boolean) => void) | undefined,
): (sign: Sign, present: boolean) => void {
  const signs = useRef<ReadonlySet<Sign>>(new Set(scrolled ? ['scrolled'] : []));
  return (sign, present) => {
    const before = signs.current;
    if (before.has(sign) === present) return;
    const now = new Set(before);
    if (present) now.add(sign);
    else now.delete(sign);
    signs.current = now;
    if (before.size > 0 !== now.size > 0) onReading?.(now.size > 0);
  };
}

function onPhoneChange(listener: () => void): () => void {
  const phone = window.matchMedia(PHONE);
  phone.addEventListener('change', listener);
  return () => phone.removeEventListener('change', listener);
}

function isOnPhone(): boolean {
  return window.matchMedia(PHONE).matches;
}

function isForNewTab(event: MouseEvent): boolean {
  return event.ctrlKey || event.metaKey;
}

function rowId(label: string, key: string | number): string {
  return `${label.replaceAll(/\W+/g, '-')}-${key}`;
}
