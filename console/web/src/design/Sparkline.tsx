/** The course of a figure, as small as a word. `label` says it in words. */
import type { ReactNode } from 'react';

export interface SparklineProps {
  readonly values: readonly number[];
  readonly label: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

export function Sparkline({ values, label, width = 96, height = 24 }: SparklineProps): ReactNode {
  const most = Math.max(...values, Number.MIN_VALUE);
  const step = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  const points = values.map((value, at) => `${1 + at * step},${height - 1 - (value / most) * (height - 2)}`);
  return (
    <svg role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke="var(--chart-1)"
        strokeWidth={1.5}
        strokeLinejoin="round"
      />
    </svg>
  );
}
