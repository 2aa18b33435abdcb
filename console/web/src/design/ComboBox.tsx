/** One of many, found by typing. */
import { use, useMemo, type ReactNode } from 'react';
import {
  Button,
  ComboBox as AriaComboBox,
  ComboBoxStateContext,
  Input,
  Label,
  ListBox,
  OverlayTriggerStateContext,
  Popover,
} from 'react-aria-components';
import { FieldNotes, type FieldProps } from './FieldNotes';
import { Icon } from './Icon';
import { optionItem } from './optionItem';
import type { Option } from './Select';
import styles from './Field.module.css';

export interface ComboBoxProps<Id extends string> extends FieldProps {
  readonly options: readonly Option<Id>[];
  readonly value: Id | null;
  /** Null: the text was removed. */
  readonly onChange: (value: Id | null) => void;
  readonly placeholder?: string | undefined;
}

export function ComboBox<Id extends string>(props: ComboBoxProps<Id>): ReactNode {
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
    <AriaComboBox
      className={styles['field'] ?? ''}
      defaultItems={options}
      value={value}
      onChange={(key) => onChange(options.find((option) => option.id === key)?.id ?? null)}
      isDisabled={isDisabled}
      isRequired={isRequired}
      validationBehavior="aria"
      isInvalid={error !== undefined}
      menuTrigger="focus"
    >
      <Label className={styles['label'] ?? ''}>{label}</Label>
      <div className={styles['group']}>
        <Typed placeholder={props.placeholder ?? ''} />
        <Button className={styles['open'] ?? ''}>
          <Icon name="down" size={16} />
        </Button>
      </div>
      <FieldNotes description={description} error={error} />
      <OpenWhilePageScrolls>
        <Popover className={styles['popover'] ?? ''}>
          <ListBox<Option<Id>> className={styles['list'] ?? ''} renderEmptyState={() => 'Nothing matches'}>
            {optionItem}
          </ListBox>
        </Popover>
      </OpenWhilePageScrolls>
    </AriaComboBox>
  );
}

/** The list opens with the focus; a click opens it also where the field has had the focus for a while. */
function Typed({ placeholder }: { readonly placeholder: string }): ReactNode {
  const state = use(ComboBoxStateContext);
  return (
    <Input
      className={styles['input'] ?? ''}
      placeholder={placeholder}
      onClick={() => {
        if (state?.isOpen === false) state.open(null, 'manual');
      }}
    />
  );
}

/**
 * A browser scrolls a field that gets the focus into view, and a phone does for its keyboard: a list that goes away
 * when the page scrolls would go as it opens. It lies on the page and moves along with its field; Escape, a choice
 * and leaving the field close it.
 */
function OpenWhilePageScrolls({ children }: { readonly children: ReactNode }): ReactNode {
  const state = use(OverlayTriggerStateContext);
  const kept = useMemo(() => state && { ...state, close: () => undefined }, [state]);
  return <OverlayTriggerStateContext value={kept}>{children}</OverlayTriggerStateContext>;
}
