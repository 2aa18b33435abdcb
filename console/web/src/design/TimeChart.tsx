/**
 * Figures over time. It is drawn on a canvas; the same figures stand in a table that opens below it, for those who
 * do not see it and those who want the numbers. It is loaded with the screens that show one.
 */
import { useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { lonePoints } from './lonePoints';
import { currentLook, onLookChange } from './theme';
import { exactTime, localTime, tickTime } from './time';
import styles from './TimeChart.module.css';

export interface TimeSeries {
  readonly label: string;
  /** One for each of `times`; null where there is none. */
  readonly values: readonly (number | null)[];
  readonly tone?: 1 | 2 | 3 | undefined;
  readonly filled?: boolean | undefined;
}

export interface TimeChartProps {
  readonly label: string;
  /** What it shows in a sentence, as in "between 12 and 40 a second in the last hour". */
  readonly summary: string;
  readonly times: readonly Date[];
  readonly series: readonly TimeSeries[];
  readonly format?: ((value: number) => string) | undefined;
  readonly height?: number | undefined;
}

const plain = (value: number): string => String(Math.round(value * 100) / 100);

export function TimeChart(props: TimeChartProps): ReactNode {
  const { label, summary, times, series, format = plain, height = 180 } = props;
  const box = useRef<HTMLDivElement>(null);
  const look = useSyncExternalStore(onLookChange, currentLook);
  const data = useMemo<UPlot.AlignedData>(
    () => [times.map((time) => time.getTime() / 1000), ...series.map(({ values }) => [...values])],
    [times, series],
  );
  const drawn = useRef<UPlot | null>(null);
  const latest = useRef(data);
  useEffect(() => {
    latest.current = data;
    drawn.current?.setData(data);
  }, [data]);
  const lines = JSON.stringify(
    series.map(({ label: name, tone = 1, filled = false }) => ({ name, tone, filled })),
  );

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const colours = getComputedStyle(element);
    const colour = (token: string): string => colours.getPropertyValue(token).trim();
    const axis = {
      stroke: colour('--text-soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const chart = new UPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { y: false },
        scales: { y: { range: (_chart, _low, high) => [0, Math.max(high * 1.1, 1)] } },
        axes: [
          { ...axis, values: (_chart, ticks) => ticks.map((tick) => tickTime(new Date(tick * 1000))) },
          { ...axis, size: 56, values: (_chart, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...(JSON.parse(lines) as { name: string; tone: number; filled: boolean }[]).map(
            ({ name, tone, filled }) => ({
              label: name,
              stroke: colour(`--chart-${tone}`),
              width: 1.5,
              points: {
                show: true,
                size: 6,
                filter: (chart: UPlot, at: number) => lonePoints(chart.data[at] ?? []),
              },
              ...(filled ? { fill: `${colour(`--chart-${tone}`)}22` } : {}),
            }),
          ),
        ],
      },
      latest.current,
      element,
    );
    drawn.current = chart;
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
      drawn.current = null;
    };
  }, [height, lines, format, look]);

  return (
    <figure className={styles['chart']}>
      <ul className={styles['legend']} aria-hidden="true">
        {series.map(({ label: name, tone = 1 }) => (
          <li key={name}>
            <span className={styles['swatch']} style={{ background: `var(--chart-${tone})` }} />
            {name}
          </li>
        ))}
      </ul>
      <div ref={box} role="img" aria-label={`${label}: ${summary}`} className={styles['canvas']} />
      <details className={styles['details']}>
        <summary>Figures of {label}</summary>
        {/* A part of the page that scrolls must be reached by the keyboard. */}
        <div
          className={styles['figures']}
          role="region"
          aria-label={`Figures of ${label}`}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
        >
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ label: name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, at) => (
                <tr key={time.getTime()}>
                  <th scope="row">
                    <time dateTime={time.toISOString()} title={exactTime(time)}>
                      {localTime(time)}
                    </time>
                  </th>
                  {series.map(({ label: name, values }) => {
                    const value = values[at];
                    return (
                      <td key={name}>{value === null || value === undefined ? 'none' : format(value)}</td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
