/**
 * The API key of this browser tab. It lies in sessionStorage: it ends with the tab and no other tab sees it.
 * A link that ends in `#key=KEY` signs in by itself; the fragment never reaches a server and is removed at once.
 */

const STORED = 'rowhook.key';

type Listener = () => void;
const listeners = new Set<Listener>();

/** The key that a fragment such as `#key=abc` carries. */
export function keyOfFragment(fragment: string): string | null {
  const key = new URLSearchParams(fragment.replace(/^#/, '')).get('key')?.trim();
  return key === undefined || key === '' ? null : key;
}

export function storedKey(): string | null {
  return sessionStorage.getItem(STORED);
}

let refused = false;

/** Whether the last key of this tab ended by rowhook's refusal: it was revoked, or never was a key of this rowhook. */
export function wasRefused(): boolean {
  return refused;
}

export function storeKey(key: string | null): void {
  keep(key, false);
}

/** Forgets the key: rowhook does not accept it. */
export function refuseKey(): void {
  keep(null, true);
}

function keep(key: string | null, byRefusal: boolean): void {
  refused = byRefusal;
  if (key === null) sessionStorage.removeItem(STORED);
  else sessionStorage.setItem(STORED, key);
  for (const listener of listeners) listener();
}

/** Calls back at each sign-in and sign-out of this tab. */
export function onKeyChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Signs in with the key of the address, if it has one, and takes it out of the address and the history. */
export function signInFromAddress(): void {
  const key = keyOfFragment(window.location.hash);
  if (key === null) return;
  window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  storeKey(key);
}
