/** How one of the options of Select and ComboBox stands in their lists. */
import type { ReactElement } from 'react';
import { ListBoxItem } from 'react-aria-components';
import type { Option } from './Select';
import styles from './Field.module.css';

export function optionItem(option: Option): ReactElement {
  return (
    <ListBoxItem
      id={option.id}
      textValue={option.label}
      className={styles['option'] ?? ''}
      isDisabled={option.isDisabled ?? false}
    >
      {option.label}
    </ListBoxItem>
  );
}
