/** Several of a few. */
import type { ReactNode } from 'react';
import {
  CheckboxButton,
  CheckboxField,
  CheckboxGroup as AriaCheckboxGroup,
  Label,
} from 'react-aria-components';
import { FieldNotes, type FieldProps } from './FieldNotes';
import { Icon } from './Icon';
import type { Option } from './Select';
import field from './Field.module.css';
import styles from './Toggle.module.css';

export interface CheckboxGroupProps<Id extends string> extends FieldProps {
  readonly options: readonly Option<Id>[];
  readonly value: readonly Id[];
  readonly onChange: (value: Id[]) => void;
}

export function CheckboxGroup<Id extends string>(props: CheckboxGroupProps<Id>): ReactNode {
  const { label, description, error, isDisabled = false, options, value, onChange } = props;
  return (
    <AriaCheckboxGroup
      className={field['field'] ?? ''}
      value={[...value]}
      onChange={(chosen) => onChange(options.map(({ id }) => id).filter((id) => chosen.includes(id)))}
      isDisabled={isDisabled}
      validationBehavior="aria"
      isInvalid={error !== undefined}
    >
      <Label className={field['label'] ?? ''}>{label}</Label>
      <div className={styles['several']}>
        {options.map((option) => (
          <CheckboxField key={option.id} value={option.id} isDisabled={option.isDisabled ?? false}>
            <CheckboxButton className={styles['toggle'] ?? ''}>
              <span className={styles['box']} aria-hidden="true">
                {value.includes(option.id) && <Icon name="check" size={14} />}
              </span>
              {option.label}
            </CheckboxButton>
          </CheckboxField>
        ))}
      </div>
      <FieldNotes description={description} error={error} />
    </AriaCheckboxGroup>
  );
}
