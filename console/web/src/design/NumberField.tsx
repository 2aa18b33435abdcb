/** A number, or null where the field is empty. */
import type { ReactNode } from 'react';
import { Input, Label, NumberField as AriaNumberField } from 'react-aria-components';
import { FieldNotes, type FieldProps } from './FieldNotes';
import styles from './Field.module.css';

export interface NumberFieldProps extends FieldProps {
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly step?: number | undefined;
  readonly placeholder?: string | undefined;
}

export function NumberField(props: NumberFieldProps): ReactNode {
  const {
    label,
    description,
    error,
    isDisabled = false,
    isRequired = false,
    value,
    onChange,
    min,
    max,
    step,
  } = props;
  return (
    <AriaNumberField
      className={styles['field'] ?? ''}
      value={value ?? Number.NaN}
      onChange={(next) => onChange(Number.isNaN(next) ? null : next)}
      isDisabled={isDisabled}
      isRequired={isRequired}
      validationBehavior="aria"
      isInvalid={error !== undefined}
      formatOptions={{ useGrouping: false, maximumFractionDigits: 6 }}
      {...(min === undefined ? {} : { minValue: min })}
      {...(max === undefined ? {} : { maxValue: max })}
      {...(step === undefined ? {} : { step })}
    >
      <Label className={styles['label'] ?? ''}>{label}</Label>
      <Input className={styles['input'] ?? ''} placeholder={props.placeholder ?? ''} />
      <FieldNotes description={description} error={error} />
    </AriaNumberField>
  );
}
