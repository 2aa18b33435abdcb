/**
 * How screens read and change things: `useAsk` for queries, `useAskPages` for lists page by page, `useAct` for
 * mutations. Results lie in one cache; its keys begin with the name of the thing, so that a mutation can say what
 * it made stale: `useAct(document, { stale: ['receivers'] })`.
 */
import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import type { TypedDocumentString } from '@/api/generated/graphql';
import { ask } from './client';
import { type ApiError, asApiError } from './errors';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: ApiError;
  }
}

/** The things that results are about: the first part of each key of the cache. */
export type Thing =
  | 'currentUser'
  | 'receivers'
  | 'subscriptions'
  | 'events'
  | 'stats'
  | 'capture'
  | 'resources'
  | 'keys'
  | 'egress'
  | 'sample'
  | 'instances'
  | 'pipeline';

export type CacheKey = readonly [Thing, ...unknown[]];

const RETRIES = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // Only what may be different next time is asked again.
      retry: (failures, error) => asApiError(error).code === 'NETWORK' && failures < RETRIES,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

/** A list of more pages than this is not asked again by itself. */
const PAGES_KEPT_FRESH = 3;

export interface AskSettings {
  /** Ask again every so many milliseconds while the page is looked at. */
  readonly every?: number | undefined;
  /** False: do not ask yet. */
  readonly enabled?: boolean | undefined;
  /** Show the last answer while one for other variables is under way. */
  readonly keepPrevious?: boolean | undefined;
}

export function useAsk<Result, Variables>(
  key: CacheKey,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { every, enabled = true, keepPrevious = false }: AskSettings = {},
): UseQueryResult<Result> {
  return useQuery<Result>({
    queryKey: [...key, variables],
    queryFn: ({ signal }) => ask(document, variables, { signal }),
    enabled,
    refetchInterval: every ?? false,
    ...(keepPrevious ? { placeholderData: keepPreviousData } : {}),
  });
}

/** The `pageInfo` that a document read page by page must ask for. */
export interface PageEnd {
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}

/** A list by cursors: `variables(after)` are those of the page after a cursor, `end` finds its `pageInfo`. */
export function useAskPages<Result, Variables>(
  key: CacheKey,
  document: TypedDocumentString<Result, Variables>,
  variables: (after: string | null) => Variables,
  end: (page: Result) => PageEnd,
  { every, enabled = true, keepPrevious = false }: AskSettings = {},
): UseInfiniteQueryResult<InfiniteData<Result, string | null>> {
  return useInfiniteQuery<
    Result,
    ApiError,
    InfiniteData<Result, string | null>,
    readonly unknown[],
    string | null
  >({
    queryKey: [...key, 'pages', variables(null)],
    queryFn: ({ signal, pageParam }) => ask(document, variables(pageParam), { signal }),
    initialPageParam: null,
    getNextPageParam: (page) => {
      const { hasNextPage, endCursor } = end(page);
      return hasNextPage ? endCursor : null;
    },
    enabled,
    // All pages are asked again: of a long list that would be much each time.
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) > PAGES_KEPT_FRESH ? false : (every ?? false),
    ...(keepPrevious ? { placeholderData: keepPreviousData } : {}),
  });
}

export interface ActSettings<Result, Variables> {
  /** What the mutation changed: results about it are read again. */
  readonly stale?: readonly Thing[] | undefined;
  readonly done?: ((result: Result, variables: Variables) => void) | undefined;
}

export function useAct<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  { stale = [], done }: ActSettings<Result, Variables> = {},
): UseMutationResult<Result, ApiError, Variables> {
  const cache = useQueryClient();
  return useMutation<Result, ApiError, Variables>({
    mutationFn: (variables) => ask(document, variables),
    onSuccess: (result, variables) => {
      for (const thing of stale) void cache.invalidateQueries({ queryKey: [thing] });
      done?.(result, variables);
    },
  });
}
