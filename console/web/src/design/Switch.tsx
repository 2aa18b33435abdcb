/** A yes or no that takes effect at once. */
import type { ReactNode } from 'react';
import { SwitchButton, SwitchField } from 'react-aria-components';
import type { ToggleProps } from './Checkbox';
import styles from './Toggle.module.css';

export function Switch({ children, isSelected, onChange, isDisabled = false }: ToggleProps): ReactNode {
  return (
    <SwitchField isSelected={isSelected} onChange={onChange} isDisabled={isDisabled}>
      <SwitchButton className={styles['toggle'] ?? ''}>
        <span className={styles['track']} aria-hidden="true" />
        {children}
      </SwitchButton>
    </SwitchField>
  );
}
