/** The screen "Events": what became of each event, filtered by the address, live. */
import { useState, type ReactNode } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { useRole } from '@/api';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { BulkDialog, whyNotCancel, whyNotRedeliver, type BulkKind } from './BulkDialog';
import { feedOf } from './EventFeed';
import { EventFilters } from './EventFilters';
import { EventList } from './EventList';
import { FILTER_NAMES, filtersOf, searchOf, viewOf, type View } from './filters';

export default function EventsScreen(): ReactNode {
  const [parameters] = useSearchParams();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const { may } = useRole();
  const [asking, setAsking] = useState<BulkKind | null>(null);

  const view = viewOf(parameters);
  const { filters, problems } = filtersOf(view);
  const refused = Object.keys(problems).length > 0;
  const search = searchOf(view);
  const feed = feedOf(filters);

  const become = (next: View): void => {
    const to = searchOf(next);
    if (to !== search) void navigate(`${pathname}${to}`);
  };

  return (
    <>
      <PageHeader
        title="Events"
        description="What became of each delivery, the newest first."
        actions={
          may('operator') && (
            <>
              <Button
                onPress={() => setAsking('redeliver')}
                disabledReason={whyNotRedeliver(filters, refused)}
              >
                Redeliver matching
              </Button>
              <Button onPress={() => setAsking('cancel')} disabledReason={whyNotCancel(filters, refused)}>
                Cancel matching
              </Button>
            </>
          )
        }
        note={<RoleNote needs="operator" to="send events again or cancel them" />}
      />
      <EventFilters view={view} problems={problems} onChange={become} />
      {refused ? (
        <EmptyState
          title="This address asks for something that can not be"
          action={<Button onPress={() => become({})}>Clear the filters</Button>}
        >
          {FILTER_NAMES.map(
            (name) => problems[name] !== undefined && <p key={name}>{`${name} ${problems[name]}`}</p>,
          )}
        </EmptyState>
      ) : (
        <EventList key={search} feed={feed} search={search} onClear={() => become({})} />
      )}
      {asking !== null && <BulkDialog kind={asking} filters={filters} onClose={() => setAsking(null)} />}
    </>
  );
}
