/** The short messages at the foot of the page: `toast('Receiver paused')`. Errors stay until they are closed. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'good' | 'bad';
}

const SHOWN_MS = 6_000;

let shown: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function show(next: readonly Toast[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, kind: Toast['kind'] = 'good'): void {
  const id = nextId++;
  show([...shown, { id, text, kind }]);
  if (kind === 'good') setTimeout(() => closeToast(id), SHOWN_MS);
}

export function closeToast(id: number): void {
  show(shown.filter((one) => one.id !== id));
}

export function currentToasts(): readonly Toast[] {
  return shown;
}

export function onToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
