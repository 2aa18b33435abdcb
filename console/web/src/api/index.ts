/** What screens use of the API. */
export { graphql } from '@/api/generated';
export { ApiError, asApiError, ERROR_MEANING, type ErrorCode, type Refusal } from './errors';
export { ask } from './client';
export { useAct, useAsk, useAskPages, queryClient, type CacheKey, type Thing } from './queries';
export { useConnection, useLive, useLiveLatest, type Live } from './useLive';
export { mayAs, signOut, useCurrentUser, useKey, useRole } from './session';
export { storedKey } from './key';
