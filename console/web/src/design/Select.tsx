/** One of a few. For many, or several, there is ComboBox and CheckboxGroup. */
import type { ReactNode } from 'react';
import { Button, Label, ListBox, Popover, Select as AriaSelect, SelectValue } from 'react-aria-components';
import { FieldNotes, type FieldProps } from './FieldNotes';
import { Icon } from './Icon';
import { names } from './names';
import { optionItem } from './optionItem';
import styles from './Field.module.css';

export interface Option<Id extends string = string> {
  readonly id: Id;
  readonly label: string;
  readonly isDisabled?: boolean | undefined;
}

export interface SelectProps<Id extends string> extends FieldProps {
  readonly options: readonly Option<Id>[];
  readonly value: Id | null;
  readonly onChange: (value: Id) => void;
  readonly placeholder?: string | undefined;
}

export function Select<Id extends string>(props: SelectProps<Id>): ReactNode {
  const {
    label,
    description,
    error,
    isDisabled = false,
    isRequired = false,
    options,
    value,
    onChange,
  } = props;
  return (
    <AriaSelect
      className={styles['field'] ?? ''}
      value={value}
      onChange={(key) => {
        const chosen = options.find((option) => option.id === key);
        if (chosen !== undefined) onChange(chosen.id);
      }}
      isDisabled={isDisabled}
      isRequired={isRequired}
      validationBehavior="aria"
      isInvalid={error !== undefined}
      placeholder={props.placeholder ?? 'Choose'}
    >
      <Label className={styles['label'] ?? ''}>{label}</Label>
      <Button className={names(styles['input'], styles['picker'])}>
        <SelectValue />
        <Icon name="down" size={16} />
      </Button>
      <FieldNotes description={description} error={error} />
      <Popover className={styles['popover'] ?? ''}>
        <ListBox className={styles['list'] ?? ''} items={options}>
          {optionItem}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
