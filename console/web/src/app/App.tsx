/** The routes of the console. Each screen is loaded when it is first opened. */
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, type ReactElement, type ReactNode } from 'react';
import { I18nProvider, RouterProvider } from 'react-aria-components';
import { BrowserRouter, Navigate, Route, Routes, useHref, useNavigate } from 'react-router';
import { queryClient } from '@/api/queries';
import { useForgetWithKey } from '@/api/session';
import { NotFound } from './NotFound';
import { Shell } from './Shell';
import { SignIn } from './SignIn';

const Overview = lazy(() => import('@/screens/overview'));
const Receivers = lazy(() => import('@/screens/receivers'));
const NewReceiver = lazy(() => import('@/screens/receivers/NewReceiver'));
const Receiver = lazy(() => import('@/screens/receiver'));
const Subscriptions = lazy(() => import('@/screens/subscriptions'));
const Subscription = lazy(() => import('@/screens/subscription'));
const Events = lazy(() => import('@/screens/events'));
const Event = lazy(() => import('@/screens/event'));
const Capture = lazy(() => import('@/screens/capture'));
const Playground = lazy(() => import('@/screens/playground'));
const Keys = lazy(() => import('@/screens/keys'));
const Egress = lazy(() => import('@/screens/egress'));

/** The first parts of these paths stand in pages.ts, for the server. */
export const ROUTES: ReactElement = (
  <>
    <Route path="/sign-in" element={<SignIn />} />
    <Route element={<Shell />}>
      <Route index element={<Overview />} />
      <Route path="receivers" element={<Receivers />} />
      <Route path="receivers/new" element={<NewReceiver />} />
      <Route path="receivers/:id" element={<Receiver />} />
      <Route path="receivers/:id/:tab" element={<Receiver />} />
      <Route path="subscriptions" element={<Subscriptions />} />
      <Route path="subscriptions/:id" element={<Subscription />} />
      <Route path="events" element={<Events />} />
      <Route path="events/:id" element={<Event />} />
      <Route path="capture" element={<Capture />} />
      <Route path="playground" element={<Playground />} />
      <Route path="keys" element={<Keys />} />
      <Route path="egress" element={<Egress />} />
      <Route path="index.html" element={<Navigate to="/" replace />} />
      <Route path="*" element={<NotFound />} />
    </Route>
  </>
);

export function App(): ReactNode {
  useForgetWithKey();
  return (
    <QueryClientProvider client={queryClient}>
      <I18nProvider locale="en-GB">
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
      </I18nProvider>
    </QueryClientProvider>
  );
}

function Pages(): ReactNode {
  const navigate = useNavigate();
  return (
    <RouterProvider navigate={(to) => void navigate(to)} useHref={useHref}>
      <Routes>{ROUTES}</Routes>
    </RouterProvider>
  );
}
