/** Light or dark: as the system has it, unless the switch says otherwise. Remembered in this browser. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const STORED = 'rowhook.theme';
const listeners = new Set<() => void>();

export function currentTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((theme) => theme === stored) ?? 'system';
}

/** Begins to follow the theme, before anything is drawn. */
export function followTheme(): void {
  applyLook();
  darkSystem().addEventListener('change', applyLook);
}

function applyLook(): void {
  document.documentElement.dataset['theme'] = currentLook();
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, theme);
  applyLook();
  for (const listener of listeners) listener();
}

const darkSystem = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: dark)');

/** What is seen now. */
export function currentLook(): 'light' | 'dark' {
  const theme = currentTheme();
  if (theme !== 'system') return theme;
  return darkSystem().matches ? 'dark' : 'light';
}

/** Calls back when the theme is chosen or the system's changes. */
export function onLookChange(listener: () => void): () => void {
  const system = darkSystem();
  listeners.add(listener);
  system.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener('change', listener);
  };
}
