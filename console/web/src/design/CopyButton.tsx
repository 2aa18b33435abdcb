/** Copies a text and says that it did. */
import { useState, type ReactNode } from 'react';
import { IconButton } from './IconButton';
import { toast } from './toasts';

const SAID_MS = 2_000;

export function CopyButton({
  text,
  label = 'Copy',
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), SAID_MS);
    } catch {
      toast('The browser did not allow copying; select the text and copy it by hand.', 'bad');
    }
  };
  return (
    <IconButton
      icon={copied ? 'check' : 'copy'}
      label={copied ? 'Copied' : label}
      onPress={() => void copy()}
    />
  );
}
