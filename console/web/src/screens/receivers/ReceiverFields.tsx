/** What a receiver is and where it is: the fields that making and editing one have in common. */
import type { ReactNode } from 'react';
import type { FieldErrors } from '@/design/fieldErrors';
import { NumberField } from '@/design/NumberField';
import { Select } from '@/design/Select';
import { TextField } from '@/design/TextField';
import { faultOf } from './uri';
import { UriCheck } from './UriCheck';
import styles from './receivers.module.css';

export interface ReceiverDraft {
  readonly name: string;
  readonly webhookUri: string;
  readonly description: string;
  readonly contentType: string;
  readonly expectedResponseCode: number | null;
}

/** The fields that say themselves what was refused of them. */
export const DRAFT_FIELDS: readonly string[] = [
  'name',
  'webhookUri',
  'description',
  'contentType',
  'expectedResponseCode',
];

const CONTENT_TYPES = [
  { id: 'json', label: 'json: the event as the body' },
  { id: 'form', label: 'form: the event in the field payload' },
  { id: 'cloudevents', label: 'cloudevents: the event as data of a CloudEvent' },
] as const;

export interface ReceiverFieldsProps {
  readonly draft: ReceiverDraft;
  readonly onChange: (part: Partial<ReceiverDraft>) => void;
  readonly errors: FieldErrors;
  /** Whether what is missing is told: after the first try to save. */
  readonly tried: boolean;
}

export function ReceiverFields({ draft, onChange, errors, tried }: ReceiverFieldsProps): ReactNode {
  const uriError = draft.webhookUri === '' && !tried ? undefined : faultOf(draft.webhookUri);
  return (
    <>
      <TextField
        label="Name"
        description="What people call it."
        value={draft.name}
        onChange={(name) => onChange({ name })}
        error={tried && draft.name.trim() === '' ? 'A receiver needs a name.' : errors.of('name')}
        isRequired
        focusFirst
      />
      <TextField
        label="URI"
        type="url"
        mono
        placeholder="https://receiver.example/hooks"
        description={
          <>
            Where each event is posted: https, without user and password. Signatures cover it letter by
            letter.
            <UriCheck uri={draft.webhookUri} />
          </>
        }
        value={draft.webhookUri}
        onChange={(uri) => onChange({ webhookUri: uri.trim() })}
        error={uriError ?? errors.of('webhookUri')}
        isRequired
      />
      <TextField
        label="Description"
        description="What it is for, and whom to ask. Optional."
        rows={2}
        value={draft.description}
        onChange={(description) => onChange({ description })}
        error={errors.of('description')}
      />
      <div className={styles['pair']}>
        <Select
          label="Content type"
          options={CONTENT_TYPES}
          value={CONTENT_TYPES.find(({ id }) => id === draft.contentType)?.id ?? 'json'}
          onChange={(contentType) => onChange({ contentType })}
          error={errors.of('contentType')}
        />
        <NumberField
          label="Expected response code"
          description="The only HTTP status that counts as delivered."
          placeholder="200"
          min={100}
          max={599}
          value={draft.expectedResponseCode}
          onChange={(expectedResponseCode) => onChange({ expectedResponseCode })}
          error={errors.of('expectedResponseCode')}
        />
      </div>
    </>
  );
}

/** Whether the API could take it; what it lacks is told by the fields. */
export function isComplete({ name, webhookUri }: ReceiverDraft): boolean {
  return name.trim() !== '' && faultOf(webhookUri) === undefined;
}
