/** A line of text, or with `rows` several. */
import type { ReactNode } from 'react';
import { Input, Label, TextArea, TextField as AriaTextField } from 'react-aria-components';
import { FieldNotes, type FieldProps } from './FieldNotes';
import { names } from './names';
import styles from './Field.module.css';

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onBlur?: (() => void) | undefined;
  readonly type?: 'text' | 'url' | 'password' | 'search' | 'datetime-local' | undefined;
  readonly placeholder?: string | undefined;
  readonly mono?: boolean | undefined;
  readonly rows?: number | undefined;
  readonly autoComplete?: string | undefined;
  /** A form that opens begins in this field. */
  readonly focusFirst?: boolean | undefined;
  readonly name?: string | undefined;
  readonly className?: string | undefined;
}

export function TextField(props: TextFieldProps): ReactNode {
  const {
    label,
    description,
    error,
    isDisabled = false,
    isRequired = false,
    value,
    onChange,
    onBlur,
  } = props;
  const {
    type = 'text',
    placeholder = '',
    mono = false,
    rows,
    autoComplete = 'off',
    focusFirst = false,
  } = props;
  const look = names(styles['input'], mono && styles['mono']);
  return (
    <AriaTextField
      className={names(styles['field'], props.className)}
      value={value}
      onChange={onChange}
      type={type}
      isDisabled={isDisabled}
      isRequired={isRequired}
      validationBehavior="aria"
      isInvalid={error !== undefined}
      autoComplete={autoComplete}
      // A form that opens begins in its first field; nothing else sets this.
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus={focusFirst}
      spellCheck="false"
      {...(onBlur === undefined ? {} : { onBlur: () => onBlur() })}
      {...(props.name === undefined ? {} : { name: props.name })}
    >
      <Label className={styles['label'] ?? ''}>{label}</Label>
      {rows === undefined ? (
        <Input className={look} placeholder={placeholder} />
      ) : (
        <TextArea className={names(look, styles['area'])} rows={rows} placeholder={placeholder} />
      )}
      <FieldNotes description={description} error={error} />
    </AriaTextField>
  );
}
