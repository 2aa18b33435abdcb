/** A button. With `disabledReason` it can be reached and says why, but does nothing. */
import { useId, type ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { names } from './names';
import { Tooltip } from './Tooltip';
import styles from './Button.module.css';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger' | undefined;
  readonly size?: 's' | 'm' | undefined;
  readonly type?: 'button' | 'submit' | undefined;
  readonly onPress?: (() => void) | undefined;
  /** An action of this button is under way. */
  readonly busy?: boolean | undefined;
  readonly isDisabled?: boolean | undefined;
  /** Why it can not be used now: shown on hover and focus, read to screen readers. */
  readonly disabledReason?: string | undefined;
  readonly label?: string | undefined;
  readonly className?: string | undefined;
  /** Set by what opens with this button, as a dialog or a menu does. */
  readonly slot?: string | undefined;
}

export function Button(props: ButtonProps): ReactNode {
  const { children, kind = 'plain', size = 'm', type = 'button', onPress, busy = false } = props;
  const { isDisabled = false, disabledReason, label, className, slot } = props;
  const reasonId = useId();
  const refused = disabledReason !== undefined;
  const button = (
    <AriaButton
      type={refused || busy ? 'button' : type}
      className={names(
        styles['button'],
        styles[kind],
        styles[size],
        refused && styles['refused'],
        busy && styles['busy'],
        className,
      )}
      isDisabled={isDisabled}
      {...(slot === undefined ? {} : { slot })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(onPress === undefined || refused || busy ? {} : { onPress: () => onPress() })}
      {...(busy ? { 'aria-disabled': true } : {})}
      {...(refused ? { 'aria-describedby': reasonId, 'aria-disabled': true } : {})}
    >
      {children}
    </AriaButton>
  );
  if (!refused) return button;
  return (
    <>
      <Tooltip text={disabledReason}>{button}</Tooltip>
      <span id={reasonId} hidden>
        {disabledReason}
      </span>
    </>
  );
}
