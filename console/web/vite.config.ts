/**
 * How the console is built and served while it is worked on. The API is that of a running rowhook: its address
 * comes from ROWHOOK_URL.
 */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin, ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';
import { CONSOLE_CSP, cspFor, PLAYGROUND_CSP } from './csp.ts';
import { PAGES } from './src/app/pages.ts';

const rowhook = process.env['ROWHOOK_URL'] ?? 'http://127.0.0.1:8080';
const proxy: Record<string, ProxyOptions> = {
  '/graphql': { target: rowhook, ws: true },
};

const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Sends the policies of csp.ts with what `vite preview` serves. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        response.setHeader('Content-Security-Policy', cspFor(request.url ?? '/'));
        response.setHeader('X-Content-Type-Options', 'nosniff');
        response.setHeader('Referrer-Policy', 'no-referrer');
        next();
      });
    },
  };
}

/** Tells the server that embeds the build what to serve, in `server.json` beside `index.html`. */
function serverManifest(): Plugin {
  const manifest = { pages: PAGES, policy: CONSOLE_CSP, playgroundPolicy: PLAYGROUND_CSP };
  return {
    name: 'server-manifest',
    apply: 'build',
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'server.json',
        source: `${JSON.stringify(manifest, null, 2)}\n`,
      });
    },
  };
}

/** What every page loads at first, in chunks that seldom change. The rest is split by screen. */
const libraries: readonly (readonly [name: string, packages: RegExp])[] = [
  ['react', /node_modules\/(react|react-dom|scheduler|react-router)\//],
  [
    'components',
    /node_modules\/(@?react-aria|react-aria-components|@?react-stately|@react-types|@internationalized|@spectrum-css)\b/,
  ],
  ['data', /node_modules\/(@tanstack|graphql-ws)\//],
];

export default defineConfig({
  plugins: [react(), contentSecurityPolicy(), serverManifest()],
  resolve: {
    alias: {
      // The first that fits holds.
      '@/api/generated': beside('./generated'),
      '@': beside('./src'),
    },
  },
  server: { proxy },
  preview: { proxy },
  build: {
    target: 'es2022',
    // An inlined asset is a data: URI, which the policy refuses for fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: libraries.map(([name, test]) => ({ name, test })),
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['./src/test-setup.ts'],
    maxWorkers: 1,
  },
});
