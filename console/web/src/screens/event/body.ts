/** The body of a delivery: exactly as it was sent, and what it says, whatever the receiver's content type. */

export interface Body {
  /** The JSON within, indented; null where the body is none. */
  readonly pretty: string | null;
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly new: Readonly<Record<string, unknown>> | null;
}

interface Source {
  readonly source?: string;
}

type RawJson = typeof JSON & { readonly rawJSON?: (text: string) => unknown };

/** Keeps every digit of the numbers, where the browser can. */
function parseExactly(text: string): unknown {
  return JSON.parse(text, function (_key: string, value: unknown, context?: Source): unknown {
    const { rawJSON } = JSON as RawJson;
    if (typeof value !== 'number' || context?.source === undefined || rawJSON === undefined) return value;
    return rawJSON(context.source);
  } as (key: string, value: unknown) => unknown);
}

export function readBody(sent: string): Body {
  const json = sent.startsWith('payload=') ? new URLSearchParams(sent).get('payload') : sent;
  try {
    const whole = parseExactly(json ?? '');
    // A CloudEvent carries the body as its data.
    const body = isObject(whole) && 'specversion' in whole ? whole['data'] : whole;
    const data = isObject(body) ? body['data'] : null;
    return {
      pretty: JSON.stringify(whole, null, 2),
      old: isObject(data) ? objectOrNull(data['old']) : null,
      new: isObject(data) ? objectOrNull(data['new']) : null,
    };
  } catch {
    return { pretty: null, old: null, new: null };
  }
}

/** A text indented if it is JSON, else as it is. */
export function readable(text: string): string {
  try {
    return JSON.stringify(parseExactly(text), null, 2);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOrNull(value: unknown): Record<string, unknown> | null {
  return isObject(value) ? value : null;
}
