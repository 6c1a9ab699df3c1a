/** How the page is built: `launcher/web.cjs` runs it, and so does `npm run web`. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { precompress } from './build/precompress.ts';
import { preloadView } from './build/preload-view.ts';

const HERE = import.meta.dirname;
/** While the page is being changed, its calls go to a server that runs beside. */
const SERVER = 'http://127.0.0.1:8080';

const config = defineConfig({
  root: HERE,
  base: '/app/',
  cacheDir: join(HERE, '../node_modules/.vite'),
  plugins: [react(), preloadView('index.html', 'views/files/files-view.tsx'), precompress()],
  build: {
    outDir: join(HERE, 'dist'),
    emptyOutDir: true,
    reportCompressedSize: false,
    // Inlined files would be data: addresses, which the content policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    rolldownOptions: {
      input: { index: join(HERE, 'index.html'), reference: join(HERE, 'reference.html') },
    },
  },
  server: { proxy: { '/api': SERVER, '/login': SERVER, '/account': SERVER } },
});

// Vite takes its configuration from the default export.
export { config as default };
