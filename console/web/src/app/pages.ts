/**
 * The first parts of the paths that the console has pages at, `''` for `/`. The server answers these, and what lies
 * below them, with index.html; any other path is unknown to it. A test compares the list with the routes.
 */
export const PAGES = [
  '',
  'receivers',
  'subscriptions',
  'events',
  'capture',
  'playground',
  'keys',
  'egress',
  'sign-in',
] as const;
