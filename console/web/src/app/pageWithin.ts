/** The page to go to after signing in: one of the console's own, whatever the address asks for. */
export function pageWithin(wanted: string | null): string {
  if (wanted?.startsWith('/') !== true) return '/';
  const { origin, pathname, search } = new URL(wanted, window.location.origin);
  const within = origin === window.location.origin && !pathname.startsWith('//') && pathname !== '/sign-in';
  return within ? pathname + search : '/';
}
