/** Everything that the API filters events by. On a phone behind a button. */
import { useId, useState, type ReactNode } from 'react';
import { useAsk } from '@/api';
import { Button } from '@/design/Button';
import { ComboBox } from '@/design/ComboBox';
import { names } from '@/design/names';
import { Select, type Option } from '@/design/Select';
import { TextField, type TextFieldProps } from '@/design/TextField';
import { EventFilterChoicesDocument } from './documents';
import { fieldOfTime, timeOfField, viewWith, type FilterName, type ReadView, type View } from './filters';
import styles from './EventFilters.module.css';

export interface EventFiltersProps {
  readonly view: View;
  readonly problems: ReadView['problems'];
  readonly onChange: (view: View) => void;
}

const ANY = 'any';
const STATUSES = ['pending', 'delivered', 'failed', 'cancelled'];
const ACTIONS = ['CREATE', 'UPDATE', 'DELETE'];

export function EventFilters({ view, problems, onChange }: EventFiltersProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const choices = useAsk(['resources', 'filterChoices'], EventFilterChoicesDocument, {}).data;
  const used = Object.keys(view).length;

  const set = (name: FilterName, value: string | null): void => {
    const isSet = value !== null && value !== '' && value !== ANY;
    const next: Partial<Record<FilterName, string | undefined>> = {
      ...view,
      [name]: isSet ? value : undefined,
    };
    // A subscription belongs to one receiver.
    if (name === 'receiver' && view.subscription !== undefined && view.subscription !== '0') {
      next.subscription = undefined;
    }
    onChange(viewWith(next));
  };

  const receivers = (choices?.webhookReceivers.edges ?? []).map(({ node }) => ({
    id: String(node.id),
    label: `${node.name} (${node.id})`,
  }));
  const subscriptions = (choices?.webhookSubscriptions.edges ?? [])
    .filter(({ node }) => view.receiver === undefined || String(node.receiverId) === view.receiver)
    .map(({ node }) => ({
      id: String(node.id),
      label: `${node.resource} ${node.action} (${node.id})`,
    }));
  const resources = (choices?.webhookResources ?? []).map(({ name }) => name);

  return (
    <search className={styles['filters']}>
      <div className={styles['bar']}>
        <span className={styles['toggle']}>
          <Button onPress={() => setOpen(!isOpen)} label={isOpen ? 'Hide the filters' : 'Show the filters'}>
            {used === 0 ? 'Filters' : `Filters (${used})`}
          </Button>
        </span>
      </div>
      <div id={id} className={names(styles['fields'], !isOpen && styles['closed'])}>
        <Select
          label="Status"
          options={withAny(STATUSES, view.status)}
          value={view.status ?? ANY}
          onChange={(value) => set('status', value)}
        />
        <Select
          label="Resource"
          options={withAny(resources, view.resource)}
          value={view.resource ?? ANY}
          onChange={(value) => set('resource', value)}
        />
        <Select
          label="Action"
          options={withAny(ACTIONS, view.action)}
          value={view.action ?? ANY}
          onChange={(value) => set('action', value)}
        />
        <ComboBox
          // Its text follows what is offered only when it begins.
          key={`receiver ${view.receiver ?? ''} ${receivers.length}`}
          label="Receiver"
          placeholder="any"
          options={withKnown(receivers, view.receiver)}
          value={view.receiver ?? null}
          onChange={(value) => set('receiver', value)}
          error={problems.receiver}
        />
        <ComboBox
          key={`subscription ${view.subscription ?? ''} ${subscriptions.length}`}
          label="Subscription"
          placeholder="any"
          options={withKnown(
            [...subscriptions, { id: '0', label: 'test deliveries only' }],
            view.subscription,
          )}
          value={view.subscription ?? null}
          onChange={(value) => set('subscription', value)}
          error={problems.subscription}
        />
        <Written label="Row" value={view.row ?? ''} mono onDone={(value) => set('row', value.trim())} />
        <Written
          label="Transaction"
          value={view.transaction ?? ''}
          mono
          error={problems.transaction}
          onDone={(value) => set('transaction', value.trim())}
        />
        <Written
          label="Occurred from (UTC)"
          type="datetime-local"
          value={fieldOfTime(view.after)}
          error={problems.after}
          onDone={(value) => set('after', timeOfField(value))}
        />
        <Written
          label="Occurred before (UTC)"
          type="datetime-local"
          value={fieldOfTime(view.before)}
          error={problems.before}
          onDone={(value) => set('before', timeOfField(value))}
        />
        <div className={styles['clear']}>
          <Button onPress={() => onChange({})} isDisabled={used === 0}>
            Clear filters
          </Button>
        </div>
      </div>
    </search>
  );
}

interface WrittenProps extends Pick<TextFieldProps, 'label' | 'mono' | 'error' | 'type'> {
  readonly value: string;
  readonly onDone: (value: string) => void;
}

/** Takes effect when it is left or Enter is pressed, not with each letter. */
function Written(props: WrittenProps): ReactNode {
  // What the address says anew takes the place of what was typed.
  return <Typed key={props.value} {...props} />;
}

function Typed({ value, onDone, ...field }: WrittenProps): ReactNode {
  const [typed, setTyped] = useState(value);
  const done = (): void => {
    if (typed !== value) onDone(typed);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        done();
      }}
    >
      <TextField {...field} value={typed} onChange={setTyped} onBlur={done} />
    </form>
  );
}

function withAny(known: readonly string[], chosen: string | undefined): Option[] {
  const all = chosen === undefined || known.includes(chosen) ? known : [...known, chosen];
  return [{ id: ANY, label: 'any' }, ...all.map((id) => ({ id, label: id }))];
}

/** What the address names is offered even where it is not in the list. */
function withKnown(known: readonly Option[], chosen: string | undefined): readonly Option[] {
  return chosen === undefined || known.some(({ id }) => id === chosen)
    ? known
    : [...known, { id: chosen, label: chosen }];
}
