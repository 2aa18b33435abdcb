/** Where toasts appear. The shell has it once. */
import { useSyncExternalStore, type ReactNode } from 'react';
import { IconButton } from './IconButton';
import { names } from './names';
import { closeToast, currentToasts, onToasts } from './toasts';
import styles from './Toasts.module.css';

export function Toasts(): ReactNode {
  const toasts = useSyncExternalStore(onToasts, currentToasts);
  return (
    <div className={styles['toasts']} role="status" aria-live="polite">
      {toasts.map(({ id, text, kind }) => (
        <div key={id} className={names(styles['toast'], styles[kind])}>
          <span>{text}</span>
          <IconButton icon="close" label="Close message" onPress={() => closeToast(id)} />
        </div>
      ))}
    </div>
  );
}
