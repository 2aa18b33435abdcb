/** The places of the console, in the order of the navigation. */
export interface Place {
  readonly to: string;
  readonly label: string;
}

export const PLACES: readonly Place[] = [
  { to: '/', label: 'Overview' },
  { to: '/receivers', label: 'Receivers' },
  { to: '/subscriptions', label: 'Subscriptions' },
  { to: '/events', label: 'Events' },
  { to: '/capture', label: 'Changes and capture' },
  { to: '/playground', label: 'Playground' },
  { to: '/keys', label: 'Keys' },
  { to: '/egress', label: 'Egress addresses' },
];

/** The playground has a policy of its own, which comes with its document: it is left and entered by a full load. */
export function needsFullLoad(from: string, to: string): boolean {
  const inPlayground = (path: string): boolean => path === '/playground' || path.startsWith('/playground/');
  return inPlayground(from) !== inPlayground(to);
}
