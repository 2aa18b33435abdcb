/** The old and new columns that the body of a delivery tells of. */
export interface Rows {
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly new: Readonly<Record<string, unknown>> | null;
}

/** Null where the body is none that holds them as JSON, as that of a receiver with content type `form`. */
export function rowsOfBody(body: unknown): Rows | null {
  if (!isObject(body) || !isObject(body['data'])) return null;
  const { data } = body;
  // A CloudEvent holds the delivery as its data.
  if (!('old' in data) && !('new' in data)) return rowsOfBody(data);
  return { old: rowOf(data['old']), new: rowOf(data['new']) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rowOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return isObject(value) ? value : null;
}
