/** Changes what a receiver is and where it is. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { queryClient, useAct } from '@/api';
import { Button } from '@/design/Button';
import { Dialog } from '@/design/Dialog';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { toast } from '@/design/toasts';
import { DRAFT_FIELDS, isComplete, ReceiverFields, type ReceiverDraft } from '../receivers/ReceiverFields';
import { ChangedMeanwhile } from './ChangedMeanwhile';
import { UpdateReceiverDocument } from './documents';
import { receiverKey, type Receiver } from './parts';
import styles from './receiver.module.css';

export interface EditReceiverProps {
  readonly receiver: Receiver;
  readonly onClose: () => void;
}

function draftOf(receiver: Receiver): ReceiverDraft {
  return { ...receiver, description: receiver.description ?? '' };
}

export function EditReceiver({ receiver, onClose }: EditReceiverProps): ReactNode {
  const [base, setBase] = useState(receiver);
  const [draft, setDraft] = useState(() => draftOf(receiver));
  const update = useAct(UpdateReceiverDocument, {
    stale: ['receivers'],
    done: () => {
      toast('The receiver is saved');
      onClose();
    },
  });
  const conflict = update.error?.code === 'CONFLICT';

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (!isComplete(draft) || update.isPending) return;
    update.mutate(
      {
        input: {
          id: base.id,
          etag: base._etag,
          name: draft.name.trim(),
          webhookUri: draft.webhookUri,
          description: draft.description.trim() === '' ? null : draft.description,
          contentType: draft.contentType,
          expectedResponseCode: draft.expectedResponseCode,
        },
      },
      { onError: () => void queryClient.invalidateQueries({ queryKey: receiverKey(base.id) }) },
    );
  };

  return (
    <Dialog title={`Edit ${receiver.name}`} isOpen onClose={onClose} wide>
      <form className={styles['stack']} onSubmit={submit} noValidate>
        <ReceiverFields
          draft={draft}
          onChange={(part) => setDraft({ ...draft, ...part })}
          errors={fieldErrors(update.error)}
          tried
        />
        {conflict ? (
          <ChangedMeanwhile
            receiver={receiver}
            onReload={() => {
              setBase(receiver);
              setDraft(draftOf(receiver));
              update.reset();
            }}
          />
        ) : (
          <FormErrors error={update.error} fields={DRAFT_FIELDS} />
        )}
        <div className={styles['actions']}>
          <Button type="submit" kind="primary" busy={update.isPending}>
            Save
          </Button>
          <Button onPress={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
