/** Actions on one thing, behind a button with a sign, or with its words. One that can not be used says why. */
import type { ReactNode } from 'react';
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover, Text } from 'react-aria-components';
import { Button } from './Button';
import { Icon, type IconName } from './Icon';
import { IconButton } from './IconButton';
import { names } from './names';
import field from './Field.module.css';
import styles from './Menu.module.css';

export interface MenuAction {
  readonly id: string;
  readonly label: string;
  readonly onAction: () => void;
  readonly danger?: boolean | undefined;
  readonly disabledReason?: string | undefined;
}

export interface MenuProps {
  readonly label: string;
  readonly icon?: IconName | undefined;
  /** The button shows its label instead of a sign. */
  readonly inWords?: boolean | undefined;
  readonly actions: readonly MenuAction[];
}

export function Menu({ label, icon = 'more', inWords = false, actions }: MenuProps): ReactNode {
  return (
    <MenuTrigger>
      {inWords ? (
        <Button>
          {label}
          <Icon name="down" size={16} />
        </Button>
      ) : (
        <IconButton icon={icon} label={label} />
      )}
      <Popover className={names(field['popover'], styles['popover'])} placement="bottom end">
        <AriaMenu className={field['list'] ?? ''} aria-label={label}>
          {actions.map((action) => (
            <MenuItem
              key={action.id}
              id={action.id}
              textValue={action.label}
              className={names(field['option'], action.danger === true && styles['danger'])}
              isDisabled={action.disabledReason !== undefined}
              onAction={action.onAction}
            >
              <Text slot="label">{action.label}</Text>
              {action.disabledReason !== undefined && (
                <Text slot="description" className={styles['reason'] ?? ''}>
                  {action.disabledReason}
                </Text>
              )}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
