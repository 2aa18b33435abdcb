/** A window over the page that has to be answered or closed. Focus goes into it and comes back. */
import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IconButton } from './IconButton';
import { names } from './names';
import styles from './Dialog.module.css';

export interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons at the foot. */
  readonly actions?: ReactNode;
  readonly wide?: boolean | undefined;
  /** False: a press beside it and Escape do not close it, for what is shown only once. */
  readonly isDismissable?: boolean | undefined;
  readonly role?: 'dialog' | 'alertdialog' | undefined;
}

export function Dialog(props: DialogProps): ReactNode {
  const {
    title,
    isOpen,
    onClose,
    children,
    actions,
    wide = false,
    isDismissable = true,
    role = 'dialog',
  } = props;
  return (
    <ModalOverlay
      className={styles['veil'] ?? ''}
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      isDismissable={isDismissable}
      isKeyboardDismissDisabled={!isDismissable}
    >
      <Modal className={names(styles['modal'], wide && styles['wide'])}>
        <AriaDialog className={styles['dialog'] ?? ''} role={role}>
          <header className={styles['head']}>
            <Heading slot="title" className={styles['title'] ?? ''}>
              {title}
            </Heading>
            {isDismissable && <IconButton icon="close" label="Close" onPress={onClose} />}
          </header>
          <div className={styles['body']}>{children}</div>
          {actions !== undefined && <footer className={styles['foot']}>{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
