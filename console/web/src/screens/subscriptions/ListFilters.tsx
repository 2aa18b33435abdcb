/** Narrows the list; what is chosen stands in the address. */
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { ComboBox } from '@/design/ComboBox';
import { Select, type Option } from '@/design/Select';
import { ACTIONS, useChoices } from './choices';
import { withPart, type Part } from './listView';
import styles from './subscriptions.module.css';

const ANY = 'any';

const ACTIVITY: readonly Option[] = [
  { id: 'true', label: 'Active' },
  { id: 'false', label: 'Inactive' },
];

export function ListFilters(): ReactNode {
  const [address, setAddress] = useSearchParams();
  const { data: choices } = useChoices();
  const change = (part: Part, value: string | null): void =>
    setAddress(withPart(address, part, value), { replace: true });

  const select = (part: Part, label: string, any: string, options: readonly Option[]): ReactNode => (
    <Select
      label={label}
      options={[{ id: ANY, label: any }, ...options]}
      value={address.get(part) ?? ANY}
      onChange={(value) => change(part, value === ANY ? null : value)}
    />
  );

  return (
    <div className={styles['filters']} role="search" aria-label="Filters">
      {choices === undefined ? (
        <div />
      ) : (
        <ComboBox
          label="Receiver"
          options={choices.receiverOptions}
          value={address.get('receiver')}
          onChange={(id) => change('receiver', id)}
          placeholder="All receivers"
        />
      )}
      {select('resource', 'Resource', 'All resources', choices?.resourceOptions ?? [])}
      {select(
        'action',
        'Action',
        'All actions',
        ACTIONS.map(({ id }) => ({ id, label: id })),
      )}
      {select('active', 'Active or not', 'Active and inactive', ACTIVITY)}
    </div>
  );
}
