/** Goes through the themes: as the system, light, dark. */
import { useSyncExternalStore, type ReactNode } from 'react';
import { IconButton } from '@/design/IconButton';
import { chooseTheme, currentTheme, onLookChange, type Theme } from '@/design/theme';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const ICON = { system: 'system', light: 'sun', dark: 'moon' } as const;

export function ThemeSwitch(): ReactNode {
  const theme = useSyncExternalStore(onLookChange, currentTheme);
  return (
    <IconButton
      icon={ICON[theme]}
      label={`Theme: ${theme}. Change to ${NEXT[theme]}`}
      onPress={() => chooseTheme(NEXT[theme])}
    />
  );
}
