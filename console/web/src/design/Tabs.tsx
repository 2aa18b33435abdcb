/** Parts of a page under one heading. The chosen one belongs into the address: `value` and `onChange` are for that. */
import { useEffect, useRef, type ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components';
import styles from './Tabs.module.css';

export interface TabItem<Id extends string> {
  readonly id: Id;
  readonly label: ReactNode;
  /** Rendered only while it is chosen. */
  readonly content: () => ReactNode;
}

export interface TabsProps<Id extends string> {
  readonly label: string;
  readonly items: readonly TabItem<Id>[];
  readonly value: Id;
  readonly onChange: (id: Id) => void;
}

export function Tabs<Id extends string>({ label, items, value, onChange }: TabsProps<Id>): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (list.current !== null) showChosen(list.current);
  }, [value]);
  return (
    <AriaTabs
      selectedKey={value}
      onSelectionChange={(key) => {
        const chosen = items.find(({ id }) => id === key);
        if (chosen !== undefined) onChange(chosen.id);
      }}
    >
      <TabList ref={list} aria-label={label} className={styles['list'] ?? ''}>
        {items.map((item) => (
          <Tab key={item.id} id={item.id} className={styles['tab'] ?? ''}>
            {item.label}
          </Tab>
        ))}
      </TabList>
      {items.map((item) => (
        <TabPanel key={item.id} id={item.id} className={styles['panel'] ?? ''}>
          {item.id === value && item.content()}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}

/** On a narrow page the tabs are scrolled sideways, and only they, until the chosen one is in the middle. */
function showChosen(list: HTMLElement): void {
  const tab = list.querySelector('[role="tab"][aria-selected="true"]');
  if (tab === null) return;
  const [outer, inner] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
  list.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
