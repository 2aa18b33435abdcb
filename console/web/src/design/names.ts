/** Joins the class names that apply. */
export function names(...given: readonly (string | false | null | undefined)[]): string {
  return given.filter((name) => typeof name === 'string' && name !== '').join(' ');
}
