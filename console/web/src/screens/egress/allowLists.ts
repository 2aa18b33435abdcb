/** The forms in which firewalls take a list of addresses. */
export interface AllowList {
  readonly title: string;
  readonly text: string;
}

export function allowLists(addresses: readonly string[]): AllowList[] {
  return [
    { title: 'One a line', text: addresses.join('\n') },
    { title: 'Comma separated', text: addresses.join(',') },
    { title: 'As JSON', text: JSON.stringify(addresses, null, 2) },
    {
      title: 'Without prefix length',
      // A single address has its whole length as prefix; a network can not be told without.
      text: addresses
        .map((address) => {
          const whole = address.includes(':') ? '/128' : '/32';
          return address.endsWith(whole) ? address.slice(0, -whole.length) : address;
        })
        .join('\n'),
    },
  ];
}
