/** A yes or no that is sent with its form. */
import type { ReactNode } from 'react';
import { CheckboxButton, CheckboxField } from 'react-aria-components';
import { Icon } from './Icon';
import styles from './Toggle.module.css';

export interface ToggleProps {
  readonly children: ReactNode;
  readonly isSelected: boolean;
  readonly onChange: (selected: boolean) => void;
  readonly isDisabled?: boolean | undefined;
}

export function Checkbox({ children, isSelected, onChange, isDisabled = false }: ToggleProps): ReactNode {
  return (
    <CheckboxField isSelected={isSelected} onChange={onChange} isDisabled={isDisabled}>
      <CheckboxButton className={styles['toggle'] ?? ''}>
        <span className={styles['box']} aria-hidden="true">
          {isSelected && <Icon name="check" size={14} />}
        </span>
        {children}
      </CheckboxButton>
    </CheckboxField>
  );
}
