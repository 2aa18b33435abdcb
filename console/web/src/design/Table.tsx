/**
 * A short list as a table. On a phone it scrolls within itself, or with `stack` its rows become blocks of lines. A row with `href` is a link: its first cell holds
 * it, and the whole row can be pressed. For hundreds of rows there is VirtualTable.
 */
import type { ReactNode } from 'react';
import { Link } from './Link';
import { names } from './names';
import styles from './Table.module.css';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand on the right. */
  readonly end?: boolean | undefined;
  /** A track of a CSS grid, for VirtualTable: "6rem", "1fr". */
  readonly width?: string | undefined;
  /** Left out on a phone. */
  readonly wideOnly?: boolean | undefined;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  readonly href?: ((row: Row) => string | undefined) | undefined;
  readonly stack?: boolean | undefined;
}

export function Table<Row>({
  label,
  columns,
  rows,
  rowKey,
  href,
  stack = false,
}: TableProps<Row>): ReactNode {
  return (
    // A part of the page that scrolls must be reached by the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles['scroll']} role="region" aria-label={label} tabIndex={0}>
      <table className={names(styles['table'], stack && styles['stack'])} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={cellLook(column)}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const target = href?.(row);
            return (
              <tr key={rowKey(row)} className={target === undefined ? undefined : styles['pressable']}>
                {columns.map((column, at) => (
                  <td key={column.id} className={cellLook(column)} data-label={column.header}>
                    {at === 0 && target !== undefined ? (
                      <Link to={target} className={styles['whole'] ?? ''}>
                        {column.cell(row)}
                      </Link>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function cellLook<Row>({ end = false, wideOnly = false }: Column<Row>): string {
  return names(styles['cell'], end && styles['end'], wideOnly && styles['wideOnly']);
}
