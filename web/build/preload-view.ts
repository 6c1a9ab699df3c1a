/** Has the browser fetch a view that is loaded lazily while it reads the page's own script: nearly
 *  everybody begins there. */
import type { HtmlTagDescriptor, Plugin, Rollup } from 'vite';

/** `page`: the HTML file; `view`: the end of the path of the view's source. */
export function preloadView(page: string, view: string): Plugin {
  return {
    name: 'holdfast-preload-view',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { filename, bundle }) => {
        if (bundle === undefined || !filename.endsWith(page)) return [];
        const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
        const start = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(view));
        if (start === undefined) throw new Error(`No chunk is made of ${view}.`);
        const entry = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(page));
        return tagsFor(start, entry, chunks);
      },
    },
  };
}

function tagsFor(
  start: Rollup.OutputChunk, entry: Rollup.OutputChunk | undefined,
  chunks: readonly Rollup.OutputChunk[],
): HtmlTagDescriptor[] {
  const known = new Set([entry?.fileName, ...entry?.imports ?? []]);
  const needed = [start.fileName, ...start.imports].filter((name) => !known.has(name));
  const styles = new Set(chunks.filter(({ fileName }) => needed.includes(fileName))
    .flatMap(({ viteMetadata }) => [...viteMetadata?.importedCss ?? []]));
  return [
    ...needed.map((name) => ({
      tag: 'link', injectTo: 'head' as const,
      attrs: { rel: 'modulepreload', crossorigin: true, href: `/app/${name}` },
    })),
    ...[...styles].map((name) => ({
      tag: 'link', injectTo: 'head' as const,
      attrs: { rel: 'preload', as: 'style', crossorigin: true, href: `/app/${name}` },
    })),
  ];
}
