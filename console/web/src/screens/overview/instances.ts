/** The instances that share the database, in words. */
export interface ListedInstance {
  readonly name: string;
  readonly running: boolean;
  readonly readsChanges: boolean;
}

/** "web-1/4711" of "web-1/4711/00c0ffee00c0ffee": what people know it by. */
export function placeOf(name: string): string {
  return /^(.+\/\d+)\/[^/]*$/.exec(name)?.[1] ?? name;
}

/** What it means that so many run. */
export function meaning(instances: readonly ListedInstance[]): string {
  const running = instances.filter((one) => one.running);
  const sharing =
    running.length === 1
      ? 'One instance does everything. While it is away changes are kept, and delivered when it is back; on ' +
        'PostgreSQL a second one beside it would take over within 10 seconds.'
      : `${running.length} instances share the receivers among themselves, one of them reads the changes, and what ` +
        'one leaves behind the others take over.';
  return running.some((one) => one.readsChanges) ? sharing : `${sharing} None reads the changes now.`;
}

/** Those that ended without a word, in the words of a heading; null where there are none. */
export function goneInWords(instances: readonly ListedInstance[]): string | null {
  const gone = instances.filter((one) => !one.running).length;
  if (gone === 0) return null;
  return gone === 1 ? 'One instance has gone without a word' : `${gone} instances have gone without a word`;
}
