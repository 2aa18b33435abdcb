/** Where a value stands between two gaps: no line leads to it, so it is drawn as a point. */
export function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (at: number): boolean => values[at] === null || values[at] === undefined;
  return Array.from(values, (_, at) => at).filter((at) => !isGap(at) && isGap(at - 1) && isGap(at + 1));
}
