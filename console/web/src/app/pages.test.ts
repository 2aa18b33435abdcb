import { createRoutesFromChildren, type RouteObject } from 'react-router';
import { expect, it } from 'vitest';
import { ROUTES } from './App';
import { PLACES } from './navigation';
import { PAGES } from './pages';

/** These are no pages: one catches what no route has, one leads on to `/`. */
const NO_PAGES = ['*', 'index.html'];

function pathsOf(routes: readonly RouteObject[]): string[] {
  return routes.flatMap((route) =>
    route.children === undefined ? [route.index === true ? '' : (route.path ?? '')] : pathsOf(route.children),
  );
}

const firstPart = (path: string): string => path.replace(/^\//, '').split('/')[0] ?? '';

it('names the first part of each route, for the server', () => {
  const routed = pathsOf(createRoutesFromChildren(ROUTES)).map(firstPart);
  const pages = new Set(routed.filter((part) => !NO_PAGES.includes(part)));
  expect([...pages].sort()).toEqual([...PAGES].sort());
});

it('has a page at each place of the navigation', () => {
  for (const { to } of PLACES) expect(PAGES).toContain(firstPart(to));
});
