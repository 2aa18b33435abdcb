/** A button that shows a sign only; its label is its tooltip too. */
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { Icon, type IconName } from './Icon';
import { names } from './names';
import { Tooltip } from './Tooltip';
import styles from './IconButton.module.css';

export interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onPress?: (() => void) | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly slot?: string | undefined;
  readonly className?: string | undefined;
}

export function IconButton({
  icon,
  label,
  onPress,
  isDisabled = false,
  slot,
  className,
}: IconButtonProps): ReactNode {
  return (
    <Tooltip text={label}>
      <AriaButton
        aria-label={label}
        className={names(styles['button'], className)}
        isDisabled={isDisabled}
        {...(slot === undefined ? {} : { slot })}
        {...(onPress === undefined ? {} : { onPress: () => onPress() })}
      >
        <Icon name={icon} />
      </AriaButton>
    </Tooltip>
  );
}
