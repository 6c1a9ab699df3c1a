import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { folderHref } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { t } from '../../texts/texts.ts';
import { useQuery } from '@tanstack/react-query';
import { nodeByPath } from '../../api/nodes.ts';
import { useDropTarget } from './drag.ts';

interface Step {
  readonly name: string;
  readonly path: string;
}

export function stepsOf(path: string): Step[] {
  const names = path.split('/').filter((name) => name !== '');
  return [
    { name: t('files.root'), path: '/' },
    ...names.map((name, at) => ({ name, path: `/${names.slice(0, at + 1).join('/')}` })),
  ];
}

/** The way from the root to the folder. Every step takes what is dropped on it. */
export function Breadcrumb({ path }: { readonly path: string }): ReactNode {
  const steps = stepsOf(path);
  return (
    <nav className="hf-breadcrumb" aria-label={t('files.breadcrumb')}>
      <ol>
        {steps.map((step, at) => (
          <li key={step.path}>
            {at > 0 && <Icon name="chevronRight" small />}
            {at === steps.length - 1
              ? <h1 aria-current="page" title={step.name}>{step.name}</h1>
              : <StepLink step={step} />}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function StepLink({ step }: { readonly step: Step }): ReactNode {
  const { data } = useQuery<FileNode>({
    queryKey: ['node', step.path], queryFn: ({ signal }) => nodeByPath(step.path, signal),
    staleTime: 60_000,
  });
  const drop = useDropTarget(data);
  return <Link href={folderHref(step.path)} title={step.name} {...drop}>{step.name}</Link>;
}
