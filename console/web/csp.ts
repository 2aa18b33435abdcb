/**
 * The Content-Security-Policies of the console, as the server sends them: one for every page, and one for the
 * playground, whose editor sets styles and fonts of its own. `vite preview` sends them too, so that a test
 * sees what a user gets.
 */

const policy = (rules: Readonly<Record<string, string>>): string =>
  Object.entries(rules)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ');

const everywhere = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
} as const;

export const CONSOLE_CSP = policy(everywhere);

export const PLAYGROUND_CSP = policy({
  ...everywhere,
  'style-src': "'self' 'unsafe-inline'",
  'font-src': "'self' data:",
  'worker-src': "'self'",
});

/** The policy of the page at this path. */
export function cspFor(path: string): string {
  return /^\/playground(\/|$|\?)/.test(path) ? PLAYGROUND_CSP : CONSOLE_CSP;
}
