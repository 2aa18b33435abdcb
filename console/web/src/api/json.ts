/**
 * Reads JSON without losing digits: a whole number that JavaScript can not hold becomes a string of its digits,
 * which the API accepts wherever it accepts the number.
 */

interface Source {
  readonly source?: string;
}

/** A reviver for JSON.parse. */
export function exactDigits(_key: string, value: unknown, context?: Source): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? digits : value;
}

export function parseJson(text: string): unknown {
  return JSON.parse(text, exactDigits);
}
