/**
 * Asks before something that can not be taken back. With `confirmName` the name of the thing must be typed; it
 * tells a failure and stays open, so that the action can be tried again.
 */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import type { ApiError } from '@/api/errors';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { ErrorNote } from './ErrorNote';
import { TextField } from './TextField';
import styles from './ConfirmDialog.module.css';

export interface ConfirmDialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  /** What the button says: the action, as in "Delete receiver". */
  readonly action: string;
  /** What will happen. */
  readonly children: ReactNode;
  readonly confirmName?: string | undefined;
  readonly danger?: boolean | undefined;
  readonly busy?: boolean | undefined;
  readonly error?: ApiError | null | undefined;
}

export function ConfirmDialog(props: ConfirmDialogProps): ReactNode {
  // What was typed ends with the dialog.
  return props.isOpen ? <OpenConfirmDialog {...props} /> : null;
}

function OpenConfirmDialog(props: ConfirmDialogProps): ReactNode {
  const {
    title,
    onClose,
    onConfirm,
    action,
    children,
    confirmName,
    danger = true,
    busy = false,
    error,
  } = props;
  const [typed, setTyped] = useState('');
  const named = confirmName === undefined || typed.trim() === confirmName.trim();

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (named && !busy) onConfirm();
  };

  return (
    <Dialog title={title} isOpen onClose={onClose} role="alertdialog">
      <form className={styles['form']} onSubmit={submit}>
        <div>{children}</div>
        {confirmName !== undefined && (
          <TextField
            label={`Type the name to confirm: ${confirmName}`}
            value={typed}
            onChange={setTyped}
            focusFirst
          />
        )}
        <ErrorNote error={error} />
        <div className={styles['actions']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} isDisabled={!named} busy={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
